import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { gatewayFor, httpTarget, stdioTarget } from './backends.ts';
import {
	capabilitiesKey,
	infoKey,
	initialize,
	type Loose,
	modern,
	modernMeta,
	type Reply,
	send,
	type Sent,
	Session,
	versionKey,
	firstOf,
} from './wire.ts';
import { stateOf } from '../support/state.ts';

let gateway: RunningGateway;
let server: HttpMcpServer;
let other: HttpMcpServer;
let old: HttpMcpServer;

const single = 0;
const mixed = 1;
const oldOnly = 2;
const asking = 3;
const dead = { name: 'dead', stdio: { cmd: '/does/not/exist' } };

beforeAll(async () => {
	const extensions = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] }, 'x/own': { a: 1 } };
	server = await HttpMcpServer.start({ eras: ['modern'], capabilities: { tools: {}, extensions } });
	other = await HttpMcpServer.start({
		eras: ['modern'],
		capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/ui': {}, 'y/own': {} } },
	});
	old = await HttpMcpServer.start({ eras: ['legacy'] });
	gateway = await gatewayFor([
		{ targets: [httpTarget('a', server.url)] },
		{
			targets: [httpTarget('a', server.url), httpTarget('b', other.url), httpTarget('old', old.url), dead],
			failureMode: 'failOpen',
		},
		{ targets: [httpTarget('old', old.url)] },
		{
			targets: [
				stdioTarget('a', conformanceServer, '--era', 'modern'),
				stdioTarget('b', conformanceServer, '--era', 'legacy'),
			],
		},
	]);
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([server.close(), other.close(), old.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;
const post = (sent: Sent, bind = single) => send(at(bind), sent);
const refusal = (reply: Reply) => ({ status: reply.status, code: reply.last?.error?.code, id: reply.last?.id });

/** A request whose `_meta` or headers a test has changed. */
function changed(sent: Sent, headers: Record<string, string | undefined>): Sent {
	const all = { ...sent.headers, ...headers };
	const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
	return { ...sent, headers: Object.fromEntries(kept) };
}

const idOf = (sent: Sent) => (sent.body as { id: number }).id;

describe('without sessions', () => {
	test('discover, lists and calls give out no session and open none', async () => {
		for (const [method, params] of [
			['server/discover', {}],
			['tools/list', {}],
			['tools/call', { name: 'echo', arguments: {} }],
		] as const) {
			const reply = await post(modern(method, params));
			expect(reply.last.result.resultType).toBe('complete');
			expect(reply.headers['mcp-session-id']).toBeUndefined();
		}
		expect(server.sessions.size).toBe(0);
		const state = await stateOf(gateway);
		expect(JSON.stringify(state)).not.toMatch(/"sessions":[1-9]/);
	});

	test('a session header is not looked at, even if it names a session', async () => {
		const session = await Session.open(at(single));
		for (const id of ['no-such-session', session.id]) {
			const reply = await post(changed(modern('tools/list'), { 'mcp-session-id': id }));
			expect([reply.status, reply.last.result?.tools.length]).toEqual([200, 4]);
		}
		await session.end();
	});

	test.each(['GET', 'DELETE'] as const)('%s with the header of the new era finds nothing', async (method) => {
		const reply = await send(at(single), { method, headers: { 'mcp-protocol-version': '2026-07-28' } });
		expect(reply.status).toBe(400);
	});
});

describe('methods', () => {
	test.each([
		'initialize',
		'ping',
		'logging/setLevel',
		'resources/subscribe',
		'resources/unsubscribe',
		'tasks/list',
		'tasks/result',
	])('%s is gone: 404, -32601, with its id', async (method) => {
		const sent = modern(method, { uri: 'file:///a', level: 'info', taskId: '1' });
		expect(refusal(await post(sent))).toEqual({ status: 404, code: -32601, id: idOf(sent) });
		expect(server.of(method).every(({ params }) => params['taskId'] !== '1')).toBe(true);
	});

	test.each([single, mixed])('one that nobody knows: 404, -32601, with its id (bind %i)', async (bind) => {
		const sent = modern('no/such');
		expect(refusal(await post(sent, bind))).toEqual({ status: 404, code: -32601, id: idOf(sent) });
	});

	test('what is missing is told before whether the method exists', async () => {
		const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'no/such' };
		const reply = await post({ headers, body: { jsonrpc: '2.0', id: 'q', method: 'no/such' } });
		expect(refusal(reply)).toEqual({ status: 400, code: -32602, id: 'q' });
	});

	test('one that was removed, with its version in the body only: 400', async () => {
		const sent = changed(modern('ping'), { 'mcp-protocol-version': undefined });
		expect((await post(sent)).status).toBe(404);
		const known = changed(modern('tools/list'), { 'mcp-protocol-version': undefined });
		expect(refusal(await post(known))).toEqual({ status: 400, code: -32020, id: idOf(known) });
	});

	test('known methods with bad params: -32602', async () => {
		for (const [method, params] of [
			['tools/call', { arguments: {} }],
			['tools/call', { name: 7 }],
			['resources/read', {}],
			['completion/complete', { ref: {} }],
			['subscriptions/listen', {}],
			['tasks/get', {}],
		] as const) {
			const sent = modern(method, params);
			expect({ method, ...refusal(await post(sent)) }).toMatchObject({ method, code: -32602, id: idOf(sent) });
		}
	});

	test('of old clients: ping works, and an unknown one is no 404', async () => {
		const session = await Session.open(at(oldOnly));
		expect(await session.result('ping')).toEqual({});
		const { status, last } = await session.request('no/such');
		expect([status, last.error.code]).toEqual([200, -32601]);
		await session.end();
	});
});

describe('the envelope', () => {
	test.each([
		['not JSON', '{"jsonrpc"'],
		['no version', { id: 1, method: 'tools/list' }],
		['another version', { jsonrpc: '1.0', id: 1, method: 'tools/list' }],
		['no method', { jsonrpc: '2.0', id: 1 }],
		['an id that is no id', { jsonrpc: '2.0', id: { a: 1 }, method: 'tools/list' }],
		['a batch', [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: modernMeta() } }]],
	])('%s: 400', async (_name, body) => {
		const reply = await post({ headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }, body });
		expect(reply.status).toBe(400);
		expect([-32700, -32600]).toContain(reply.last.error.code);
	});
});

