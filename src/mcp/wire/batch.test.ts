import { afterEach, describe, expect, test } from 'vitest';
import { TestEndpoint } from '../../../test/support/endpoint.ts';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import type { Sink } from '../model.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

const version = '2025-03-26';
const call = (id: unknown, name: string) => ({
	...{ jsonrpc: '2.0', id, method: 'tools/call' },
	params: { name, _meta: { progressToken: id } },
});
const ping = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'ping' });
const cancel = (requestId: unknown) => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });

async function open(protocolVersion = version, limits = {}) {
	const sinks = new Map<string, Sink>();
	const server = new FakeTarget('a', { tools: {} }, (_method, params, sink) => {
		sinks.set(String(params['name']), sink);
		return params['name'] === 'slow' ? 'never' : { content: [{ type: 'text', text: params['name'] }] };
	});
	const one = new TestEndpoint([server], { limits });
	closing.push(() => one.close());
	const headers = await one.open(protocolVersion);
	return { one, server, sinks, send: (body: unknown) => one.begin('POST', headers, body), headers };
}

describe('a batch', () => {
	test('is answered with one array, in whatever order', async () => {
		const { send } = await open();
		const reply = await send([call(1, 'x'), ping('p'), cancel(9), call(2, 'y')]).whole();
		expect([reply.status, reply.replyHeaders['content-type']]).toEqual([200, 'application/json']);
		const all = JSON.parse(reply.written) as { id: unknown; result: unknown }[];
		expect(all.toSorted((a, b) => String(a.id).localeCompare(String(b.id)))).toEqual([
			{ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'x' }] } },
			{ jsonrpc: '2.0', id: 2, result: { content: [{ type: 'text', text: 'y' }] } },
			{ jsonrpc: '2.0', id: 'p', result: {} },
		]);
	});

	test('of one is answered with an array, too', async () => {
		const { send } = await open();
		expect((await send([ping(1)]).whole()).written).toBe('[{"jsonrpc":"2.0","id":1,"result":{}}]');
	});

	test('becomes a stream when something comes before the last response, early responses first', async () => {
		const { send, sinks } = await open();
		const reply = send([ping(1), call(2, 'slow'), call(3, 'x')]);
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(reply.status).toBe(0);
		const params = Buffer.from('{"progressToken":5,"progress":1}');
		sinks.get('slow')?.note({ method: 'notifications/progress', params });
		expect(reply.messages()).toMatchObject([
			{ id: 1, result: {} },
			{ id: 3 },
			{ method: 'notifications/progress', params: { progressToken: 2, progress: 1 } },
		]);
		sinks.get('slow')?.done({ text: Buffer.from('{}'), type: 'complete', stamped: false });
		expect([reply.ended, reply.messages().at(-1)]).toEqual([true, { jsonrpc: '2.0', id: 2, result: {} }]);
		expect(reply.events().every(({ id }) => id !== undefined)).toBe(true);
	});

	test('is a stream from the start for a client that likes streams', async () => {
		const { one, headers } = await open();
		const reply = await one.post({ ...headers, accept: 'text/event-stream' }, [ping(1), ping(2)]);
		expect(reply.messages().map(({ id }) => id)).toEqual([1, 2]);
	});

	test('without requests is taken with 202', async () => {
		const { send } = await open();
		const answer = { jsonrpc: '2.0', id: 77, result: {} };
		const reply = send([cancel(1), answer]);
		expect([reply.status, reply.written]).toEqual([202, '']);
	});

	test('can hold a request and its cancellation', async () => {
		const { send, server } = await open();
		const reply = await send([call(1, 'slow'), cancel(1)]).whole();
		expect(JSON.parse(reply.written)).toMatchObject([{ id: 1, error: { code: -32800 } }]);
		expect(server.cancelled).toBe(1);
	});

	test('gives each message that is none an error of its own', async () => {
		const { send } = await open();
		const initialize = { jsonrpc: '2.0', id: 5, method: 'initialize', params: { protocolVersion: version } };
		const reply = await send([
			1,
			{},
			[],
			ping(1),
			ping(1),
			initialize,
			call(2, 'slow'),
			call(2, 'x'),
			cancel(2),
		]).whole();
		const all = JSON.parse(reply.written) as { id: unknown; error?: { code: number } }[];
		expect(all.map(({ id, error }) => [id, error?.code])).toEqual([
			[null, -32600],
			[null, -32600],
			[null, -32600],
			[1, undefined],
			[1, undefined],
			[5, -32600],
			[2, -32600],
			[2, -32800],
		]);
	});

	test('counts its calls against the limit of the session', async () => {
		const { send } = await open(version, { maxCallsPerSession: 2 });
		const reply = await send([call(1, 'slow'), call(2, 'slow'), call(3, 'x'), cancel(1), cancel(2)]).whole();
		const all = JSON.parse(reply.written) as { id: unknown; error?: { code: number } }[];
		expect(all.map(({ id, error }) => [id, error?.code])).toEqual([
			[3, -32603],
			[1, -32800],
			[2, -32800],
		]);
	});
});

describe('a batch is refused', () => {
	const modern = { ...ping(1), params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } };
	test.each([
		['when empty', version, '[]'],
		['when empty, and spaced', version, ' [ \n ] '],
		['with more than 50 messages', version, Array.from({ length: 51 }, (_, id) => ping(id))],
		['when half of it is of a new client', version, [ping(2), modern]],
		['in a session of 2025-06-18', '2025-06-18', [ping(1)]],
		['in a session of 2025-11-25', '2025-11-25', [ping(1)]],
		['in a session of 2024-11-05', '2024-11-05', [ping(1)]],
	])('%s', async (_what, protocolVersion, body) => {
		const { send } = await open(protocolVersion);
		const reply = await send(body).whole();
		expect([reply.status, reply.messages()[0]]).toMatchObject([400, { id: null, error: { code: -32600 } }]);
	});

	test('when it is no JSON', async () => {
		const { send } = await open();
		const reply = await send('[{"jsonrpc":"2.0",]').whole();
		expect([reply.status, reply.messages()[0]]).toMatchObject([400, { error: { code: -32700 } }]);
	});

	test('outside of a session, and with a version that has none', async () => {
		const { one, headers } = await open();
		expect((await one.post({}, [ping(1)])).status).toBe(400);
		const claimed = await one.post({ ...headers, 'mcp-protocol-version': '2026-07-28' }, [ping(1)]);
		expect([claimed.status, claimed.messages()[0]]).toMatchObject([400, { error: { code: -32600 } }]);
	});

	test('and fifty pass', async () => {
		const { send } = await open();
		const reply = await send(Array.from({ length: 50 }, (_, id) => ping(id))).whole();
		expect(JSON.parse(reply.written)).toHaveLength(50);
	});
});
