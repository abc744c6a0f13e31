import { afterEach, describe, expect, test } from 'vitest';
import { FakeExchange } from '../../test/support/fake-exchange.ts';
import { FakeTarget } from '../../test/support/fake-target.ts';
import { defaultLimits } from '../config/expand/limits.ts';
import type { McpLimits } from '../config/ir.ts';
import { Heartbeat } from '../lib/heartbeat.ts';
import { type EndpointOptions, McpEndpoint } from './endpoint.ts';
import { Findings } from './lists/findings.ts';
import { Health } from './health/health.ts';
import { createNaming } from './names.ts';
import { SharedLists } from './lists/shared-lists.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0)) await cleanup();
});

function server(name: string): FakeTarget {
	return new FakeTarget(
		name,
		{ tools: { listChanged: true }, resources: { subscribe: true } },
		(method, params, sink) => {
			if (method === 'tools/list') {
				return params['cursor'] === undefined
					? { tools: [{ name: 'one', vendor: 1 }], nextCursor: 'p2' }
					: { tools: [{ name: 'two_b' }] };
			}
			if (method === 'resources/list') return { resources: [{ uri: 'memo:x', name: 'x' }] };
			if (method === 'resources/read') return { contents: [{ uri: params['uri'], text: 't' }] };
			if (method === 'tools/call' && params['name'] === 'two_b') {
				sink.note({ method: 'notifications/progress', params: Buffer.from('{"progressToken":99,"progress":1}') });
			}
			if (params['name'] === 'hang') return 'never';
			return { content: [{ type: 'text', text: JSON.stringify(params) }] };
		},
	);
}

function endpoint(
	targets: FakeTarget[],
	extra: Partial<{ prefixMode: 'never' | 'always'; stateful: boolean; refuse: 'any' | 'all' }> &
		Partial<Pick<EndpointOptions, 'keyLasts' | 'holder' | 'scope'>> & { limits?: Partial<McpLimits> } = {},
) {
	const heartbeat = new Heartbeat((fault) => expect.unreachable(String(fault)), 50);
	const warnings: string[] = [];
	const health = new Health(
		targets.map((target) => target.name),
		() => new Date(),
		() => {},
	);
	const one = new McpEndpoint({
		federation: {
			targets,
			naming: createNaming(targets, extra.prefixMode ?? 'conditional'),
			watch: health,
			findings: new Findings(
				(message) => warnings.push(message),
				() => {},
			),
			listLimits: { pages: 100, items: 10_000, bytes: 1_000_000 },
			lists: new SharedLists(),
			strict: false,
			refuseWhenMissing: extra.refuse ?? 'never',
			startTimeout: 300,
			warn: (message) => warnings.push(message),
		},
		stateful: extra.stateful ?? true,
		sessionTtl: 60_000,
		version: '0.0.0',
		key: Buffer.alloc(32),
		keyLasts: extra.keyLasts ?? false,
		holder: extra.holder ?? 'here',
		scope: extra.scope ?? 'route/backend',
		limits: { ...defaultLimits, ...extra.limits },
		heartbeat,
		guard: () => null,
		refuse: (exchange, refusal) => exchange.respond(refusal.status, [], refusal.message),
	});
	cleanups.push(
		() => one.close(),
		() => heartbeat.stop(),
	);
	return { one, health, warnings };
}

async function post(one: McpEndpoint, headers: Record<string, string>, body: unknown): Promise<FakeExchange> {
	const exchange = new FakeExchange('POST', headers, body);
	one.handle(exchange);
	return exchange.whole();
}

async function open(one: McpEndpoint): Promise<Record<string, string>> {
	const reply = await post(
		one,
		{},
		{
			jsonrpc: '2.0',
			id: 0,
			method: 'initialize',
			params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
		},
	);
	expect(reply.status).toBe(200);
	return { 'mcp-session-id': reply.replyHeaders['mcp-session-id'] ?? '', 'mcp-protocol-version': '2025-06-18' };
}

