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
