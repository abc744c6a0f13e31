import { expect, test } from 'vitest';
import { Pieces } from './pieces.ts';

test('whatever the sizes of the pieces, they are put together in order', () => {
	for (const sizes of [[1], [0, 1, 0], [1, 5000, 1, 1, 200_000, 3, 1023, 1024, 70_000, 1], [3000, 1, 3000, 1]]) {
		let counter = 0;
		const given = sizes.map((size) => Buffer.from(Array.from({ length: size }, () => counter++ & 0xff)));
		const pieces = new Pieces(given[0] ?? Buffer.alloc(0));
		for (const one of given.slice(1)) pieces.add(one);
		const wanted = Buffer.concat(given);
		expect(pieces.length).toBe(wanted.length);
		expect(pieces.join().equals(wanted)).toBe(true);
		pieces.add(Buffer.from('more'));
		expect(Buffer.concat(pieces.all()).equals(Buffer.concat([wanted, Buffer.from('more')]))).toBe(true);
	}
});

test('single bytes make few buffers, and none of them keeps what it was cut from', () => {
	const slab = Buffer.alloc(64 * 1024, 7);
	const pieces = new Pieces(slab.subarray(0, 1));
	for (let at = 0; at < slab.length; at++) pieces.add(slab.subarray(at, at + 1));
	for (let at = 0; at < 100; at++) pieces.add(slab.subarray(at, at + 2000));
	const [, ...rest] = pieces.all();
	expect(rest.length).toBeLessThan(20);
	expect(rest.every(({ buffer }) => buffer !== slab.buffer)).toBe(true);
	pieces.add(slab);
	expect(pieces.all().at(-1)).toBe(slab);
});
