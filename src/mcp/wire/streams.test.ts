import { afterEach, describe, expect, test, vi } from 'vitest';
import { type EndpointChoice, TestEndpoint } from '../../../test/support/endpoint.ts';
import type { FakeExchange } from '../../../test/support/fake-exchange.ts';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import type { Sink } from '../model.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

/** A server whose calls wait for the test, which finds them by the name of their tool. */
class Waiting extends FakeTarget {
	readonly sinks = new Map<string, Sink>();

	constructor() {
		super('a', { tools: { listChanged: true } }, (method, params, sink) => {
			if (method !== 'tools/call') return {};
			this.sinks.set(String(params['name']), sink);
			return 'never';
		});
	}

	private changes = 0;

	note(tool: string, progress: number): void {
		const params = Buffer.from(`{"progressToken":"t","progress":${progress}}`);
		this.sinks.get(tool)?.note({ method: 'notifications/progress', params });
	}

	done(tool: string, size = 0): void {
		const text = Buffer.from(`{"content":[],"text":"${'x'.repeat(size)}"}`);
		this.sinks.get(tool)?.done({ text, type: 'complete', stamped: false });
	}

	/** Another list each time: changes of one list in a row are told together. */
	listChanged(): void {
		const list = ['tools', 'prompts', 'resources'][this.changes++ % 3];
		this.events?.note({ method: `notifications/${list}/list_changed`, params: null });
	}
}

async function open(choice: EndpointChoice = {}, version?: string) {
	const server = new Waiting();
	const one = new TestEndpoint([server], { beat: 20, ...choice });
	closing.push(() => one.close());
	const headers = await one.open(version);
	const call = (name: string, id: number, extra: Record<string, string> = {}) => {
		const params = { name, _meta: { progressToken: 't' } };
		return one.begin('POST', { ...headers, ...extra }, { jsonrpc: '2.0', id, method: 'tools/call', params });
	};
	const get = (lastEventId?: string) =>
		one.begin('GET', lastEventId === undefined ? headers : { ...headers, 'last-event-id': lastEventId });
	return { one, server, headers, call, get };
}

const progress = (exchange: FakeExchange) =>
	exchange.events().flatMap(({ data = '' }) => /"progress":(\d+)/.exec(data)?.[1] ?? []);
const lastId = (exchange: FakeExchange) => exchange.events().at(-1)?.id ?? '';
const stream = 'text/event-stream';

describe('the reply to a request', () => {
	test('begins as a stream with an event from which it can be resumed', async () => {
		const { call, server } = await open();
		const reply = call('work', 1);
		server.note('work', 1);
		server.done('work');
		const events = reply.events();
		expect(events.map(({ id }) => id?.split('-')[1])).toEqual(['1', '2', '3']);
		expect(events[0]).toEqual({ id: expect.any(String), retry: '1000', data: '' });
		expect(JSON.parse(events[2]?.data ?? '')).toMatchObject({ id: 1, result: {} });
	});

	test.each(['2025-06-18', '2025-03-26', '2024-11-05'])('has ids but no empty event for %s', async (version) => {
		const { call, server } = await open({}, version);
		const reply = call('work', 1);
		server.note('work', 1);
		server.done('work');
		expect(reply.events().map(({ id, data }) => [id?.split('-')[1], data === ''])).toEqual([
			['1', false],
			['2', false],
		]);
	});

	test.each([
		['application/json, text/event-stream', 'application/json'],
		['*/*', 'application/json'],
		['application/json', 'application/json'],
		['text/event-stream, application/json', stream],
		['text/event-stream', stream],
	])('to a client that accepts %s is %s', async (accept, type) => {
		const { one, headers } = await open();
		const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
		const reply = await one.post({ ...headers, accept }, ping);
		expect([reply.replyHeaders['content-type'], reply.messages().at(-1)]).toEqual([
			type,
			{ jsonrpc: '2.0', id: 1, result: {} },
		]);
	});

	test('is a stream at once for a client that likes streams, before anything is said', async () => {
		const { call } = await open();
		expect(call('work', 1, { accept: 'text/event-stream, application/json' }).events()).toEqual([
			{ id: expect.any(String), retry: '1000', data: '' },
		]);
	});

	test('becomes a stream after a second of silence, so that it can be resumed', async () => {
		const { call } = await open();
		const begun = performance.now();
		const [reply, jsonOnly] = [call('work', 1), call('other', 2, { accept: 'application/json' })];
		await vi.waitFor(() => expect(reply.events()).toHaveLength(1), { timeout: 3000 });
		expect(performance.now() - begun).toBeGreaterThan(950);
		expect(jsonOnly.status).toBe(0);
	});

	test('stays as it is in revisions whose clients could not resume it without a message', async () => {
		const { call } = await open({}, '2025-06-18');
		const reply = call('work', 1);
		await new Promise((resolve) => setTimeout(resolve, 1300));
		expect(reply.status).toBe(0);
	});

	test('that is short never gets an id', async () => {
		const { call, server } = await open();
		const reply = call('work', 1);
		server.done('work');
		expect([reply.replyHeaders['content-type'], reply.written]).toEqual([
			'application/json',
			'{"jsonrpc":"2.0","id":1,"result":{"content":[],"text":""}}',
		]);
	});

	test('has no ids where nothing is kept', async () => {
		const { call, server, get } = await open({ limits: { replayEvents: 0 } });
		const reply = call('work', 1);
		server.note('work', 1);
		server.done('work');
		expect(reply.events().map((event) => 'id' in event)).toEqual([false, false]);
		expect(get('1-1').written).toContain(': the events after Last-Event-ID are no longer kept');
	});
});

