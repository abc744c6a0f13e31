import { afterEach, describe, expect, test } from 'vitest';
import { type EndpointChoice, TestEndpoint } from '../../test/support/endpoint.ts';
import { FakeTarget } from '../../test/support/fake-target.ts';
import type { Ask } from './model.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

function endpoint(choice: EndpointChoice) {
	const server = new FakeTarget('a', { tools: {} }, (_method, params, sink) => {
		if (params['name'] === 'ask') sink.ask(question);
		return params['name'] === undefined ? { tools: [] } : 'never';
	});
	const one = new TestEndpoint([server], choice);
	closing.push(() => one.close());
	return { one, server };
}

const question: Ask = {
	method: 'roots/list',
	params: null,
	answer() {},
	progress() {},
	onWithdrawn() {},
};
const ping = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'ping' });
const hang = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'hang' } });

function modern(id: unknown, method: string, params: Record<string, unknown>, capabilities = {}) {
	const { name } = params;
	const headers: Record<string, string> = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
	if (typeof name === 'string') headers['mcp-name'] = name;
	const _meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientCapabilities': capabilities,
	};
	return { headers, body: { jsonrpc: '2.0', id, method, params: { ...params, _meta } } };
}

describe('limits', () => {
	test('of calls in one session: 429 beyond, and room again afterwards', async () => {
		const { one } = endpoint({ limits: { maxCallsPerSession: 2 } });
		const [headers, other] = [await one.open(), await one.open()];
		const first = one.begin('POST', headers, hang(1));
		one.begin('POST', headers, hang(2));
		const refused = await one.post(headers, hang(3));
		expect([refused.status, refused.replyHeaders['retry-after'], refused.messages()[0]]).toMatchObject([
			429,
			'5',
			{ id: 3, error: { code: -32603, message: 'too many calls are under way in this session' } },
		]);
		const streaming = await one.post({ ...headers, accept: 'text/event-stream' }, hang(4));
		expect(streaming.status).toBe(429);
		expect(one.begin('POST', other, hang(1)).status).toBe(0);
		await one.post(headers, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
		expect((await first.whole()).status).toBe(200);
		expect(one.begin('POST', headers, hang(3)).status).toBe(0);
	});

	test('of calls of clients that share connections: 429 beyond, streams of changes not counted', async () => {
		const { one } = endpoint({ limits: { maxCallsPerSession: 2 } });
		for (let id = 0; id < 5; id++) {
			const listen = modern(`l${id}`, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
			one.begin('POST', listen.headers, listen.body);
		}
		const call = modern(1, 'tools/call', { name: 'hang' });
		const first = one.begin('POST', call.headers, call.body);
		one.begin('POST', call.headers, call.body);
		const refused = await one.post(call.headers, call.body);
		expect([refused.status, refused.replyHeaders['retry-after'], refused.messages()[0]]).toMatchObject([
			429,
			'5',
			{ id: 1, error: { code: -32603 } },
		]);
		first.leave();
		expect(one.begin('POST', call.headers, call.body).status).toBe(0);
	});

	test('of what can be listened to: a filter that names more is not read to its end', async () => {
		const { one } = endpoint({});
		const uris = Array.from({ length: 100_000 }, (_, index) => `x:${index}`);
		const long = modern('long', 'subscriptions/listen', { notifications: { resourceSubscriptions: uris } });
		const began = performance.now();
		const [reply] = (await one.post(long.headers, long.body)).messages();
		expect(JSON.stringify(reply)).toMatch(/at most \d+ resources/);
		expect(performance.now() - began).toBeLessThan(2000);
	});

	test('of sets of shared connections', async () => {
		const { one, server } = endpoint({ limits: { maxPooledSessions: 2 } });
		for (const [index, capabilities] of [{}, { sampling: {} }, { roots: {} }].entries()) {
			const call = modern(1, 'tools/call', { name: 'hang' }, capabilities);
			expect(one.begin('POST', call.headers, call.body).status).toBe(index < 2 ? 0 : 429);
		}
		expect(server.opened).toBe(2);
	});

	test('of sets of shared connections that only listeners hold: a quarter is for calls', async () => {
		const { one } = endpoint({ limits: { maxPooledSessions: 4 } });
		const differing = (kind: string) => ({ experimental: { [kind]: {} } });
		const listen = (kind: string) => {
			const { headers, body } = modern(1, 'subscriptions/listen', { notifications: {} }, differing(kind));
			return one.begin('POST', { ...headers, accept: 'application/json, text/event-stream' }, body);
		};
		const listening = ['a', 'b', 'c'].map(listen);
		expect(listening.map(({ status }) => status)).toEqual([0, 0, 0]);
		const refused = await listen('d').whole();
		expect([refused.status, JSON.stringify(refused.messages()[0])]).toMatchObject([
			429,
			expect.stringContaining('maxPooledSessions') as string,
		]);
		expect(listen('a').status).toBe(0);
		const call = modern(1, 'tools/call', { name: 'hang' }, differing('d'));
		expect(one.begin('POST', call.headers, call.body).status).toBe(0);
		listening[0]?.leave();
		listening[1]?.leave();
		expect(listen('d').status).toBe(0);
	});

	test('of sessions: 503 beyond', async () => {
		const { one } = endpoint({ limits: { maxSessions: 2 } });
		const first = await one.open();
		await one.open();
		const params = { protocolVersion: '2025-11-25', capabilities: {} };
		const refused = await one.post({}, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
		expect([refused.status, refused.replyHeaders['retry-after']]).toEqual([503, '5']);
		one.begin('DELETE', first);
		await one.open();
	});

	test('of the body and of ids', async () => {
		const { one } = endpoint({ limits: { maxBodySize: 200, maxIdBytes: 10 } });
		const headers = await one.open();
		expect((await one.post(headers, ping('x'.repeat(300)))).status).toBe(413);
		expect((await one.post(headers, ping('x'.repeat(11)))).status).toBe(400);
		expect((await one.post(headers, ping('x'.repeat(10)))).status).toBe(200);
	});

	test('of a batch', async () => {
		const { one } = endpoint({ limits: { maxBatch: 2 } });
		const headers = await one.open('2025-03-26');
		expect((await one.post(headers, [ping(1), ping(2), ping(3)])).status).toBe(400);
		expect((await one.post(headers, [ping(1), ping(2)])).status).toBe(200);
	});

	test('of the time that a call waits for its client', async () => {
		const { one, server } = endpoint({ limits: { parkTimeout: 100 } });
		const call = modern(1, 'tools/call', { name: 'ask' }, { roots: {} });
		const asked = await one.post(call.headers, call.body);
		expect(asked.messages()[0]).toMatchObject({ result: { resultType: 'input_required' } });
		await new Promise((resolve) => setTimeout(resolve, 250));
		expect(server.cancelled).toBe(1);
	});

	test('a POST that accepts nothing of what there is: 406', async () => {
		const { one } = endpoint({});
		const headers = await one.open();
		expect((await one.post({ ...headers, accept: 'text/html' }, ping(1))).status).toBe(406);
		expect((await one.post({ ...headers, accept: '*/*' }, ping(1))).status).toBe(200);
	});
});

describe('without sessions', () => {
	test('clients get no id, and share connections', async () => {
		const { one, server } = endpoint({ stateful: false });
		const params = { protocolVersion: '2025-06-18', capabilities: { sampling: {} } };
		for (let client = 0; client < 3; client++) {
			const opened = await one.post({}, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
			expect(opened.messages()[0]).toMatchObject({ id: 0, result: { protocolVersion: '2025-06-18' } });
			expect(opened.replyHeaders).not.toHaveProperty('mcp-session-id');
			const list = await one.post({}, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
			expect(list.messages()[0]).toEqual({ jsonrpc: '2.0', id: 1, result: { tools: [] } });
		}
		expect([server.opened, one.mcp.openSessions]).toEqual([1, 0]);
		expect([one.begin('GET', {}).status, one.begin('DELETE', {}).status]).toEqual([405, 405]);
		expect((await one.post({}, [ping(1)])).status).toBe(400);
	});
});
