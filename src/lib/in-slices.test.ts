import { afterEach, expect, test, vi } from 'vitest';
import { inSlices } from './in-slices.ts';

afterEach(() => void vi.restoreAllMocks());

/** A clock that stands until it is told to go on. */
function clock(): { now: number } {
	const time = { now: 1000 };
	vi.spyOn(performance, 'now').mockImplementation(() => time.now);
	return time;
}

test('a few are visited at once', () => {
	const seen: number[] = [];
	void inSlices([1, 2, 3], (one) => void seen.push(one));
	expect(seen).toEqual([1, 2, 3]);
});

test('of many that take their time no more than a slice is visited before others are served', async () => {
	const time = clock();
	let seen = 0;
	const slices: number[] = [];
	let others = true;
	const serve = () => {
		slices.push(seen - slices.reduce((sum, one) => sum + one, 0));
		if (others) setImmediate(serve);
	};
	setImmediate(serve);
	await inSlices(Array.from({ length: 100 }).keys(), () => {
		seen++;
		time.now += 0.5;
	});
	others = false;
	expect([seen, Math.max(...slices)]).toEqual([100, 8]);
});

test('one that is removed meanwhile is not visited', async () => {
	const time = clock();
	const many = new Set(Array.from({ length: 20 }).keys());
	let seen = 0;
	const done = inSlices(many, () => {
		seen++;
		time.now++;
	});
	many.delete(19);
	await done;
	expect(seen).toBe(19);
});