describe('_meta', () => {
	test.each([
		['the version', { [versionKey]: undefined }],
		['a version that is a string', { [versionKey]: 7 }],
		['the capabilities', { [capabilitiesKey]: undefined }],
		['capabilities that are an object', { [capabilitiesKey]: 'all' }],
	])('without %s: 400, -32602', async (_name, meta) => {
		const sent = modern('tools/list', {}, meta);
		expect(refusal(await post(sent))).toEqual({ status: 400, code: -32602, id: idOf(sent) });
	});

	test('clientInfo may be missing', async () => {
		const reply = await post(modern('tools/call', { name: 'echo', arguments: {} }, { [infoKey]: undefined }));
		const seen = JSON.parse(reply.last.result.content[0].text);
		expect(seen.params._meta[versionKey]).toBe('2026-07-28');
		expect(seen.params._meta[infoKey]).toBeUndefined();
	});

	test('what is there reaches the server: capabilities with extensions, the client, members of others', async () => {
		const capabilities = { elicitation: { form: {} }, sampling: {}, extensions: { 'io.modelcontextprotocol/ui': {} } };
		const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
		const meta = { [capabilitiesKey]: capabilities, 'com.example/own': { n: 1 }, traceparent };
		const reply = await post(modern('tools/call', { name: 'echo', arguments: {} }, meta));
		const seen = JSON.parse(reply.last.result.content[0].text).params._meta;
		expect(seen[capabilitiesKey]).toEqual(capabilities);
		expect(seen[infoKey]).toEqual({ name: 'parity', version: '1' });
		expect(seen['com.example/own']).toEqual({ n: 1 });
		expect(seen.traceparent).toBe(traceparent);
	});

	test('capabilities of old clients reach new servers whole', async () => {
		const capabilities = { elicitation: {}, sampling: {}, roots: { listChanged: true }, extensions: { ui: {} } };
		const session = await Session.open(at(single), capabilities);
		const { content } = await session.result('tools/call', { name: 'echo', arguments: {} });
		expect(JSON.parse(content[0].text).params._meta[capabilitiesKey]).toEqual(capabilities);
		await session.end();
	});
});

