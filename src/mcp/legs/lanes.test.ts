import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { Circuit } from '../health/circuit.ts';
import { Lanes } from './lanes.ts';
import type { Ask, Call, Caller, Sink, Target, Upstream, UpstreamEvents } from '../model.ts';
import { ownCall } from '../own-call.ts';

afterEach(() => vi.useRealTimers());

const caller: Caller = {
	principal: 'somebody',
	clientInfo: null,
	capabilities: Buffer.from('{"elicitation":{}}'),
	logLevel: null,
	handshake: false,
	interactive: true,
};
const call = ownCall('tools/call', { name: 'x' }, caller);
const result = { text: Buffer.from('{}'), type: 'complete', stamped: false };

/** A connection that keeps its calls until the test ends them. */
class FakeUpstream implements Upstream {
	readonly busy = false;
	readonly pid = null;
	readonly served = false;
	readonly resumption = null;
	readonly sinks: Sink[] = [];
	cancelled = 0;
	closed = false;
	notify(): void {}
	setLevel(): void {}
	watch(): void {}
	unwatch(): void {}
	start(_call: Call, sink: Sink) {
		this.sinks.push(sink);
		return {
			cancel: () => {
				this.cancelled++;
				sink.fail({ code: -32800, message: 'cancelled', data: null });
			},
		};
	}
	async close(): Promise<void> {
		this.closed = true;
	}
}

function lanes(left: number, who = caller) {
	const opened: { upstream: FakeUpstream; events: UpstreamEvents }[] = [];
	const target: Target = {
		name: 'a',
		local: true,
		circuit: new Circuit(),
		open(_caller, events) {
			const upstream = new FakeUpstream();
			opened.push({ upstream, events });
			return upstream;
		},
	};
	const fate: string[] = [];
	const watch = {
		starting: () => fate.push('starting'),
		ready: () => fate.push('ready'),
		failed: () => fate.push('failed'),
		closed: () => fate.push('closed'),
	};
	const budget = { left, share: 8 };
	return { one: new Lanes(target, who, watch, budget), opened, fate, budget };
}

function sink() {
	const seen: string[] = [];
	const asks: Ask[] = [];
	const one: Sink = {
		note: () => seen.push('note'),
		ask: (ask) => {
			seen.push(`ask ${ask.method}`);
			asks.push(ask);
		},
		done: () => seen.push('done'),
		fail: (error) => seen.push(`fail ${error.code}`),
	};
	return { one, seen, asks };
}

const server = { handshake: true } as Parameters<UpstreamEvents['ready']>[0];

test('calls at once have a connection each within the budget; the others wait for one', () => {
	const { one, opened, budget } = lanes(1);
	const first = new FakeUpstream();
	const sinks = [sink(), sink(), sink()];
	for (const { one: to } of sinks) one.start(first, call, to);
	expect([first.sinks.length, opened.length, budget.left]).toEqual([1, 1, 0]);
	opened[0]?.events.ready(server);
	expect(opened[0]?.upstream.sinks).toHaveLength(1);
	opened[0]?.upstream.sinks[0]?.done(result);
	expect(sinks.map(({ seen }) => seen)).toEqual([[], ['done'], []]);
	expect(opened[0]?.upstream.sinks).toHaveLength(2);
	first.sinks[0]?.done(result);
	opened[0]?.upstream.sinks[1]?.done(result);
	expect(sinks.map(({ seen }) => seen)).toEqual([['done'], ['done'], ['done']]);
});

test('a call that waits can be taken back; one that is sent is taken back at the server', () => {
	const { one } = lanes(0);
	const first = new FakeUpstream();
	const [sent, waits] = [sink(), sink()];
	const ticket = one.start(first, call, sent.one);
	one.start(first, call, waits.one).cancel();
	expect(waits.seen).toEqual(['fail -32800']);
	ticket.cancel();
	expect([first.cancelled, sent.seen]).toEqual([1, ['fail -32800']]);
	const next = sink();
	one.start(first, call, next.one);
	expect(first.sinks).toHaveLength(2);
});

test('a further connection that fails fails its call and gives its place back', () => {
	const { one, opened, budget, fate } = lanes(1);
	const first = new FakeUpstream();
	const [, second] = [one.start(first, call, sink().one), sink()];
	one.start(first, call, second.one);
	opened[0]?.events.failed({ reason: 'gone', remedy: '', exitCode: 1, signal: null, stderr: [] });
	expect([second.seen, budget.left, fate]).toEqual([['fail -32603'], 1, ['starting', 'failed']]);
});

