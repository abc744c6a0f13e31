import { expect, test } from 'vitest';
import { Circuit } from '../health/circuit.ts';
import type { Failure } from '../health/failure.ts';
import { Start, StartGate } from './start-gate.ts';

const crashed: Failure = { reason: 'it exited', remedy: '', exitCode: 1, signal: null, stderr: [] };

function thousand(circuit: Circuit): { running: Start[]; refused: Failure[]; all: Start[] } {
	const gate = new StartGate(circuit);
	const seen = { running: [] as Start[], refused: [] as Failure[], all: [] as Start[] };
	for (let n = 0; n < 1000; n++) {
		const start: Start = new Start(
			gate,
			() => seen.running.push(start),
			(failure) => seen.refused.push(failure),
		);
		seen.all.push(start);
		gate.enter(start);
	}
	return seen;
}

test('of a thousand starts eight are made at once; one that is over makes room for the next', () => {
	const seen = thousand(new Circuit());
	expect(seen.running).toHaveLength(8);
	seen.all[0]?.over(false);
	seen.all[0]?.over(false);
	expect(seen.running).toHaveLength(9);
});

test('more are made at once while they succeed', () => {
	const seen = thousand(new Circuit());
	seen.all[0]?.over(true);
	expect(seen.running).toHaveLength(33);
	seen.all[1]?.over(false);
	expect(seen.running).toHaveLength(33);
});

test('who is taken back is not started', () => {
	const seen = thousand(new Circuit());
	for (const start of seen.all.slice(8)) start.over(null);
	for (const start of seen.all.slice(0, 8)) start.over(false);
	expect(seen.running).toHaveLength(8);
});

test('when the circuit opens, who waits is told why without a start, and that is no further failure', () => {
	const circuit = new Circuit();
	const seen = thousand(circuit);
	for (let n = 0; n < 5; n++) circuit.failed('start', crashed, 3000);
	expect(circuit.state).toBe('open');
	expect(seen.refused).toHaveLength(992);
	expect(seen.refused[0]).toEqual({ ...crashed, untried: true });
	expect(seen.running).toHaveLength(8);
});