describe('a client that lost the reply', () => {
	test('gets what it has missed, then what comes, and the end', async () => {
		const { call, server, get } = await open();
		const reply = call('work', 1);
		server.note('work', 1);
		const seen = lastId(reply);
		reply.leave();
		server.note('work', 2);
		expect(server.cancelled).toBe(0);
		const again = get(seen);
		expect(progress(again)).toEqual(['2']);
		server.note('work', 3);
		server.done('work');
		expect(again.ended).toBe(true);
		expect(progress(again)).toEqual(['2', '3']);
		expect(again.messages().at(-1)).toMatchObject({ id: 1, result: {} });
		expect(progress(reply)).toEqual(['1']);
	});

	test('gets the response that came while it was away, and only that stream', async () => {
		const { call, server, get } = await open();
		const [one, two] = [call('one', 1), call('two', 2)];
		server.note('one', 1);
		server.note('two', 10);
		const seen = lastId(one);
		one.leave();
		two.leave();
		server.done('two');
		server.done('one');
		const again = get(seen);
		expect(again.ended).toBe(true);
		expect(again.messages()).toMatchObject([{ id: 1, result: {} }]);
		expect(get(lastId(again)).messages()).toEqual([]);
	});

	test('may lose it as often as it likes', async () => {
		const { call, server, get } = await open();
		let current = call('work', 1);
		const heard: string[] = [];
		for (let step = 1; step <= 20; step++) {
			server.note('work', step);
			const seen = lastId(current);
			if (step % 3 === 0) current.leave();
			server.note('work', step + 100);
			heard.push(...progress(current));
			current.leave();
			current = get(seen);
		}
		heard.push(...progress(current));
		const all = [...Array(20).keys()].flatMap((step) => [`${step + 1}`, `${step + 101}`]);
		expect([...new Set(heard)].toSorted()).toEqual(all.toSorted());
	});

	test('and comes back while the gateway still believes in the old connection gets a new one', async () => {
		const { call, server, get } = await open();
		const reply = call('work', 1);
		server.note('work', 1);
		const again = get(lastId(reply));
		server.note('work', 2);
		expect([reply.ended, progress(reply), progress(again)]).toEqual([true, ['1'], ['2']]);
		reply.leave();
		server.note('work', 3);
		expect(progress(again)).toEqual(['2', '3']);
	});

	test.each([
		['unknown', '7-7'],
		['none', 'what'],
	])('with an id that is %s gets the stream of the session, and is told', async (_what, id) => {
		const { call, server, get } = await open({ limits: { replayEvents: 2 } });
		call('work', 1);
		for (let step = 1; step <= 5; step++) server.note('work', step);
		const lost = get(id);
		expect(lost.written).toMatch(/^: the events after Last-Event-ID are no longer kept; some messages may/);
		server.listChanged();
		expect(lost.messages().at(-1)).toMatchObject({ method: 'notifications/tools/list_changed' });
	});

	test('gets the response although much of what came before it is no longer kept', async () => {
		const { call, server, get } = await open({ limits: { replayEvents: 2 } });
		const reply = call('work', 1);
		for (let step = 1; step <= 5; step++) server.note('work', step);
		const first = reply.events()[0]?.id ?? '';
		const again = get(first);
		server.note('work', 6);
		expect(progress(again)).toEqual(['4', '5', '6']);
		again.leave();
		server.done('work');
		const last = get(first);
		expect([last.ended, last.messages().at(-1)]).toEqual([true, expect.objectContaining({ id: 1 })]);
	});

	test('cannot resume it in another session', async () => {
		const { one, call, server } = await open();
		const reply = call('work', 1);
		server.note('work', 1);
		const other = await one.open();
		const got = one.begin('GET', { ...other, 'last-event-id': reply.events()[0]?.id ?? '' });
		expect(got.written).toContain(': the events after Last-Event-ID are no longer kept');
		expect(progress(got)).toEqual([]);
	});
});

