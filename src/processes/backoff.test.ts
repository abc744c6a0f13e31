import { describe, expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

describe('Backoff', () => {
	test('doubles from half a second to half a minute', () => {
		const backoff = new Backoff(() => 0.5);
		const pauses = Array.from({ length: 9 }, () => backoff.next());
		expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
		backoff.reset();
		expect(backoff.next()).toBe(500);
	});

	test('spreads by a quarter to either side, and never goes above the longest', () => {
		expect(new Backoff(() => 0).next()).toBe(375);
		expect(new Backoff(() => 0.999_999).next()).toBeCloseTo(625, 2);
		const late = new Backoff(() => 0.9);
		for (let n = 0; n < 50; n++) expect(late.next()).toBeLessThanOrEqual(30_000);
	});
});
