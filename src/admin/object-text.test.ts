import { expect, test } from 'vitest';
import { ObjectText } from './object-text.ts';

const text = '{"id": 7,\n"s":"ü\\n","o":{"p":1},"l":[{"a":1},2,{"b":"x"}],"n":9007199254740993}';

function read(look = {}): ObjectText {
	const object = ObjectText.read(Buffer.from(text), look);
	if (typeof object === 'string') throw new Error(object);
	return object;
}

test('members are decoded when asked for, and else the bytes that came', () => {
	const object = read({ o: {}, l: { '[]': null } });
	expect(object.string('s')).toBe('ü\n');
	expect(object.bytes('n')?.toString()).toBe('9007199254740993');
	expect(object.object('o')?.bytes('p')?.toString()).toBe('1');
	expect(object.entries('l').map(String)).toEqual(['{"a":1}', '2', '{"b":"x"}']);
	expect(object.text.toString()).toBe(text.replace('\n', ' '));
});

test('what is missing or of another kind is nothing', () => {
	const object = read();
	expect(object.has('id')).toBe(true);
	expect(object.has('x')).toBe(false);
	expect([object.string('id'), object.string('x'), object.bytes('x'), object.object('id')]).toEqual([
		null,
		null,
		null,
		null,
	]);
	expect(object.entries('o')).toEqual([]);
	// Nobody looked into it.
	expect(object.entries('l')).toEqual([]);
	expect(ObjectText.empty().text.toString()).toBe('{}');
});

test.each([
	['a list', '[]', 'no object'],
	['no JSON', '{', 'syntax at byte 1'],
	['two objects', '{}{}', 'syntax at byte 2'],
	['a key twice', '{"a":1,"a":2}', 'duplicate-key at byte 7'],
	['deep', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, 'depth at byte 640'],
	['a hundred thousand members', `{${Array.from({ length: 100_001 }, (_, at) => `"${at}":1`).join()}}`, /^members at/],
])('%s is no object, and the place is named', (_title, wrong, reason) => {
	expect(ObjectText.read(Buffer.from(wrong), {})).toMatch(reason);
});
