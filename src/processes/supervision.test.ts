import { describe, expect, test } from 'vitest';
import { type Life, Supervision } from './supervision.ts';

let now = 0;
const clock = () => now;
const fall: Life = { wanted: false, reason: 'it exited with code 3', wasReady: false };

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
		one.ended({ wanted: true, reason: 'it exited with code 0', wasReady: true });
		expect(one.report()).toMatchObject({ state: 'stopped', reason: '', ends: 0 });
	});

	test('an unwanted end is told with its reason', () => {
		expect(fallen(1).report()).toMatchObject({ state: 'backing off', reason: 'it exited with code 3', ends: 1 });
	});

	test('five unwanted ends within a minute are a crash loop, until one stands or the minute is over', () => {
		expect(fallen(4).report().state).toBe('backing off');
		const one = fallen(5, { ...fall, wasReady: true });
		expect(one.report()).toMatchObject({ state: 'crash-looping', ends: 5 });
		one.started();
		expect(one.report().state).toBe('crash-looping');
		one.becameReady();
		expect(one.report().state).toBe('ready');
		one.ended({ ...fall, wasReady: true });
		now = 61_000;
		expect(one.report().state).toBe('backing off');
	});
});
