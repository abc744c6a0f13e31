import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventStream, type EventSourceLike, type Link } from './event-stream.ts';

class FakeSource implements EventSourceLike {
	onopen: EventSourceLike['onopen'] = null;
	onerror: EventSourceLike['onerror'] = null;
	readyState = 0;
	closed = false;
	private readonly listeners: ((event: MessageEvent<string>) => void)[] = [];

	addEventListener(_type: string, listener: (event: MessageEvent<string>) => void): void {
		this.listeners.push(listener);
	}

	close(): void {
		this.closed = true;
	}

	send(data: string): void {
		for (const listener of this.listeners) listener({ data } as MessageEvent<string>);
	}

	break(readyState: number): void {
		this.readyState = readyState;
		this.onerror?.({} as Event);
	}
}

let sources: FakeSource[];
let links: Link[];
let states: string[];
let renewals: number;
let stream: EventStream;

beforeEach(() => {
	vi.useFakeTimers();
	sources = [];
	links = [];
	states = [];
	renewals = 0;
	stream = new EventStream({
		open: () => {
			const source = new FakeSource();
			sources.push(source);
			return source;
		},
		renew: () => {
			renewals++;
			return Promise.resolve(true);
		},
		onState: (text) => states.push(text),
		onLink: (link) => links.push(link),
	});
	stream.start();
});
afterEach(() => vi.useRealTimers());

test('hands on what comes', () => {
	sources[0]?.onopen?.({} as Event);
	sources[0]?.send('{"revision":1}');
	expect([links, states]).toEqual([['live'], ['{"revision":1}']]);
});

test('leaves a short break to the browser', async () => {
	sources[0]?.break(0);
	await vi.advanceTimersByTimeAsync(60_000);
	expect([sources.length, renewals, links]).toEqual([1, 0, ['lost']]);
});

test('opens again with a new cookie when the browser has given up, ever more slowly', async () => {
	for (let round = 0; round < 6; round++) {
		sources[round]?.break(2);
		await vi.advanceTimersByTimeAsync(500 * 2 ** round - 1);
		if (round < 3) expect(sources).toHaveLength(round + 1);
		await vi.advanceTimersByTimeAsync(5_000);
		expect(sources).toHaveLength(round + 2);
	}
	expect(renewals).toBe(6);
	expect(sources.slice(0, -1).every(({ closed }) => closed)).toBe(true);
});

test('stays closed once it was stopped', async () => {
	sources[0]?.break(2);
	stream.stop();
	await vi.advanceTimersByTimeAsync(60_000);
	expect(sources).toHaveLength(1);
});
