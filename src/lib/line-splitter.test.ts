import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

test.each([
	['in one piece', ['12345678901\n']],
	['in two', ['123456', '78901\n']],
	['without its end', ['12345', '678901']],
])('a line over the limit, %s, is a fault, and no part of it is a line', (_what, chunks) => {
	const lines: string[] = [];
	const splitter = new LineSplitter(10, (line) => lines.push(line.toString()));
	expect(splitter.push(Buffer.from('ok\n'))).toBeNull();
	expect(chunks.map((chunk) => splitter.push(Buffer.from(chunk))).at(-1)).toEqual({ fault: 'too-long', limit: 10 });
	splitter.end();
	expect(lines).toEqual(['ok']);
});

test('what stands behind the last line break comes with the end', () => {
	const lines: string[] = [];
	const splitter = new LineSplitter(10, (line) => lines.push(line.toString()));
	expect(splitter.push(Buffer.from('one\r\n\ntw'))).toBeNull();
	expect(splitter.push(Buffer.from('o'))).toBeNull();
	splitter.end();
	expect(lines).toEqual(['one', 'two']);
});