describe('headers', () => {
	test('a version that is not served names those that are', async () => {
		const sent = modern('tools/list', {}, { [versionKey]: '2027-01-01' });
		const reply = await post(changed(sent, { 'mcp-protocol-version': '2027-01-01' }));
		expect(refusal(reply)).toEqual({ status: 400, code: -32022, id: idOf(sent) });
		expect(reply.last.error.data).toEqual({ supported: ['2026-07-28'], requested: '2027-01-01' });
	});

	test.each([
		['a version that is not that of the body', { 'mcp-protocol-version': '2025-11-25' }],
		['no version', { 'mcp-protocol-version': undefined }],
		['no method', { 'mcp-method': undefined }],
		['another method', { 'mcp-method': 'tools/list' }],
		['no name', { 'mcp-name': undefined }],
		['another name', { 'mcp-name': 'other' }],
		['a name in broken Base64', { 'mcp-name': '=?base64?%%%?=' }],
	])('%s: 400, -32020', async (_name, headers) => {
		const before = server.of('tools/call').length;
		const sent = modern('tools/call', { name: 'echo', arguments: {} });
		expect(refusal(await post(changed(sent, headers)))).toEqual({ status: 400, code: -32020, id: idOf(sent) });
		expect(server.of('tools/call')).toHaveLength(before);
	});

	test('a name in Base64 is understood, and servers get the names that they know', async () => {
		const sent = modern('tools/call', { name: 'a_echo', arguments: {} });
		const encoded = `=?base64?${Buffer.from('a_echo').toString('base64')}?=`;
		expect((await post(changed(sent, { 'mcp-name': encoded }), mixed)).last.result.isError).toBe(false);
		expect(server.of('tools/call').at(-1)?.headers).toMatchObject({ 'mcp-name': 'echo', 'mcp-method': 'tools/call' });
	});

	test('initialize with the version of the new era is an old client’s, and gets an old version', async () => {
		const reply = await post({ body: initialize({}, '2026-07-28') });
		expect(reply.last.result.protocolVersion).toBe('2025-11-25');
	});

	test('further requests of an old client with an unknown version: 400', async () => {
		const session = await Session.open(at(oldOnly));
		const headers = { ...session.headers, 'mcp-protocol-version': '2020-01-01' };
		const reply = await send(session.url, { headers, body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
		expect([reply.status, reply.last.error.code]).toEqual([400, -32600]);
		await session.end();
	});
});

describe('server/discover', () => {
	test('of one target: what it said, and no handshake', async () => {
		const before = server.of('initialize').length;
		const { last } = await post(modern('server/discover'));
		expect(last.result).toMatchObject({
			supportedVersions: ['2026-07-28'],
			capabilities: {
				tools: {},
				extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] }, 'x/own': { a: 1 } },
			},
			_meta: { 'io.modelcontextprotocol/serverInfo': { name: 'http-fixture', version: '1.2.3' } },
		});
		expect(server.of('initialize')).toHaveLength(before);
	});

	test('of several, old and dead ones among them: the versions that clients can speak, and what all can do', async () => {
		const { last } = await post(modern('server/discover'), mixed);
		expect(last.result.supportedVersions).toEqual(['2026-07-28']);
		expect(last.result.capabilities).toMatchObject({
			tools: { listChanged: true },
			prompts: { listChanged: true },
			extensions: { 'io.modelcontextprotocol/ui': {}, 'x/own': { a: 1 }, 'y/own': {} },
		});
	});
});

