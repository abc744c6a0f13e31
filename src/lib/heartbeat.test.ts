import { afterEach, expect, test, vi } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

afterEach(() => vi.useRealTimers());

test('one that throws is reported and left; the others go on', () => {
	vi.useFakeTimers();
	const faults: unknown[] = [];
	const heartbeat = new Heartbeat((fault) => faults.push(fault), 80);
	const fault = new Error('a bug');
	let beats = 0;
	heartbeat.add({ slot: -1, beat: () => beats++ });
	heartbeat.add({
		slot: -1,
		beat() {
			throw fault;
		},
	});
	vi.advanceTimersByTime(240);
	expect([faults, beats]).toEqual([[fault], 3]);
	heartbeat.stop();
});

test('a part in which many have something to do is left to the loop in between', async () => {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
	let now = 1000;
	const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
	const heartbeat = new Heartbeat(() => {}, 80);
	let beats = 0;
	crowd(heartbeat, () => {
		beats++;
		now += 0.5;
	});
	vi.advanceTimersByTime(10);
	const slices: number[] = [beats];
	while (beats < 100) {
		const before = beats;
		await new Promise((resolve) => setImmediate(resolve));
		slices.push(beats - before);
	}
	clock.mockRestore();
	heartbeat.stop();
	expect([beats, Math.max(...slices)]).toEqual([100, 7]);
});

test('a round comes to all, but never to all at once', () => {
	vi.useFakeTimers();
	const heartbeat = new Heartbeat(() => {}, 80);
	const beats = new Map<number, number>();
	for (let at = 0; at < 1000; at++) {
		heartbeat.add({ slot: -1, beat: () => void beats.set(at, (beats.get(at) ?? 0) + 1) });
	}
	vi.advanceTimersByTime(10);
	expect(beats.size).toBe(125);
	vi.advanceTimersByTime(70);
	expect(beats.size).toBe(1000);
	vi.advanceTimersByTime(80);
	expect(new Set(beats.values())).toEqual(new Set([2]));
	heartbeat.stop();
});

test('a part in which many have something to do goes on while nothing else wakes the loop', async () => {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
	const heartbeat = new Heartbeat(() => {}, 80);
	let beats = 0;
	crowd(heartbeat, () => {
		beats++;
		for (const end = performance.now() + 0.1; performance.now() < end; );
	});
	vi.advanceTimersByTime(10);
	expect(beats).toBeLessThan(100);
	// The one timer that there is; until then the loop would sleep.
	await new Promise((resolve) => setTimeout(resolve, 500));
	heartbeat.stop();
	expect(beats).toBe(100);
});

/** So many that a part of them, a hundred, does not fit into a slice. */
function crowd(heartbeat: Heartbeat, beat: () => void): void {
	for (let at = 0; at < 800; at++) heartbeat.add({ slot: -1, beat });
}
