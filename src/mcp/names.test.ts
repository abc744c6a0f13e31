import { describe, expect, test } from 'vitest';
import { createNaming } from './names.ts';

const two = [{ name: 'a' }, { name: 'a-b.c' }];

describe('several targets', () => {
	const naming = createNaming(two, 'conditional');
	test.each([
		['a', 'echo'],
		['a-b.c', 'with_under_scores'],
		['a', ''],
		['a', '_x'],
	])('%s and %s come back', (target, name) => {
		expect(naming.ownerOfName('tool', naming.exposeName('tool', target, name))).toEqual({ target, name, hidden: null });
	});
	test.each(['echo', 'b_echo', '_echo', '', 'A_echo'])('nobody owns the name %j', (name) => {
		expect(naming.ownerOfName('tool', name)).toBeNull();
	});
	test.each([
		['a', 'memo:insights', 'a+memo:insights'],
		['a-b.c', 'svn+ssh://host/x', 'a-b.c+svn+ssh://host/x'],
		['a', 'ui://host/path', 'ui://a+host/path'],
		['a', 'test://t/{id}', 'a+test://t/{id}'],
	])('%s and the URI %s are %s', (target, uri, exposed) => {
		expect(naming.exposeUri(target, uri)).toBe(exposed);
		expect(naming.ownerOfUri(exposed)).toEqual({ target, name: uri, hidden: null });
	});
	test.each(['memo:insights', 'b+memo:x', '+x', 'ui://host/path', 'ui://b+host'])('nobody owns the URI %j', (uri) => {
		expect(naming.ownerOfUri(uri)).toBeNull();
	});
});

test('one target: names and URIs stay as they are, whatever they hold', () => {
	const naming = createNaming([{ name: 'a' }], 'conditional');
	expect(naming.exposeName('tool', 'a', 'b_c')).toBe('b_c');
	expect(naming.ownerOfName('tool', 'b_c')).toEqual({ target: 'a', name: 'b_c', hidden: null });
	expect(naming.ownerOfUri('x+y:z')).toEqual({ target: 'a', name: 'x+y:z', hidden: null });
});

test('always: one target is prefixed too', () => {
	const naming = createNaming([{ name: 'a' }], 'always');
	expect(naming.exposeName('tool', 'a', 'b')).toBe('a_b');
	expect(naming.ownerOfName('tool', 'b')).toBeNull();
});

test('never: plain names whose owner only the catalogue knows; URIs still carry their target', () => {
	const naming = createNaming(two, 'never');
	expect(naming.exposeName('tool', 'a', 'b')).toBe('b');
	expect(naming.ownerOfName('tool', 'a_b')).toBeNull();
	expect(naming.ownerOfUri('a+x:y')).toEqual({ target: 'a', name: 'x:y', hidden: null });
});

describe('apps (ui://) cannot be smuggled past', () => {
	const naming = createNaming(two, 'conditional');
	test.each([
		'a+ui://host/path',
		'ui://a%2Bhost/path',
		'ui://host/a+path',
		'ui://user@a+host',
		'ui://+host',
		'ui://A+host',
		'UI://a+host',
		'ui:/a+host',
		'ui://b+host/a+x',
	])('nobody owns %s', (uri) => {
		expect(naming.ownerOfUri(uri)).toBeNull();
	});
	test('what stands behind the first + is the server’s, whatever it looks like', () => {
		expect(naming.ownerOfUri('ui://a+a-b.c+host/x+y')).toMatchObject({ target: 'a', name: 'ui://a-b.c+host/x+y' });
		expect(naming.ownerOfUri('a+a-b.c+x:y')).toMatchObject({ target: 'a', name: 'a-b.c+x:y' });
	});
});

