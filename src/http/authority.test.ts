import { describe, expect, test } from 'vitest';
import { authorityText, isLoopbackAddress, isLoopbackHost, parseAuthority } from './authority.ts';

describe('parseAuthority', () => {
	test.each([
		['localhost', 'localhost'],
		['LOCALHOST:3000', 'localhost:3000'],
		['a.b-c.example.:80', 'a.b-c.example:80'],
		['my_container:8080', 'my_container:8080'],
		['127.0.0.1:65535', '127.0.0.1:65535'],
		['[::1]', '[::1]'],
		['[0:0::0:1]:3000', '[::1]:3000'],
		['[::FFFF:127.0.0.1]', '[::ffff:7f00:1]'],
	])('reads %s', (text, expected) => {
		const authority = parseAuthority(text);
		expect(authority === null ? null : authorityText(authority)).toBe(expected);
	});

	test.each([
		'',
		' ',
		'.',
		'..',
		'a..b',
		'.a',
		':80',
		'a:',
		'a:0',
		'a:65536',
		'a:8x',
		'a:-1',
		'a:1:2',
		'a/b',
		'a b',
		'a@b',
		'a,b',
		'a?b',
		'a#b',
		'a\\b',
		'ä.example',
		'a%2e',
		'[::1',
		'::1',
		'[::1]x',
		'[::1]:',
		'[127.0.0.1]',
		'[fe80::1%lo]',
		`${'a'.repeat(64)}.b`,
		'a.'.repeat(130),
		'a\u0000',
	])('refuses %j', (text) => {
		expect(parseAuthority(text)).toBeNull();
	});
});

describe('loopback', () => {
	test.each(['localhost', 'a.localhost', 'a.b.localhost', '127.0.0.1', '127.255.0.9', '[::1]'])('%s is', (host) => {
		expect(isLoopbackHost(host)).toBe(true);
	});

	test.each([
		'localhost.evil.com',
		'xlocalhost',
		'evil.com',
		'127.0.0.1.nip.io',
		'127.1',
		'127.0.0.256',
		'127.0.0.01',
		'127.0.0.1.1',
		'0.0.0.0',
		'128.0.0.1',
		'[::]',
		'[::2]',
		'',
	])('%s is not', (host) => {
		expect(isLoopbackHost(host)).toBe(false);
	});

	test('of a peer', () => {
		expect(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.9.9.9'].every(isLoopbackAddress)).toBe(true);
		expect(['10.0.0.1', '::ffff:10.0.0.1', '::2', '', '127.evil'].some(isLoopbackAddress)).toBe(false);
	});
});