function modern(method: string, params: Record<string, unknown>) {
	const name = (params['name'] ?? params['uri']) as string | undefined;
	return {
		headers: {
			'mcp-protocol-version': '2026-07-28',
			'mcp-method': method,
			...(name === undefined ? {} : { 'mcp-name': name }),
		},
		body: {
			jsonrpc: '2.0',
			id: 'm1',
			method,
			params: {
				...params,
				_meta: {
					'io.modelcontextprotocol/protocolVersion': '2026-07-28',
					'io.modelcontextprotocol/clientCapabilities': {},
				},
			},
		},
	};
}

describe('old clients', () => {
	test('merged lists hold every page of every target, names prefixed, unknown fields kept', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const session = await open(one);
		const reply = await post(one, session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
		expect(reply.messages()).toEqual([
			{
				jsonrpc: '2.0',
				id: 1,
				result: {
					tools: [{ name: 'a_one', vendor: 1 }, { name: 'a_two_b' }, { name: 'b_one', vendor: 1 }, { name: 'b_two_b' }],
				},
			},
		]);
	});

	test('a call reaches its owner under the name that it has there, with its id back unchanged', async () => {
		const b = server('b');
		const { one } = endpoint([server('a'), b]);
		const session = await open(one);
		const text =
			'{"jsonrpc":"2.0","id":"x\\"1","method":"tools/call","params":{"arguments":{"n":1e400,\n"m":12345678901234567890},"name":"b_one"}}';
		const reply = await post(one, session, text);
		expect(reply.status).toBe(200);
		expect(reply.messages()[0]?.['id']).toBe('x"1');
		expect(b.calls.at(-1)).toMatchObject({ method: 'tools/call', name: 'one' });
	});

	test('progress before the result makes a stream, under the token of the client', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const session = await open(one);
		const reply = await post(one, session, {
			jsonrpc: '2.0',
			id: 2,
			method: 'tools/call',
			params: { name: 'a_two_b', _meta: { progressToken: 'mine' } },
		});
		expect(reply.replyHeaders['content-type']).toBe('text/event-stream');
		expect(reply.messages().map((m) => m['method'] ?? m['id'])).toEqual(['notifications/progress', 2]);
		expect(reply.messages()[0]?.['params']).toEqual({ progressToken: 'mine', progress: 1 });
	});

	test.each([
		['a name of no target', 'tools/call', { name: 'c_one' }],
		['a name without prefix', 'tools/call', { name: 'one' }],
		['no name', 'tools/call', {}],
		['a URI without target', 'resources/read', { uri: 'memo:x' }],
		['a cursor that nobody gave', 'tools/list', { cursor: 'p2' }],
	])('%s is -32602', async (_what, method, params) => {
		const { one } = endpoint([server('a'), server('b')]);
		const reply = await post(one, await open(one), { jsonrpc: '2.0', id: 1, method, params });
		expect(reply.messages()[0]).toMatchObject({ id: 1, error: { code: -32602 } });
	});

	test('resources carry their target and are read by that URI', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const session = await open(one);
		const list = await post(one, session, { jsonrpc: '2.0', id: 1, method: 'resources/list' });
		expect(list.messages()[0]).toMatchObject({ result: { resources: [{ uri: 'a+memo:x' }, { uri: 'b+memo:x' }] } });
		const read = await post(one, session, {
			jsonrpc: '2.0',
			id: 2,
			method: 'resources/read',
			params: { uri: 'b+memo:x' },
		});
		expect(read.messages()[0]).toMatchObject({ result: { contents: [{ uri: 'b+memo:x', text: 't' }] } });
	});

	test('one target: nothing is renamed, pages stay pages, vendor methods pass', async () => {
		const { one } = endpoint([server('a')]);
		const session = await open(one);
		const list = await post(one, session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
		expect(list.messages()[0]).toMatchObject({ result: { tools: [{ name: 'one' }], nextCursor: 'p2' } });
		const vendor = await post(one, session, { jsonrpc: '2.0', id: 2, method: 'acme/do', params: { x: 1 } });
		expect(vendor.messages()[0]).toMatchObject({ result: { content: [{ text: '{"x":1}' }] } });
	});

	test('several targets: an unknown method is -32601', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const reply = await post(one, await open(one), { jsonrpc: '2.0', id: 2, method: 'acme/do' });
		expect(reply.messages()[0]).toMatchObject({ error: { code: -32601 } });
	});

	test('session errors: missing 400, malformed 400, deleted 404', async () => {
		const { one } = endpoint([server('a')]);
		const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
		expect((await post(one, {}, ping)).status).toBe(400);
		expect((await post(one, { 'mcp-session-id': 'nope' }, ping)).status).toBe(400);
		const session = await open(one);
		expect((await post(one, session, ping)).messages()).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
		const end = new FakeExchange('DELETE', session, '');
		one.handle(end);
		expect(end.status).toBe(204);
		expect((await post(one, session, ping)).status).toBe(404);
	});

	test.each(['GET', 'DELETE'])('%s with an unknown version is 400, and ends nothing', async (method) => {
		const { one } = endpoint([server('a')]);
		const session = await open(one);
		const wrong = { ...session, accept: 'text/event-stream', 'mcp-protocol-version': '1999-01-01' };
		const exchange = new FakeExchange(method, wrong, '');
		one.handle(exchange);
		expect(exchange.status).toBe(400);
		expect((await post(one, session, { jsonrpc: '2.0', id: 1, method: 'ping' })).status).toBe(200);
	});

	test('a cancelled call ends and is cancelled at the server', async () => {
		const a = server('a');
		const { one } = endpoint([a]);
		const session = await open(one);
		const call = new FakeExchange('POST', session, {
			jsonrpc: '2.0',
			id: 7,
			method: 'tools/call',
			params: { name: 'hang' },
		});
		one.handle(call);
		const note = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7, reason: 'enough' } };
		expect((await post(one, session, note)).status).toBe(202);
		expect((await call.whole()).messages()[0]).toMatchObject({ id: 7, error: { code: -32800 } });
		expect(a.cancelled).toBe(1);
	});

	test('a target that is away hurts nobody; it joins later and the session hears of it', async () => {
		const late = server('b');
		late.start = 'hangs';
		const { one } = endpoint([server('a'), late]);
		const session = await open(one);
		const list = await post(one, session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
		expect((list.messages()[0]?.['result'] as { tools: unknown[] }).tools).toHaveLength(2);
		const away = await post(one, session, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'b_one' } });
		expect(away.messages()[0]).toMatchObject({
			error: { code: -32603, message: expect.stringContaining('target "b" is not available: it has not answered yet') },
		});
		late.becomeReady();
		const stream = new FakeExchange('GET', session, '');
		one.handle(stream);
		expect(stream.messages().map((m) => m['method'])).toContain('notifications/tools/list_changed');
		const now = await post(one, session, { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'b_one' } });
		expect(now.messages()[0]).toHaveProperty('result');
	});

	test('a failed target is named with its reason', async () => {
		const broken = server('b');
		broken.start = 'failed';
		const { one, health } = endpoint([server('a'), broken]);
		const reply = await post(one, await open(one), {
			jsonrpc: '2.0',
			id: 2,
			method: 'tools/call',
			params: { name: 'b_one' },
		});
		expect(reply.messages()[0]).toMatchObject({
			error: { message: expect.stringContaining('target "b" is not available: command `uvx` was not found') },
		});
		expect(health.of('b')?.state).toBe('failed');
		expect(health.of('a')?.state).toBe('ready');
	});

	test('failClosed refuses the session and names the target', async () => {
		const broken = server('b');
		broken.start = 'failed';
		const { one } = endpoint([server('a'), broken], { refuse: 'any' });
		const reply = await post(
			one,
			{},
			{ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } },
		);
		expect(reply.messages()[0]).toMatchObject({
			error: { message: 'target "b" could not start: command `uvx` was not found' },
		});
		expect(one.openSessions).toBe(0);
	});

	test('without prefixes, plain names find their owner and doubles are hidden', async () => {
		const b = new FakeTarget('b', { tools: {} }, (method) =>
			method === 'tools/list' ? { tools: [{ name: 'only_b' }, { name: 'one' }] } : { content: [] },
		);
		const { one, warnings } = endpoint([server('a'), b], { prefixMode: 'never' });
		const session = await open(one);
		const list = await post(one, session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
		expect(list.messages()[0]).toMatchObject({ result: { tools: [{ name: 'two_b' }, { name: 'only_b' }] } });
		expect(warnings.join()).toContain('"one" is served by "a" and by "b"');
		const call = await post(one, session, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'only_b' } });
		expect(call.messages()[0]).toHaveProperty('result');
		const double = await post(one, session, { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'one' } });
		expect(double.messages()[0]).toMatchObject({ error: { code: -32602 } });
	});
});