describe('tasks', () => {
	test.each(['1', 'b+7', '+', ''])('the id %j comes back', (id) => {
		const naming = createNaming(two, 'never');
		expect(naming.exposeTask('a', id)).toBe(`a+${id}`);
		expect(naming.ownerOfTask(`a+${id}`)).toEqual({ target: 'a', name: id, hidden: null });
	});
	test.each(['1', 'c+1', '+1'])('nobody owns %s', (id) => {
		expect(createNaming(two, 'conditional').ownerOfTask(id)).toBeNull();
	});
	test('of one target keep their ids', () => {
		expect(createNaming([{ name: 'a' }], 'conditional').ownerOfTask('b+1')).toMatchObject({ target: 'a', name: 'b+1' });
	});
});

describe('strict names', () => {
	const naming = createNaming(two, 'conditional', 'strict');
	test('what fits stays and is read without the catalogue', () => {
		expect(naming.exposeName('tool', 'a', 'get_x-1')).toBe('a_get_x-1');
		expect(naming.ownerOfName('tool', 'a_get_x-1')).toMatchObject({ target: 'a', name: 'get_x-1' });
	});
	test.each([
		['a', 'files/read.text'],
		['a', 'ä😀'],
		['a', 'x'.repeat(63)],
		['a', ''],
		['a-b.c', 'echo'],
		['a', 'very_long_'.repeat(200)],
	])('%s and %s fit, differ from others, and are left to the catalogue', (target, name) => {
		const exposed = naming.exposeName('tool', target, name);
		expect(exposed).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
		expect(naming.exposeName('tool', target, `${name}!`)).not.toBe(exposed);
		expect(createNaming(two, 'conditional', 'strict').exposeName('tool', target, name)).toBe(exposed);
		if (name !== '') expect(naming.ownerOfName('tool', exposed)).toBeNull();
	});
	test('a name of 64 characters fits as it is', () => {
		expect(naming.exposeName('tool', 'a', 'x'.repeat(62))).toBe(`a_${'x'.repeat(62)}`);
	});
	test('the same name of two targets differs without prefixes', () => {
		const never = createNaming(two, 'never', 'strict');
		expect(never.exposeName('tool', 'a', 'x.y')).not.toBe(never.exposeName('tool', 'a-b.c', 'x.y'));
	});
});

describe('curated names', () => {
	const rules = (extra: object) => ({ include: null, exclude: [], rename: {}, describe: {}, ...extra });
	const naming = createNaming(
		[
			{
				name: 'a',
				curation: { tools: rules({ exclude: ['rm*'], rename: { list: 'ls', rm_safe: 'trash', x: 'y', y: 'x' } }) },
			},
			{ name: 'b' },
		],
		'conditional',
	);
	test('travel under the name of the server', () => {
		expect(naming.exposeName('tool', 'a', 'list')).toBe('a_ls');
		expect(naming.ownerOfName('tool', 'a_ls')).toEqual({ target: 'a', name: 'list', hidden: null });
		expect(naming.ownerOfName('tool', 'a_list')).toBeNull();
		expect(naming.ownerOfName('tool', 'a_x')).toMatchObject({ name: 'y' });
		expect(naming.ownerOfName('prompt', 'a_list')).toMatchObject({ name: 'list' });
	});
	test('that are excluded say why, renamed or not', () => {
		expect(naming.ownerOfName('tool', 'a_rm')).toMatchObject({ hidden: 'tools.exclude names it' });
		expect(naming.ownerOfName('tool', 'a_trash')).toMatchObject({ hidden: 'tools.exclude names it' });
		expect(naming.ownerOfName('tool', 'b_rm')).toMatchObject({ hidden: null });
	});
	test('hide what the server itself has under a new name', () => {
		expect(naming.hides('tool', 'a', 'ls')).toBe('tools.rename gives its name to "list"');
	});
	test('make a single target no longer plain', () => {
		expect(naming.plain).toBe(false);
		expect(createNaming([{ name: 'a' }], 'never').plain).toBe(true);
		expect(createNaming([{ name: 'a', curation: { prompts: rules({}) } }], 'never').plain).toBe(false);
		expect(createNaming([{ name: 'a' }], 'never', 'strict').plain).toBe(false);
	});
});
