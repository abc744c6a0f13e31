import { afterEach, expect, test, vi } from 'vitest';
import { EraMemory } from './era-memory.ts';
import { ToolHeaders } from './tool-headers.ts';

afterEach(() => vi.useRealTimers());

const fresh = () => new EraMemory(new ToolHeaders(() => {}));

test('what was never heard is not lacking', () => {
	const memory = fresh();
	expect([memory.lacks('modern'), memory.lacks('legacy')]).toEqual([false, false]);
	memory.note('modern', false);
	memory.note('legacy', true);
	expect([memory.lacks('modern'), memory.lacks('legacy')]).toEqual([true, false]);
	memory.forget();
	expect(memory.lacks('modern')).toBe(false);
});

test('an old verdict against the new era wants another look, once per age', () => {
	vi.useFakeTimers({ toFake: ['performance'] });
	const memory = fresh();
	expect(memory.wantsAnotherLook()).toBe(false);
	memory.note('modern', false);
	vi.advanceTimersByTime(9 * 60_000);
	expect(memory.wantsAnotherLook()).toBe(false);
	vi.advanceTimersByTime(2 * 60_000);
	expect([memory.wantsAnotherLook(), memory.wantsAnotherLook()]).toEqual([true, false]);
	memory.note('modern', true);
	vi.advanceTimersByTime(60 * 60_000);
	expect(memory.wantsAnotherLook()).toBe(false);
});
