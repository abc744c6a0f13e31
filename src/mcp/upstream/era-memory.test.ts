import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EraMemory } from './era-memory.ts';
import { ToolHeaders } from './tool-headers.ts';

let memory: EraMemory;

beforeEach(() => {
	vi.useFakeTimers();
	memory = new EraMemory(new ToolHeaders(() => {}));
});
afterEach(() => {
	vi.useRealTimers();
});

test('nothing is lacking before a server was asked', () => {
	expect([memory.lacks('modern'), memory.lacks('legacy'), memory.wantsAnotherLook()]).toEqual([false, false, false]);
});

test('a verdict against the new era is looked at again once per ten minutes', () => {
	memory.note('modern', false);
	vi.advanceTimersByTime(9 * 60_000);
	expect(memory.wantsAnotherLook()).toBe(false);
	vi.advanceTimersByTime(60_000);
	expect([memory.wantsAnotherLook(), memory.wantsAnotherLook()]).toEqual([true, false]);
	expect(memory.lacks('modern')).toBe(true);
	vi.advanceTimersByTime(10 * 60_000);
	expect(memory.wantsAnotherLook()).toBe(true);
});

test('a verdict for it, and one against the old era, stand', () => {
	memory.note('modern', true);
	memory.note('legacy', false);
	vi.advanceTimersByTime(60 * 60_000);
	expect([memory.wantsAnotherLook(), memory.lacks('legacy')]).toEqual([false, true]);
	memory.forget();
	expect(memory.lacks('legacy')).toBe(false);
});
