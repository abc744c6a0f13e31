import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type RunningGateway, root } from '../support/gateway.ts';
import { HttpMcpServer, sendError } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { gatewayFor, httpTarget, probed } from './backends.ts';
import { type Loose, modern, send, Session } from './wire.ts';

let gateway: RunningGateway;
let a: HttpMcpServer;
let b: HttpMcpServer;
/** Has nothing but tools. */
let toolsOnly: HttpMcpServer;

const dead = { name: 'dead', stdio: { cmd: '/does/not/exist' } };
const gone = { name: 'gone', mcp: { host: 'http://127.0.0.1:9/mcp' } };

const pair = 0;
const open = 1;
const closed = 2;
const unwritten = 3;
const allDead = 4;
const allDeadOpen = 5;
const single = 6;
const withToolsOnly = 7;
const closedPair = 8;
const closedWithToolsOnly = 9;

beforeAll(async () => {
	a = await HttpMcpServer.start({ eras: ['legacy'] });
	b = await HttpMcpServer.start({ eras: ['modern'] });
	toolsOnly = await HttpMcpServer.start({ eras: ['legacy'], tools: ['only'], capabilities: { tools: {} } });
	for (const method of ['prompts/list', 'resources/list', 'resources/templates/list'])
		toolsOnly.override(method, (message, response) => sendError(response, message, 200, -32601, 'Method not found'));
	const serverInfo = { name: 'told', version: '1', title: 'Told' };
	answer(a, 'initialize', () => ({
		protocolVersion: '2025-11-25',
		capabilities: { tools: {}, prompts: {}, resources: {} },
		serverInfo,
		instructions: 'Ask a.',
	}));
	const [one, two, three] = [httpTarget('a', a.url), httpTarget('b', b.url), httpTarget('c', toolsOnly.url)];
	a.intercept = (request) => {
		// `initialize` is overridden and gives out no session, so none is asked for.
		request.headers['mcp-session-id'] = 'session-0';
		return false;
	};
	a.sessions.add('session-0');
	gateway = await gatewayFor([
		{ targets: [one, two] },
		{ targets: [one, two, dead, gone], failureMode: 'failOpen' },
		{ targets: [one, dead], failureMode: 'failClosed' },
		{ targets: [one, dead] },
		{ targets: [dead, gone] },
		{ targets: [dead, gone], failureMode: 'failOpen' },
		{ targets: [one] },
		{ targets: [one, three] },
		{ targets: [one, two], failureMode: 'failClosed' },
		{ targets: [one, three], failureMode: 'failClosed' },
	]);
	await probed(gateway);
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([a.close(), b.close(), toolsOnly.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;
const names = (items: { name: string }[]) => items.map(({ name }) => name);

describe('a target that cannot start', () => {
	test.each([
		['failOpen', open, ['a_echo', 'b_echo']],
		['nothing is written', unwritten, ['a_echo']],
	] as const)('is left out where %s; the log names it, and its calls say why', async (_mode, bind, expected) => {
		const session = await Session.open(at(bind));
		const tools = names((await session.result('tools/list')).tools);
		expect(tools).toEqual(expect.arrayContaining([...expected]));
		expect(tools.filter((name) => name.startsWith('dead_'))).toEqual([]);
		const { status, last } = await session.request('tools/call', { name: 'dead_echo', arguments: {} });
		expect(status).toBe(200);
		expect(last.error.message).toMatch(/dead.*\/does\/not\/exist.*not found/);
		expect(gateway.log()).toMatch(/dead.*was not found/);
		expect((await session.end()).status).toBeLessThan(300);
	});

	test('fails the session where failClosed, and is named', async () => {
		const session = Session.open(at(closed));
		await expect(session).rejects.toThrow(/target \\?"dead\\?" could not start: .*was not found/);
	});

	// Nobody looks at targets that are away but `initialize`, which new clients do not send.
	test('fails the lists of a new client where failClosed', async () => {
		for (const method of ['tools/list', 'server/discover']) {
			const { last } = await send(at(closed), modern(method));
			expect(last.error?.message).toMatch(/dead.*was not found/);
		}
	});

	test('all of them: an error with the first reason where failOpen', async () => {
		await expect(Session.open(at(allDeadOpen))).rejects.toThrow(/target \\?"dead\\?" could not start/);
	});

	test('all of them: a session that waits for them where nothing is written', async () => {
		const session = await Session.open(at(allDead));
		const { last } = await session.request('tools/list');
		expect(last.error?.message ?? JSON.stringify(last.result)).toMatch(/dead|"tools":\[\]/);
		await session.end();
	});

	test('is told to new clients in the same way', async () => {
		const { last } = await send(at(open), modern('tools/call', { name: 'dead_echo', arguments: {} }));
		expect(last.error.message).toMatch(/dead.*not found/);
	});
});

test('no targets at all are refused with the file', () => {
	const config = JSON.stringify({
		binds: [{ port: 0, listeners: [{ routes: [{ backends: [{ mcp: { targets: [] } }] }] }] }],
	});
	const { status, stderr } = spawnSync(process.execPath, [
		join(root, 'bin/agentgateway.mjs'),
		'--validate-only',
		'-c',
		config,
	]);
	expect(status).not.toBe(0);
	expect(String(stderr)).toMatch(/targets/);
});

describe('a server that fails a list', () => {
	const fails = (how: 'error' | 'transport') => {
		a.override('tools/list', (message, response) => {
			if (how === 'transport') return void response.destroy();
			sendError(response, message, 200, -32000, 'no list today');
		});
	};

	test.each(['error', 'transport'] as const)('is left out, with a warning (%s)', async (how) => {
		fails(how);
		const session = await Session.open(at(pair));
		expect(names((await session.result('tools/list')).tools)).toContain('b_echo');
		await gateway.waitFor(/target "a" failed tools\/list/);
		a.override('tools/list', null);
		await session.end();
	});

	test('fails the whole where failClosed', async () => {
		fails('error');
		const session = await Session.open(at(closedPair));
		const { last } = await session.request('tools/list');
		a.override('tools/list', null);
		expect(last.error).toMatchObject({ code: -32000, message: 'no list today' });
		await session.end();
	});

	test('and is the only one, or one of none that succeed: its error is the answer', async () => {
		fails('error');
		const alone = await Session.open(at(single));
		expect((await alone.request('tools/list')).last.error.message).toBe('no list today');
		b.override('tools/list', (message, response) => sendError(response, message, 200, -32001, 'none either'));
		const both = await Session.open(at(pair));
		expect((await both.request('tools/list')).last.error.message).toBe('no list today');
		a.override('tools/list', null);
		b.override('tools/list', null);
	});
});

describe('a server is asked only for what it has', () => {
	test.each([
		['nothing is written', withToolsOnly],
		['failClosed', closedWithToolsOnly],
	] as const)('one that has tools only breaks no other list (%s)', async (_mode, bind) => {
		const session = await Session.open(at(bind));
		expect(names((await session.result('prompts/list')).prompts)).toEqual(['a_greet', 'a_part']);
		expect((await session.result('resources/list')).resources).toHaveLength(1);
		expect((await session.result('resources/templates/list')).resourceTemplates).toHaveLength(1);
		expect(names((await session.result('tools/list')).tools)).toContain('c_only');
		for (const method of ['prompts/list', 'resources/list', 'resources/templates/list', 'logging/setLevel'])
			expect(toolsOnly.of(method)).toEqual([]);
		await session.end();
	});

	test('and an endpoint promises only what some server has', async () => {
		const { greeting } = await Session.open(at(withToolsOnly));
		expect(Object.keys(greeting.capabilities).toSorted()).toEqual(['prompts', 'resources', 'tools']);
		expect(greeting.capabilities.resources).toEqual({ listChanged: true });
	});
});

describe('instructions', () => {
	test('of one server are its own, beside its own serverInfo', async () => {
		const { greeting } = await Session.open(at(single));
		expect(greeting.instructions).toBe('Ask a.');
		expect(greeting.serverInfo).toEqual({ name: 'told', version: '1', title: 'Told' });
	});

	test('of several are labelled', async () => {
		const { greeting } = await Session.open(at(pair));
		expect(greeting.instructions).toContain('[a]\nAsk a.');
		expect(greeting.instructions).toContain('server_tool');
	});

	test('are left out where no server has any', async () => {
		answer(a, 'initialize', () => ({
			protocolVersion: '2025-11-25',
			capabilities: { tools: {} },
			serverInfo: { name: 'x', version: '1' },
		}));
		const { greeting } = await Session.open(at(pair));
		expect(greeting.instructions).toBeUndefined();
	});
});

describe('results of each era', () => {
	test('old clients get neither resultType nor how long a list holds', async () => {
		const session = await Session.open(at(pair));
		for (const [method, params] of [
			['tools/list', {}],
			['tools/call', { name: 'b_echo', arguments: {} }],
			['resources/read', { uri: 'b+file:///a' }],
		] as const)
			expect(Object.keys(await session.result(method, params))).not.toEqual(
				expect.arrayContaining([expect.stringMatching(/^(resultType|ttlMs|cacheScope)$/)]),
			);
		await session.end();
	});

	test.each(['a', 'b'])('new clients get both, whoever answers (target %s)', async (target) => {
		const call = await send(at(pair), modern('tools/call', { name: `${target}_echo`, arguments: {} }));
		expect(call.last.result).toMatchObject({ resultType: 'complete', isError: false });
		expect(call.last.result.ttlMs).toBeUndefined();
		const { last } = await send(at(pair), modern('tools/list'));
		expect(last.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
	});

	test('new clients are told how long a resource holds as its server says it, or that it does not', async () => {
		const fields = { ttlMs: 7000, cacheScope: 'public' };
		answer(b, 'resources/read', () => ({ resultType: 'complete', ...fields, contents: [] }));
		const read = async (target: string) =>
			(await send(at(pair), modern('resources/read', { uri: `${target}+file:///a` }))).last.result;
		expect(await read('b')).toMatchObject({ resultType: 'complete', ...fields });
		expect(await read('a')).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
		b.override('resources/read', null);
	});

	test('the first answer counts, and a second one is dropped', async () => {
		b.override('tools/call', (message, response) => {
			const result = (text: string) => ({ resultType: 'complete', content: [{ type: 'text', text }] });
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			for (const text of ['first', 'second'])
				response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: result(text) })}\n\n`);
			response.end();
		});
		const { messages } = await send(at(pair), modern('tools/call', { name: 'b_echo', arguments: {} }));
		b.override('tools/call', null);
		expect(messages.map((one: Loose) => one.result.content[0].text)).toEqual(['first']);
	});
});

describe('headers on the way to a server', () => {
	test('the session and credentials of the client stay here; length and encoding are those of the new body', async () => {
		const own = {
			'x-own': '1',
			cookie: 'c=1',
			'mcp-session-id': 'x',
			authorization: 'Bearer t',
			'accept-encoding': 'br',
		};
		const sent = modern('tools/call', { name: 'b_echo', arguments: {} });
		await send(at(pair), { ...sent, headers: { ...sent.headers, ...own } });
		const { headers = {}, text = '' } = b.of('tools/call').at(-1) ?? {};
		expect(headers['mcp-session-id']).toBeUndefined();
		expect(headers.cookie).toBeUndefined();
		expect(headers.authorization).toBeUndefined();
		expect(headers['x-own']).toBeUndefined();
		expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
		expect(headers.host).toBe(`127.0.0.1:${b.port}`);
	});
});
