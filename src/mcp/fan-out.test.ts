import { afterEach, expect, test, vi } from 'vitest';
import { FanOut } from './fan-out.ts';

afterEach(() => void vi.restoreAllMocks());

const notice = (method: string) => ({ method, params: null });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const range = (length: number) => [...Array.from({ length }).keys()];

/** A clock that goes on by a millisecond with each member that is told. */
function clock(): { now: number } {
	const time = { now: 1000 };
	vi.spyOn(performance, 'now').mockImplementation(() => time.now);
	return time;
}

test('a few are told at once', () => {
	const told: string[] = [];
	const out = new FanOut(new Set(['a', 'b']), (member, { method }) => told.push(`${member} ${method}`));
	out.send(notice('one'));
	expect(told).toEqual(['a one', 'b one']);
});

test('many are told in slices, each of them everything in its order', async () => {
	const time = clock();
	const members = new Set(range(50));
	const told: [number, string][] = [];
	const out = new FanOut(members, (member, { method }) => {
		told.push([member, method]);
		time.now++;
	});
	out.send(notice('one'));
	out.send(notice('two'));
	expect(told).toHaveLength(8);
	members.delete(49);
	for (let before = 0; before < told.length; ) {
		before = told.length;
		await turn();
		expect(told.length - before).toBeLessThanOrEqual(8);
	}
	expect(told).toEqual(['one', 'two'].flatMap((method) => range(49).map((at) => [at, method])));
});

test('when too much waits, all are told at once', async () => {
	const time = clock();
	let told = 0;
	const out = new FanOut(new Set(range(20)), () => {
		told++;
		time.now++;
	});
	for (let at = 0; at < 150; at++) out.send(notice('one'));
	expect(told).toBeGreaterThan(100 * 20);
	while (told < 150 * 20) await turn();
});

test('one that throws keeps nothing from the others, now and later', async () => {
	const told: string[] = [];
	const out = new FanOut(new Set(['a', 'broken', 'c']), (member, { method }) => {
		if (member === 'broken') throw new Error('no ear');
		told.push(`${member} ${method}`);
	});
	const faults: unknown[] = [];
	const caught = (fault: unknown) => void faults.push(fault);
	// What is told later throws where nobody waits for it, as the loop reports it.
	const others = process.listeners('uncaughtException');
	process.removeAllListeners('uncaughtException').on('uncaughtException', caught);
	expect(() => out.send(notice('one'))).toThrow('no ear');
	out.send(notice('two'));
	for (let turns = 0; turns < 10; turns++) await turn();
	process.off('uncaughtException', caught);
	for (const other of others) process.on('uncaughtException', other);
	expect(told).toEqual(['a one', 'c one', 'a two', 'c two']);
	expect(faults).toHaveLength(1);
});
