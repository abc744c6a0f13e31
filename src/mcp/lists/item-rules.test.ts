import { describe, expect, test } from 'vitest';
import { ItemRules } from './item-rules.ts';

const none = { include: null, exclude: [], rename: {}, describe: {} };

test.each(['FILE:///secret', 'fiLe:///secret', 'http://HOST/secret', 'X:hidden'])(
	'an excluded resource is not reached as %s: case counts neither in schemes nor in hosts',
	(uri) => {
		const rules = new ItemRules('resources', { ...none, exclude: ['file:///secret', 'http://host/*', 'x:hid*'] });
		expect(rules.hides(uri)).not.toBeNull();
	},
);

describe('resources', () => {
	const rules = new ItemRules('resources', {
		...none,
		include: ['file:///public/*', 'memo:*'],
		exclude: ['*/secret*'],
	});

	test.each(['file:///public/a.txt', 'file:///public/a%20b', 'file:///public/{path}', 'memo:x', 'memo:a b'])(
		'%s is shown',
		(uri) => {
			expect(rules.hides(uri)).toBeNull();
		},
	);

	test.each([
		'file:///private/a',
		'file:///public/secret',
		'file:///public/../private/a',
		'file:///public/%2e%2e/private/a',
		'file:///public/%2E%2E%2Fprivate/a',
		'file:///public/..\\private',
		'file:///public/./x/../../private',
		'file:///public/%73ecret',
		'file:///public/x/../secret.txt',
	])('%s is not', (uri) => {
		expect(rules.hides(uri)).not.toBeNull();
	});

	test('a bare host is the same with its slash', () => {
		const hosts = new ItemRules('resources', { ...none, include: ['http://Example.com'] });
		expect(hosts.hides('http://Example.com')).toBeNull();
	});
});

test('rules that name what is not there are told, with a guess', () => {
	const rules = new ItemRules('tools', {
		include: ['get_*', 'ecko'],
		exclude: ['gone'],
		rename: { lst: 'echo', get_time: 'time' },
		describe: { nothing_like_it: 'x' },
	});
	expect(rules.findings(['echo', 'get_time', 'list'])).toEqual([
		'tools.rename gives the name "echo" to "lst"; the server\'s own "echo" is hidden',
		'tools.rename names "lst", which the server does not have; did you mean "list"?',
		'tools.describe names "nothing_like_it", which the server does not have',
		'tools.include names "ecko", which the server does not have; did you mean "echo"?',
		'tools.exclude names "gone", which the server does not have',
	]);
	expect(new ItemRules('tools', { ...none, include: ['*'], rename: { a: 'b' } }).findings(['a'])).toEqual([]);
});
