import { afterEach, expect, test, vi } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

afterEach(() => vi.useRealTimers());

test('one that throws is reported and left; the others go on', () => {
	vi.useFakeTimers();
	const faults: unknown[] = [];
	const heartbeat = new Heartbeat((fault) => faults.push(fault), 10);
	const fault = new Error('a bug');
	let beats = 0;
	heartbeat.add({ slot: -1, beat: () => beats++ });
	heartbeat.add({
		slot: -1,
		beat() {
			throw fault;
		},
	});
	vi.advanceTimersByTime(30);
	expect([faults, beats]).toEqual([[fault], 3]);
	heartbeat.stop();
});
