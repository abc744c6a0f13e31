import { expect, test, vi } from 'vitest';
import { Slice } from './slice.ts';

test('is over once its time is, which it finds out each eighth time', () => {
	const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
	const slice = new Slice(5);
	const asked = () => Array.from({ length: 8 }, () => slice.over);
	clock.mockReturnValue(1_004);
	expect(asked()).toEqual(Array(8).fill(false));
	clock.mockReturnValue(1_005);
	expect(asked()).toEqual([...Array<boolean>(7).fill(false), true]);
	expect(clock).toHaveBeenCalledTimes(3);
});

test('is never over if it may take as long as it likes', () => {
	const slice = new Slice(Number.POSITIVE_INFINITY);
	expect(Array.from({ length: 100 }, () => slice.over)).not.toContain(true);
});