describe('servers of both eras behind one endpoint, one of them dead', () => {
	test('serve a new client', async () => {
		const { last } = await post(modern('tools/list'), mixed);
		const tools = last.result.tools.map(({ name }: Loose) => name);
		expect(tools).toEqual(expect.arrayContaining(['a_echo', 'b_echo', 'old_echo']));
		for (const name of ['a_echo', 'old_echo'])
			expect((await post(modern('tools/call', { name, arguments: {} }), mixed)).last.result.isError).toBe(false);
	});

	test('serve an old client in a session', async () => {
		const session = await Session.open(at(mixed));
		expect(session.id).not.toBe('');
		expect(session.greeting.capabilities.extensions).toHaveProperty('io.modelcontextprotocol/ui');
		const { tools } = await session.result('tools/list');
		expect(tools).toHaveLength(12);
		for (const name of ['b_echo', 'old_echo'])
			expect((await session.result('tools/call', { name, arguments: {} })).isError).toBe(false);
		await session.end();
	});
});

describe('what servers ask', () => {
	const elicitation = { [capabilitiesKey]: { elicitation: { form: {} } } };
	const name = 'test_input_required_result_elicitation';
	const answers = { action: 'accept', content: { name: 'Ada' } };

	test.each(['a', 'b'])(
		'is a result for a new client, whose next try brings the answers (target %s)',
		async (target) => {
			const params = { name: `${target}_${name}`, arguments: {} };
			const first = (await post(modern('tools/call', params, elicitation), asking)).last.result;
			expect(first.resultType).toBe('input_required');
			const [key, request] = firstOf(first.inputRequests);
			expect(request).toMatchObject({ method: 'elicitation/create', params: { message: 'What is your name?' } });
			const retry = { ...params, inputResponses: { [key]: answers }, requestState: first.requestState };
			const second = (await post(modern('tools/call', retry, elicitation), asking)).last.result;
			expect(second).toMatchObject({ resultType: 'complete', content: [{ type: 'text', text: 'Hello, Ada!' }] });
		},
	);

	test.each(['a', 'b'])('is a request to an old client on the stream of its call (target %s)', async (target) => {
		const session = await Session.open(at(asking), { elicitation: {} });
		const stream = await session.stream('tools/call', { name: `${target}_${name}`, arguments: {} });
		await expect.poll(() => stream.seen.length).toBe(1);
		const [{ id, method, params }] = stream.seen;
		expect([method, params.message]).toEqual(['elicitation/create', 'What is your name?']);
		expect((await session.answer(id, { result: answers })).status).toBe(202);
		await stream.ended;
		expect(stream.seen[1].result.content[0].text).toBe('Hello, Ada!');
		await session.end();
	});

	test('a request of a new server in mid-call ends the call with a clear error; what comes later is dropped', async () => {
		server.override('tools/call', (received, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			const ask = { jsonrpc: '2.0', id: 7, method: 'elicitation/create', params: { message: 'x' } };
			const late = { jsonrpc: '2.0', id: received.id, result: { resultType: 'complete', content: [] } };
			response.write(`data: ${JSON.stringify(ask)}\n\n`);
			setTimeout(() => response.end(`data: ${JSON.stringify(late)}\n\n`), 50);
		});
		const reply = await post(modern('tools/call', { name: 'echo', arguments: {} }, elicitation));
		server.override('tools/call', null);
		expect(reply.messages).toHaveLength(1);
		expect(reply.last.error).toMatchObject({ code: -32603, message: expect.stringContaining('elicitation/create') });
	});
});

test('vendor methods reach the only server, with what it wrote', async () => {
	answer(server, 'com.example/do', (params) => ({ resultType: 'complete', got: params['x'] }));
	const { last } = await post(modern('com.example/do', { x: 'y' }));
	server.override('com.example/do', null);
	expect(last.result).toMatchObject({ resultType: 'complete', got: 'y' });
});