describe('new clients', () => {
	test('discover names the versions and the merged capabilities', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const { headers, body } = modern('server/discover', {});
		const reply = await post(one, headers, body);
		expect(reply.messages()[0]).toMatchObject({
			id: 'm1',
			result: {
				resultType: 'complete',
				supportedVersions: ['2026-07-28'],
				capabilities: { tools: { listChanged: true } },
			},
		});
	});

	test('results are stamped for them', async () => {
		const { one } = endpoint([server('a'), server('b')]);
		const list = modern('tools/list', {});
		expect((await post(one, list.headers, list.body)).messages()[0]).toMatchObject({
			result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
		});
		const call = modern('tools/call', { name: 'a_one', arguments: {} });
		expect((await post(one, call.headers, call.body)).messages()[0]).toMatchObject({
			result: { resultType: 'complete' },
		});
	});

	test.each([
		['method header missing', { 'mcp-method': '' }, 400, -32020],
		['name header differs', { 'mcp-name': 'b_one' }, 400, -32020],
		['version header differs', { 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
	])('%s: %i %i', async (_what, change, status, number) => {
		const { one } = endpoint([server('a'), server('b')]);
		const { headers, body } = modern('tools/call', { name: 'a_one' });
		const reply = await post(one, { ...headers, ...change }, body);
		expect([reply.status, reply.messages()[0]?.['error']]).toMatchObject([status, { code: number }]);
	});

	test('removed methods are 404, unknown versions 400 with what is supported', async () => {
		const { one } = endpoint([server('a')]);
		const ping = modern('ping', {});
		expect((await post(one, ping.headers, ping.body)).status).toBe(404);
		const future = modern('tools/list', {});
		future.headers['mcp-protocol-version'] = '2030-01-01';
		future.body.params._meta['io.modelcontextprotocol/protocolVersion'] = '2030-01-01';
		const reply = await post(one, future.headers, future.body);
		expect([reply.status, reply.messages()[0]]).toMatchObject([
			400,
			{ id: 'm1', error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2030-01-01' } } },
		]);
	});

	test('clients that look alike share connections; going away cancels', async () => {
		const a = server('a');
		const { one } = endpoint([a]);
		const list = modern('tools/list', {});
		await post(one, list.headers, list.body);
		await post(one, list.headers, list.body);
		expect(a.opened).toBe(1);
		const call = modern('tools/call', { name: 'hang' });
		const exchange = new FakeExchange('POST', call.headers, call.body);
		one.handle(exchange);
		for (const gone of exchange.goneCallbacks) gone();
		expect(a.cancelled).toBe(1);
	});

	test('listen acknowledges and passes list changes on', async () => {
		const a = server('a');
		const { one } = endpoint([a]);
		const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true, other: true } });
		const exchange = new FakeExchange('POST', listen.headers, listen.body);
		one.handle(exchange);
		await new Promise((resolve) => setTimeout(resolve, 20));
		a.events?.note({ method: 'notifications/tools/list_changed', params: null });
		const meta = { 'io.modelcontextprotocol/subscriptionId': 'm1' };
		expect(exchange.messages().map((m) => [m['method'], m['params']])).toEqual([
			['notifications/subscriptions/acknowledged', { notifications: { toolsListChanged: true }, _meta: meta }],
			['notifications/tools/list_changed', { _meta: meta }],
		]);
	});
});
