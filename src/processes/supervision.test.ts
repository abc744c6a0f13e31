import { describe, expect, test } from 'vitest';
import { type Life, Supervision } from './supervision.ts';

let now = 0;
const clock = { now: () => now, random: () => 0.5 };
const fall: Life = { wanted: false, reason: 'it exited with code 3', wasReady: false, wasOfUse: false };

function fallen(times: number, life: Life = fall): Supervision {
	now = 0;
	const one = new Supervision(clock);
	for (let n = 0; n < times; n++) {
		one.started();
		if (life.wasReady) one.becameReady();
		one.ended(life);
	}
	return one;
}

describe('Supervision', () => {
	test('goes from starting to ready to stopped', () => {
		const one = new Supervision(clock);
		expect(one.report().state).toBe('stopped');
		one.started();
		expect(one.report().state).toBe('starting');
		one.becameReady();
		expect(one.report().state).toBe('ready');
		one.ended({ wanted: true, reason: 'it exited with code 0', wasReady: true, wasOfUse: true });
		expect(one.report()).toMatchObject({ state: 'stopped', reason: '', ends: 0 });
	});

	test('an unwanted end is told with its reason', () => {
		expect(fallen(1).report()).toMatchObject({ state: 'backing off', reason: 'it exited with code 3', ends: 1 });
	});

	test('five useless ends in a row: one trial at a time, after pauses that grow', () => {
		expect(fallen(4).pause).toBe(0);
		const one = fallen(5);
		expect(one.report().state).toBe('crash-looping');
		expect(one.pause).toBe(500);
		now = 500;
		expect(one.pause).toBe(0);
		one.started();
		expect(one.pause).toBeGreaterThan(0);
		one.ended(fall);
		expect(one.pause).toBe(1000);
		now = 2000;
		one.started();
		one.becameReady();
		expect(one.pause).toBe(0);
		expect(one.report().state).toBe('ready');
	});

	test('ends of what was of use are shown as a loop, but hold up no start', () => {
		const one = fallen(6, { ...fall, wasReady: true, wasOfUse: true });
		expect(one.report().state).toBe('crash-looping');
		expect(one.pause).toBe(0);
		now = 61_000;
		expect(one.report().state).toBe('backing off');
	});
});
