import { expect, test } from 'vitest';
import { withoutMembers } from './without-members.ts';

const keys = new Set(['a', 'b', '__proto__']);
const without = (text: string) => withoutMembers(Buffer.from(text), keys).toString();

test.each([
	['{}', '{}'],
	['{"x":1}', '{"x":1}'],
	['{"a":1}', '{}'],
	['{ "a" : 1 }', '{  }'],
	['{"a":1,"b":2}', '{}'],
	['{"a":1,"x":2}', '{"x":2}'],
	['{"a":1,"b":2, "x":3}', '{"x":3}'],
	['{"x":1,"a":2}', '{"x":1}'],
	['{"x":1 , "a":2,"b":{"c":[",",1]} }', '{"x":1 }'],
	['{"a":0,"x":1,"b":2,"y":3,"a2":4}', '{"x":1,"y":3,"a2":4}'],
	['{"x":1e400 ,  "b":2,\t"y":"\\u0061"}', '{"x":1e400,\t"y":"\\u0061"}'],
	['{"\\u0061":1,"x":{"a":1}}', '{"x":{"a":1}}'],
	['{"__proto__":1,"x":2}', '{"x":2}'],
	[' {"a":1,"x":2} ', '{"x":2}'],
])('%s leaves %s', (text, left) => {
	expect(without(text)).toBe(left);
});

test.each(['[1,2]', '"a"', '{"a":1', '{"a":1,"a":2}'])('%s stays', (text) => {
	expect(without(text)).toBe(text);
});
