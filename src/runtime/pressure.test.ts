import { describe, expect, test } from 'vitest';
import { descriptorReserve, Pressure, type Readings } from './pressure.ts';

const calm: Readings = {
	heapUsed: 10,
	heapLimit: 100,
	resident: 10,
	inUse: 10,
	memoryLimit: 100,
	descriptors: 20,
	descriptorLimit: 128,
	lateMs: 0,
};

/** The kinds that are high after readings that differ from the calm ones by these, one after the other. */
function after(...steps: Partial<Readings>[]): readonly string[] {
	const pressure = new Pressure();
	for (const step of steps) pressure.take({ ...calm, ...step });
	return pressure.kinds;
}

describe('pressure', () => {
	test('is none while there is enough of everything, or nobody knows the limits', () => {
		expect(after({})).toEqual([]);
		expect(after({ resident: 1e12, inUse: 1e12, memoryLimit: null, descriptors: null, descriptorLimit: null })).toEqual(
			[],
		);
	});

	test.each<[string, Partial<Readings>, Partial<Readings>, Partial<Readings>]>([
		['heap', { heapUsed: 80 }, { heapUsed: 71 }, { heapUsed: 69 }],
		['memory', { resident: 90, inUse: 60 }, { resident: 81, inUse: 51 }, { resident: 79, inUse: 51 }],
		// What an allocator keeps for later is not in use, and nobody may be refused for it.
		['memory', { resident: 90, inUse: 60 }, { resident: 81, inUse: 51 }, { resident: 95, inUse: 49 }],
		['descriptors', { descriptors: 112 }, { descriptors: 97 }, { descriptors: 95 }],
		['event_loop', { lateMs: 1000 }, { lateMs: 301 }, { lateMs: 299 }],
	])('of %s sets in at one level and ends at a lower one', (kind, high, between, low) => {
		expect(after(high)).toEqual([kind]);
		expect(after(between)).toEqual([]);
		expect(after(high, between)).toEqual([kind]);
		expect(after(high, between, low)).toEqual([]);
	});

	test('is told of once, with figures and a remedy', () => {
		const pressure = new Pressure();
		const told = { kind: 'descriptors', high: true, text: 'descriptors: 120 of 128 are open' };
		expect(pressure.take({ ...calm, descriptors: 120 })).toMatchObject([told]);
		expect(pressure.take({ ...calm, descriptors: 121 })).toEqual([]);
		expect(pressure.shortages({ ...calm, descriptors: 121 })).toMatchObject([
			{ kind: 'descriptors', text: 'descriptors: 121 of 128 are open', remedy: expect.stringContaining('ulimit -n') },
		]);
		expect(pressure.take(calm)).toMatchObject([{ kind: 'descriptors', high: false }]);
	});

	test('leaves descriptors to children and the admin port, however few or many there are', () => {
		expect([64, 128, 1024, 1_000_000].map(descriptorReserve)).toEqual([16, 32, 256, 512]);
	});
});
