import { expect, test } from 'vitest';
import { ObjectText } from './object-text.ts';

const text = '{"id": 7,\n"s":"ü\\n","o":{"p":1},"l":[{"a":1},2,{"b":"x"}],"n":9007199254740993}';

function read(look = {}): ObjectText {
	const object = ObjectText.read(Buffer.from(text), look);
	if (object === null) throw new Error('not read');
	return object;
}

test('members are decoded when asked for, and else the bytes that came', () => {
	const object = read({ o: {}, l: { '[]': {} } });
	expect(object.string('s')).toBe('ü\n');
	expect(object.bytes('n')?.toString()).toBe('9007199254740993');
	expect(object.object('o')?.bytes('p')?.toString()).toBe('1');
	expect(object.objects('l').map((item) => item.text.toString())).toEqual(['{"a":1}', '{"b":"x"}']);
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
	expect(object.objects('o')).toEqual([]);
	// Nobody looked into it.
	expect(object.objects('l')).toEqual([]);
	expect(ObjectText.empty().text.toString()).toBe('{}');
});

test.each([
	['a list', '[]'],
	['no JSON', '{'],
	['two objects', '{}{}'],
	['a key twice', '{"a":1,"a":2}'],
	['deep', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`],
	['a hundred thousand members', `{${Array.from({ length: 100_001 }, (_, at) => `"${at}":1`).join()}}`],
])('%s is no object', (_title, wrong) => {
	expect(ObjectText.read(Buffer.from(wrong), {})).toBeNull();
});
