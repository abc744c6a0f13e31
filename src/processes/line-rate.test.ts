import { expect, test } from 'vitest';
import { LineRate } from './line-rate.ts';

test('a burst passes, then so many a second, and what was kept back is told', () => {
	let now = 0;
	const rate = new LineRate(3, 10, () => now);
	expect([rate.pass(), rate.pass(), rate.pass(), rate.pass(), rate.pass()]).toEqual([0, 0, 0, null, null]);
	now = 100;
	expect(rate.pass()).toBe(2);
	expect(rate.pass()).toBeNull();
	now = 10_000;
	expect([rate.pass(), rate.pass(), rate.pass(), rate.pass()]).toEqual([1, 0, 0, null]);
});
