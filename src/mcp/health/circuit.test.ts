import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Circuit } from './circuit.ts';
import type { Failure } from '../model.ts';

const failure: Failure = { reason: 'the connection was refused', remedy: '', exitCode: null, signal: null, stderr: [] };

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => vi.useRealTimers());

/** A circuit that has just opened; its pauses are 0.5 s, 1 s … */
function opened(): Circuit {
	const circuit = new Circuit(() => 0.5);
	for (let i = 0; i < 4; i++) circuit.failed('start', failure);
	vi.advanceTimersByTime(2000);
	circuit.failed('start', failure);
	expect(circuit.state).toBe('open');
	return circuit;
}

test('a server that is only restarted opens nothing, however many calls notice', () => {
	const circuit = new Circuit();
	for (let i = 0; i < 100; i++) circuit.failed('unreachable', failure);
	vi.advanceTimersByTime(1900);
	circuit.failed('unreachable', failure);
	expect(circuit.state).toBe('closed');
	expect(circuit.passes()).toBe(true);
});

test('five failures in a row over two seconds open it, a success in between does not', () => {
	const circuit = new Circuit();
	for (let i = 0; i < 4; i++) circuit.failed('start', failure);
	circuit.succeeded();
	vi.advanceTimersByTime(3000);
	circuit.failed('start', failure);
	expect(circuit.state).toBe('closed');
	expect(opened().passes()).toBe(false);
});

test('the time that a start or a call was waited for counts', () => {
	const circuit = new Circuit();
	for (let i = 0; i < 5; i++) circuit.failed('timeout', failure, 2500);
	expect(circuit.state).toBe('open');
	expect(circuit.totals).toEqual({ start: 0, timeout: 5, unreachable: 0 });
});

test('after the pause one trial passes; its failure doubles the pause, its success closes', () => {
	const circuit = opened();
	vi.advanceTimersByTime(499);
	expect(circuit.passes()).toBe(false);
	vi.advanceTimersByTime(1);
	expect([circuit.passes(), circuit.passes(), circuit.state]).toEqual([true, false, 'half-open']);
	circuit.failed('start', failure);
	expect(circuit.state).toBe('open');
	expect(circuit.wait).toBe(1000);
	vi.advanceTimersByTime(1000);
	expect(circuit.passes()).toBe(true);
	circuit.succeeded();
	expect(circuit).toMatchObject({ state: 'closed', failures: 0, failure: null, openedAt: null });
});

test('a trial that hangs does not keep the next one away', () => {
	const circuit = opened();
	vi.advanceTimersByTime(500);
	expect(circuit.passes()).toBe(true);
	vi.advanceTimersByTime(10_000);
	expect(circuit.passes()).toBe(true);
});

test('followers hear when it opens and when it closes', () => {
	const circuit = opened();
	const heard: string[] = [];
	const follower = { slot: -1, tries: true, circuitChanged: () => heard.push(circuit.state) };
	circuit.follow(follower);
	vi.advanceTimersByTime(500);
	circuit.passes();
	circuit.failed('start', failure);
	circuit.succeeded();
	circuit.unfollow(follower);
	expect(heard).toEqual(['open', 'closed']);
});

test('a trial that has asked nothing lets the next one pass at once, and decides nothing', () => {
	const circuit = opened();
	vi.advanceTimersByTime(500);
	expect([circuit.passes(), circuit.passes()]).toEqual([true, false]);
	circuit.undecided();
	expect(circuit).toMatchObject({ state: 'half-open', failures: 5 });
	expect([circuit.passes(), circuit.passes()]).toEqual([true, false]);
});
