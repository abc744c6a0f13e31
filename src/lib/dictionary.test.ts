import { expect, test } from 'vitest';
import { Dictionary } from './dictionary.ts';

test('finds what was added and not deleted, under any key', () => {
	const open = new Dictionary<string>();
	for (const key of ['1', '"1"', '__proto__', 'toString', '']) open.add(key, `of ${key}`);
	open.add(7, 'seven');
	expect(open.size).toBe(6);
	expect(open.get('__proto__')).toBe('of __proto__');
	expect(open.get('hasOwnProperty')).toBeUndefined();
	open.delete('1');
	open.delete('1');
	expect([open.size, open.get('1'), open.get('"1"'), open.get(7)]).toEqual([5, undefined, 'of "1"', 'seven']);
	expect(open.all()).toHaveLength(5);
	expect(() => open.add(7, 'again')).toThrow();
});