describe('a server that wants no connection kept open', () => {
	test('is taken at its word: the client hangs up, too, and comes back', async () => {
		const { call, server, get } = await open();
		const reply = call('work', 1);
		server.sinks.get('work')?.paused?.();
		expect([reply.ended, reply.events()]).toEqual([true, [{ id: expect.any(String), retry: '1000', data: '' }]]);
		server.note('work', 1);
		const again = get(lastId(reply));
		server.done('work');
		expect([progress(again), again.messages().at(-1)]).toMatchObject([['1'], { id: 1, result: {} }]);
	});

	test.each([
		['in a revision that cannot resume from the start', '2025-06-18', {}],
		['where nothing is kept', '2025-11-25', { limits: { replayEvents: 0 } }],
	])('is not, %s', async (_what, version, choice) => {
		const { call, server } = await open(choice, version);
		const [early, late] = [call('early', 1), call('late', 2)];
		server.note('late', 1);
		for (const tool of ['early', 'late']) {
			server.sinks.get(tool)?.paused?.();
			server.done(tool);
		}
		expect([early.messages(), late.messages().at(-1)]).toMatchObject([[{ id: 1 }], { id: 2, result: {} }]);
	});
});

describe('the stream of the session', () => {
	test('goes on where it was lost, with what came meanwhile', async () => {
		const { server, get } = await open();
		const first = get();
		server.listChanged();
		const seen = first.events()[0]?.id ?? '';
		first.leave();
		server.listChanged();
		const again = get(seen);
		expect(again.messages()).toHaveLength(2);
		server.listChanged();
		expect(again.messages()).toHaveLength(3);
		const ids = [...first.events(), ...again.events()].map(({ id }) => id);
		expect(new Set(ids.map((id) => id?.split('-')[0])).size).toBe(1);
	});

	test('is one, also for a client that does not resume it', async () => {
		const { server, get } = await open();
		const first = get();
		const second = get();
		server.listChanged();
		expect([first.ended, first.messages().length, second.messages().length]).toEqual([true, 0, 1]);
	});
});

describe('a client that does not read', () => {
	test('loses its stream, but neither the call nor what came', async () => {
		const { call, server, get } = await open({ limits: { maxStreamBytes: 1000 } });
		const reply = call('work', 1);
		server.note('work', 1);
		const seen = lastId(reply);
		reply.buffered = 1001;
		server.note('work', 2);
		server.note('work', 3);
		expect([reply.ended, progress(reply), server.cancelled]).toEqual([true, ['1'], 0]);
		const again = get(seen);
		server.done('work');
		expect([progress(again), again.messages().at(-1)]).toMatchObject([['2', '3'], { id: 1, result: {} }]);
	});

	test('may leave a burst of events for a moment, but not for longer', async () => {
		const { call, server } = await open({ limits: { maxStreamEvents: 10 } });
		const reply = call('work', 1);
		server.note('work', 0);
		reply.buffered = 10;
		for (let step = 1; step <= 50; step++) server.note('work', step);
		expect(progress(reply)).toHaveLength(51);
		await new Promise((resolve) => setTimeout(resolve, 1100));
		server.note('work', 51);
		expect([reply.ended, progress(reply).length]).toEqual([true, 51]);
	});

	test('and cannot resume has its call taken back', async () => {
		const { call, server } = await open({ limits: { maxStreamBytes: 1000, replayEvents: 0 } });
		const reply = call('work', 1);
		server.note('work', 1);
		reply.buffered = 1001;
		server.note('work', 2);
		expect([server.cancelled, reply.messages().at(-1)]).toMatchObject([1, { error: { code: -32800 } }]);
	});

	test('loses the stream of the session, and finds on the next what came', async () => {
		const { server, get } = await open({ limits: { maxStreamBytes: 1000 } });
		const first = get();
		first.buffered = 1001;
		server.listChanged();
		expect(first.ended).toBe(true);
		server.listChanged();
		expect(get(lastId(first)).messages()).toHaveLength(2);
	});

	test('gets a response that is larger than all that is kept', async () => {
		const { call, server } = await open({ limits: { replayBytes: 1000, maxStreamBytes: 1000 } });
		const reply = call('work', 1);
		server.note('work', 1);
		reply.buffered = 1001;
		server.done('work', 5000);
		expect(reply.messages().at(-1)).toMatchObject({ id: 1 });
	});
});
