import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { gatewayFor, httpTarget, stdioTarget } from './backends.ts';
import { type Loose, modern, send, Session, type Stream, stream } from './wire.ts';

let gateway: RunningGateway;
let a: HttpMcpServer;
let b: HttpMcpServer;
const names = (items: { name: string }[]) => items.map(({ name }) => name);
const uris = (items: { uri: string }[]) => items.map(({ uri }) => uri);

const pair = 0;
const bare = 1;
const pairWithoutSessions = 2;
const single = 3;
const always = 4;
const bareWithoutSessions = 5;
const children = 6;

beforeAll(async () => {
	a = await HttpMcpServer.start({ eras: ['legacy'], tools: ['echo', 'both', 'one', 'two'], pageSize: 3 });
	b = await HttpMcpServer.start({ eras: ['legacy'], tools: ['other', 'both'] });
	const targets = [httpTarget('a', a.url), httpTarget('b', b.url)];
	const old = (name: string) => stdioTarget(name, conformanceServer, '--era', 'legacy');
	gateway = await gatewayFor([
		{ targets },
		{ targets, prefixMode: 'never' },
		{ targets, statefulMode: 'stateless' },
		{ targets: [httpTarget('a', a.url)] },
		{ targets: [httpTarget('a', a.url)], prefixMode: 'always' },
		{ targets, prefixMode: 'never', statefulMode: 'stateless' },
		{ targets: [old('a'), old('b')] },
	]);
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([a.close(), b.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;

describe('several targets', () => {
	let session: Session;
	beforeEach(async () => {
		session = await Session.open(at(pair));
	});
	afterEach(async () => void (await session.end()));

	test('names are prefixed with their target, and both are called', async () => {
		const { tools } = await session.result('tools/list');
		expect(names(tools)).toEqual(['a_echo', 'a_both', 'a_one', 'a_two', 'b_other', 'b_both']);
		for (const [exposed, own] of [
			['a_both', 'both'],
			['b_both', 'both'],
			['b_other', 'other'],
		]) {
			const { content } = await session.result('tools/call', { name: exposed, arguments: {} });
			expect(content[0].text).toContain(`"name":"${own}"`);
		}
		const { messages } = await session.result('prompts/get', { name: 'b_greet' });
		expect(messages[0].content.text).toBe('prompt greet');
	});

	test.each(['both', 'c_echo', '_echo', 'a', 'a-echo', ''])(
		'a call of %j is refused as unknown, not as a fault',
		async (name) => {
			const { status, last } = await session.request('tools/call', { name, arguments: {} });
			expect(status).toBe(200);
			expect(last.error).toMatchObject({ code: -32602, message: expect.stringContaining(`Unknown tool: ${name}`) });
		},
	);

	test('a name behind a good prefix is judged by its server', async () => {
		answer(a, 'tools/call', () => null);
		const { last } = await session.request('tools/call', { name: 'a_nothing', arguments: {} });
		a.override('tools/call', null);
		expect(last.error).toMatchObject({ code: -32602, message: expect.stringContaining('"name":"nothing"') });
	});

	test('resources carry their target, are read by that, and by nothing else', async () => {
		const { resources } = await session.result('resources/list');
		expect(uris(resources)).toEqual(['a+file:///a?x=1+2', 'b+file:///a?x=1+2']);
		const { contents } = await session.result('resources/read', { uri: 'b+file:///a?x=1+2' });
		expect(contents).toEqual([{ uri: 'b+file:///a?x=1+2', text: 'content of file:///a?x=1+2' }]);
		const { resourceTemplates } = await session.result('resources/templates/list');
		expect(resourceTemplates.map((one: Loose) => one.uriTemplate)).toEqual(['a+file:///{path}', 'b+file:///{path}']);
		for (const uri of ['file:///a?x=1+2', 'c+file:///a', '+file:///a']) {
			expect((await session.request('resources/read', { uri })).last.error).toMatchObject({ code: -32602 });
		}
	});

	test('an opaque URI, one with + in its scheme and a percent sign come back whole', async () => {
		const served = ['memo:insights', 'svn+ssh://h/x', 'mailto:a%2Bb@c', 'urn:uuid:1', 'a+b:c'];
		answer(a, 'resources/list', () => ({ resources: served.map((uri) => ({ uri, name: uri })) }));
		const fresh = await Session.open(at(pair));
		const { resources } = await fresh.result('resources/list');
		a.override('resources/list', null);
		expect(uris(resources).slice(0, served.length)).toEqual(served.map((uri) => `a+${uri}`));
		for (const uri of served) {
			const { contents } = await fresh.result('resources/read', { uri: `a+${uri}` });
			expect(contents[0]).toEqual({ uri: `a+${uri}`, text: `content of ${uri}` });
		}
		await fresh.end();
	});

	test('a reference without scheme is wrapped, too, and can be read', async () => {
		answer(a, 'resources/list', () => ({ resources: [{ uri: 'notes/today', name: 'today' }] }));
		const fresh = await Session.open(at(pair));
		const { resources } = await fresh.result('resources/list');
		a.override('resources/list', null);
		expect(uris(resources)[0]).toBe('a+notes/today');
		const { contents } = await fresh.result('resources/read', { uri: 'a+notes/today' });
		expect(contents[0].text).toBe('content of notes/today');
		await fresh.end();
	});

	test('capabilities tell of lists that change and of subscriptions', async () => {
		expect(session.greeting.capabilities).toMatchObject({
			tools: { listChanged: true },
			prompts: { listChanged: true },
			resources: { listChanged: true, subscribe: true },
			logging: {},
			completions: {},
		});
		expect(session.greeting.serverInfo).toMatchObject({ name: 'agentgateway' });
	});

	// Subscribing without a stream leads nowhere, and is offered all the same.
	test('without sessions nothing is promised that only a stream could bring', async () => {
		const { greeting } = await Session.open(at(pairWithoutSessions));
		expect(greeting.capabilities.tools).toBeDefined();
		expect(JSON.stringify(greeting.capabilities)).not.toContain('subscribe');
	});

	test('an unknown method is -32601, and reaches nobody', async () => {
		const before = a.received.length;
		const { status, last } = await session.request('vendor/method');
		expect([status, last.error.code]).toEqual([200, -32601]);
		expect(a.received).toHaveLength(before);
	});

	test('the log level and roots of the client go to every target', async () => {
		await session.result('logging/setLevel', { level: 'warning' });
		await session.notify('notifications/roots/list_changed');
		for (const server of [a, b]) {
			await expect.poll(() => server.of('logging/setLevel').at(-1)?.params['level']).toBe('warning');
			await expect.poll(() => server.of('notifications/roots/list_changed').length).toBeGreaterThan(0);
		}
	});

	test('a cancellation reaches the owner of its call only, under the id that it has there', async () => {
		const { id } = { id: 'mine' };
		answer(a, 'tools/list', () => ({ tools: [] }));
		a.override('tools/call', () => {});
		const before = b.of('notifications/cancelled').length;
		const call = send(session.url, {
			headers: session.headers,
			body: { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'a_slow', arguments: {} } },
		});
		await expect.poll(() => a.of('tools/call').at(-1)?.params['name']).toBe('slow');
		await session.notify('notifications/cancelled', { requestId: id, reason: 'enough' });
		const sent = a.of('tools/call').at(-1)?.id;
		await expect
			.poll(() => a.of('notifications/cancelled').at(-1)?.params)
			.toMatchObject({ requestId: sent, reason: 'enough' });
		expect(b.of('notifications/cancelled')).toHaveLength(before);
		await call;
		a.override('tools/call', null);
		a.override('tools/list', null);
	});
});

describe('prefixMode: never', () => {
	test.each([
		['with sessions', bare],
		['without sessions', bareWithoutSessions],
	])(
		'%s: bare names find their owner, on the second page, too; doubles are hidden and refused',
		async (_name, bind) => {
			const session = await Session.open(at(bind));
			const { tools } = await session.result('tools/list');
			expect(names(tools)).toEqual(['echo', 'one', 'two', 'other']);
			for (const name of ['two', 'other']) {
				const { content } = await session.result('tools/call', { name, arguments: {} });
				expect(content[0].text).toContain(`"name":"${name}"`);
			}
			const { last, status } = await session.request('tools/call', { name: 'both', arguments: {} });
			expect([status, last.error.code]).toEqual([200, -32602]);
			expect(last.error.message).toMatch(/^Unknown tool: both; .*"a".*"b"/);
			expect((await session.request('prompts/get', { name: 'greet' })).last.error).toMatchObject({ code: -32602 });
		},
	);

	test('a prompt that one server has is found without prefix', async () => {
		answer(b, 'prompts/list', () => ({ prompts: [{ name: 'special' }, { name: 'part' }] }));
		const session = await Session.open(at(bare));
		expect(names((await session.result('prompts/list')).prompts)).toEqual(['greet', 'special']);
		for (const name of ['special', 'greet']) {
			const { messages } = await session.result('prompts/get', { name });
			expect(messages[0].content.text).toBe(`prompt ${name}`);
		}
		b.override('prompts/list', null);
		expect(b.of('prompts/get').at(-1)?.params['name']).toBe('special');
		expect(a.of('prompts/get').at(-1)?.params['name']).toBe('greet');
	});

	test('pages of apps are still told apart', async () => {
		answer(b, 'resources/list', () => ({ resources: [{ uri: 'ui://host/page', name: 'page' }] }));
		const session = await Session.open(at(bare));
		const { resources } = await session.result('resources/list');
		b.override('resources/list', null);
		expect(uris(resources)).toContain('ui://b+host/page');
		const { contents } = await session.result('resources/read', { uri: 'ui://b+host/page' });
		expect(contents[0]).toEqual({ uri: 'ui://b+host/page', text: 'content of ui://host/page' });
	});

	test('calls ask no server for its list once it is known', async () => {
		const session = await Session.open(at(bare));
		await session.result('tools/list');
		const before = a.of('tools/list').length + b.of('tools/list').length;
		for (let i = 0; i < 5; i++) await session.result('tools/call', { name: 'other', arguments: {} });
		expect(a.of('tools/list').length + b.of('tools/list').length).toBe(before);
	});
});

describe('one target', () => {
	test('names, URIs, capabilities and serverInfo are its own, as it wrote them', async () => {
		const session = await Session.open(at(single));
		expect(session.greeting).toEqual({
			protocolVersion: '2025-11-25',
			capabilities: {
				tools: { listChanged: true },
				prompts: {},
				resources: { subscribe: true },
				logging: {},
				completions: {},
			},
			serverInfo: { name: 'http-fixture', version: '1.2.3' },
		});
		const { tools, nextCursor } = await session.result('tools/list');
		expect(names(tools)).toEqual(['echo', 'both', 'one']);
		expect(nextCursor).toBe('3');
		const { resources } = await session.result('resources/list');
		expect(uris(resources)).toEqual(['file:///a?x=1+2']);
	});

	test('pages of apps keep their URIs, wherever they are named', async () => {
		const ui = { resourceUri: 'ui://app/page', visibility: ['app'] };
		answer(a, 'tools/list', () => ({ tools: [{ name: 'shown', inputSchema: { type: 'object' }, _meta: { ui } }] }));
		const session = await Session.open(at(single));
		const { tools } = await session.result('tools/list');
		a.override('tools/list', null);
		expect(tools[0]._meta).toEqual({ ui });
		const { contents } = await session.result('resources/read', { uri: 'ui://app/page' });
		expect(contents[0]).toEqual({ uri: 'ui://app/page', text: 'content of ui://app/page' });
	});

	test('prefixMode: always wraps its names and URIs all the same', async () => {
		const session = await Session.open(at(always));
		const { tools } = await session.result('tools/list');
		expect(names(tools)).toEqual(['a_echo', 'a_both', 'a_one', 'a_two']);
		expect(uris((await session.result('resources/list')).resources)).toEqual(['a+file:///a?x=1+2']);
		expect((await session.request('tools/call', { name: 'zzz', arguments: {} })).last.error.code).toBe(-32602);
	});
});

describe('subscriptions of old clients', () => {
	const watched = 'test://watched-resource';
	const updatesOf = (stream: Stream) =>
		stream.seen.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params.uri);

	test('go to the owner of the resource, and come back under the URI of the client', async () => {
		const session = await Session.open(at(children));
		const stream = await session.listen();
		await session.result('resources/subscribe', { uri: `b+${watched}` });
		await session.result('tools/call', { name: 'a_test_trigger_resource_change', arguments: {} });
		await session.result('tools/call', { name: 'b_test_trigger_resource_change', arguments: {} });
		await expect.poll(() => updatesOf(stream)).toEqual([`b+${watched}`]);
		await session.result('resources/unsubscribe', { uri: `b+${watched}` });
		// Changes of a list within a tenth of a second are told together.
		await setTimeout(150);
		const told = stream.seen.length;
		await session.result('tools/call', { name: 'b_test_trigger_resource_change', arguments: {} });
		await expect.poll(() => stream.seen[told]?.method).toMatch(/list_changed$/);
		expect(updatesOf(stream)).toEqual([`b+${watched}`]);
		for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
			expect((await session.request(method, { uri: watched })).last.error).toMatchObject({ code: -32602 });
		}
		stream.close();
		await session.end();
	});

	test('of one target keep its URI', async () => {
		const session = await Session.open(at(single));
		const stream = await session.listen();
		answer(a, 'resources/subscribe', () => ({}));
		await session.result('resources/subscribe', { uri: 'file:///a' });
		const update = { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a' } };
		await expect.poll(() => a.streams.size).toBeGreaterThan(0);
		for (const { response } of a.streams) response.write(`data: ${JSON.stringify(update)}\n\n`);
		await expect.poll(() => stream.seen).toEqual([update]);
		stream.close();
		await session.end();
	});
});

describe('subscriptions/listen', () => {
	const watched = 'test://watched-resource';
	const uri = (target: string) => `${target}+${watched}`;

	test('each target hears its part of the filter; what comes is filtered, tagged and in the client’s names', async () => {
		const filter = { toolsListChanged: true, resourceSubscriptions: [uri('b'), uri('a'), uri('b'), uri('c'), watched] };
		const sent = modern('subscriptions/listen', { notifications: filter });
		const { id } = sent.body as { id: number };
		const listening = await stream(at(children), sent);
		await expect.poll(() => listening.seen.length).toBe(1);
		const meta = { 'io.modelcontextprotocol/subscriptionId': id };
		expect(listening.seen[0]).toEqual({
			jsonrpc: '2.0',
			method: 'notifications/subscriptions/acknowledged',
			params: { _meta: meta, notifications: { toolsListChanged: true, resourceSubscriptions: expect.any(Array) } },
		});
		expect(listening.seen[0].params.notifications.resourceSubscriptions.toSorted()).toEqual([uri('a'), uri('b')]);
		const call = (name: string) => send(at(children), modern('tools/call', { name, arguments: {} }));
		await call('a_test_trigger_prompt_change');
		await call('a_test_trigger_resource_change');
		await call('b_test_trigger_tool_change');
		await expect.poll(() => listening.seen.length).toBe(3);
		expect(listening.seen.slice(1)).toEqual([
			{ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { _meta: meta, uri: uri('a') } },
			{ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: meta } },
		]);
		listening.close();
	});
});
