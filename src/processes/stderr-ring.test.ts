import { describe, expect, test } from 'vitest';
import { StderrRing } from './stderr-ring.ts';

describe('StderrRing', () => {
	test('lines are cut at line breaks, across chunks and inside characters', () => {
		const taken: string[] = [];
		const ring = new StderrRing(1000, (line) => taken.push(line));
		const bytes = Buffer.from('one\r\nt\u00fcwo\n\nthree');
		for (const byte of bytes) ring.push(Buffer.from([byte]));
		expect(taken).toEqual(['one', 't\u00fcwo']);
		expect(ring.last(2)).toEqual(['t\u00fcwo', 'three']);
	});

	test('old lines go when the limit is reached', () => {
		const ring = new StderrRing(10, () => {});
		ring.push(Buffer.from('aaaa\nbbbb\ncccc\n'));
		expect(ring.last(50)).toEqual(['bbbb', 'cccc']);
	});

	test('a line without end keeps its last 16 KiB', () => {
		const ring = new StderrRing(1000, () => {});
		for (let mib = 0; mib < 64; mib++) ring.push(Buffer.alloc(1024 * 1024, 0x78));
		expect(ring.last(1)[0]).toHaveLength(16 * 1024);
	});
});