test('what a server asks between calls is put to the next caller before his call is sent', () => {
	vi.useFakeTimers();
	const { one } = lanes(0);
	const first = new FakeUpstream();
	const answers: unknown[] = [];
	const roots: Ask = {
		method: 'roots/list',
		params: null,
		answer: (answer) => answers.push(answer),
		progress() {},
		onWithdrawn() {},
	};
	one.hold(first, roots);
	const to = sink();
	one.start(first, call, to.one);
	expect([to.seen, first.sinks.length]).toEqual([['ask roots/list'], 0]);
	to.asks[0]?.answer({ result: Buffer.from('{"roots":[]}') });
	vi.advanceTimersByTime(100);
	expect([answers.length, first.sinks.length]).toEqual([1, 1]);
});

test('closing ends what waits and what was opened', async () => {
	const { one, opened, budget } = lanes(1);
	const first = new FakeUpstream();
	const [, second, third] = [sink(), sink(), sink()];
	one.start(first, call, sink().one);
	one.start(first, call, second.one);
	one.start(first, call, third.one);
	await one.close();
	expect([second.seen, third.seen]).toEqual([['fail -32603'], ['fail -32603']]);
	expect([opened[0]?.upstream.closed, budget.left]).toEqual([true, 1]);
	const late = sink();
	one.start(first, call, late.one);
	expect(late.seen).toEqual(['fail -32603']);
});

const gone = { reason: 'gone', remedy: '', exitCode: null, signal: 'SIGKILL', stderr: [] };

test('a thousand calls that are refused at their turn are refused one after the other, not one within the other', async () => {
	const { one } = lanes(0);
	const first = new FakeUpstream();
	const sinks = Array.from({ length: 1001 }, sink);
	for (const { one: to } of sinks) one.start(first, call, to);
	let depth = 0;
	let deepest = 0;
	first.start = (_call, to) => {
		deepest = Math.max(deepest, ++depth);
		to.fail({ code: -32602, message: 'refused', data: null });
		depth--;
		return { cancel() {} };
	};
	first.sinks[0]?.done(result);
	await vi.waitFor(() => expect(one.busy).toBe(false));
	expect(sinks.map(({ seen }) => seen)).toEqual([['done'], ...Array.from({ length: 1000 }, () => ['fail -32602'])]);
	expect(deepest).toBe(1);
});

test('what waits is not sent over a connection that fails with its call, but over a further one, or the next', async () => {
	const { one, opened } = lanes(1);
	const [first, next] = [new FakeUpstream(), new FakeUpstream()];
	const sinks = Array.from({ length: 5 }, sink);
	for (const { one: to } of sinks) one.start(first, call, to);
	opened[0]?.events.ready(server);
	// As a connection ends: its calls hear of it first.
	first.sinks[0]?.fail({ code: -32603, message: 'gone', data: null });
	one.lost();
	await turn();
	opened[0]?.upstream.sinks[0]?.done(result);
	expect([first.sinks.length, opened[0]?.upstream.sinks.length]).toEqual([1, 2]);
	opened[0]?.upstream.sinks[1]?.fail({ code: -32603, message: 'gone', data: null });
	opened[0]?.events.failed(gone);
	await turn();
	expect([opened.length, opened[0]?.upstream.sinks.length]).toEqual([1, 2]);
	one.stands(next);
	next.sinks[0]?.done(result);
	expect([next.sinks.length, opened.length]).toEqual([1, 2]);
	opened[1]?.events.ready(server);
	opened[1]?.upstream.sinks[0]?.done(result);
	const ends = [['fail -32603'], ['done'], ['fail -32603'], ['done'], ['done']];
	expect(sinks.map(({ seen }) => seen)).toEqual(ends);
});

test('what waits goes on elsewhere once no connection is to be waited for', async () => {
	const { one, opened } = lanes(1);
	const first = new FakeUpstream();
	const elsewhere = new FakeUpstream();
	const sinks = Array.from({ length: 4 }, sink);
	const tickets = sinks.map(({ one: to }) => one.start(first, call, to));
	one.lost();
	one.strand((what, to) => elsewhere.start(what, to));
	expect([one.queued, elsewhere.sinks.length]).toEqual([2, 0]);
	opened[0]?.events.failed(gone);
	await turn();
	expect([one.queued, elsewhere.sinks.length]).toEqual([0, 2]);
	elsewhere.sinks[0]?.done(result);
	tickets[3]?.cancel();
	expect(sinks.slice(2).map(({ seen }) => seen)).toEqual([['done'], ['fail -32800']]);
});

test('calls that were taken back while they waited leave room for others', () => {
	const { one } = lanes(0);
	const first = new FakeUpstream();
	one.start(first, call, sink().one);
	const tickets = Array.from({ length: 1000 }, () => one.start(first, call, sink().one));
	const [refused, waits] = [sink(), sink()];
	one.start(first, call, refused.one);
	expect(refused.seen).toEqual(['fail -32603']);
	for (const ticket of tickets) ticket.cancel();
	expect(one.queued).toBe(0);
	one.start(first, call, waits.one);
	first.sinks[0]?.done(result);
	first.sinks[1]?.done(result);
	expect(waits.seen).toEqual(['done']);
});
