import { describe, expect, test } from 'vitest';
import { StderrLines } from './stderr-lines.ts';
import { StderrRing } from './stderr-ring.ts';

describe('StderrLines', () => {
	test('lines are cut at line breaks, across chunks and inside characters', () => {
		const taken: string[] = [];
		const lines = new StderrLines((line) => taken.push(line));
		const bytes = Buffer.from('one\r\nt\u00fcwo\n\nthree');
		for (const byte of bytes) lines.push(Buffer.from([byte]));
		expect(taken).toEqual(['one', 't\u00fcwo']);
		expect(lines.rest).toBe('three');
	});

	test('a line without end keeps its last 16 KiB', () => {
		const lines = new StderrLines(() => {});
		for (let mib = 0; mib < 64; mib++) lines.push(Buffer.alloc(1024 * 1024, 0x78));
		expect(lines.rest).toHaveLength(16 * 1024);
	});
});

describe('StderrRing', () => {
	const one = {};
	const other = {};

	test('keeps the lines of each process apart', () => {
		const ring = new StderrRing(1000);
		ring.keep(one, 'a');
		ring.keep(other, 'b');
		ring.keep(one, 'c');
		expect(ring.last(one, 50)).toEqual(['a', 'c']);
		expect(ring.last(one, 1)).toEqual(['c']);
		expect(ring.last(other, 50)).toEqual(['b']);
	});

	test('old lines go when the limit is reached, whoever wrote them', () => {
		const ring = new StderrRing(3 * 68);
		for (const line of ['aaaa', 'bbbb', 'cccc', 'dddd']) ring.keep(one, line);
		expect(ring.last(one, 50)).toEqual(['bbbb', 'cccc', 'dddd']);
		for (let n = 0; n < 100_000; n++) ring.keep(other, '');
		expect(ring.last(one, 50)).toEqual([]);
		expect(ring.last(other, 50)).toHaveLength(3);
	});
});
