import { afterEach, expect, test } from 'vitest';
import { startMcp } from './mcp-listener.ts';
import type { McpListener, McpOptions } from './mcp-listener.ts';
import { ask, startAdmin } from './harness.ts';
import type { AdminUnderTest, Answer } from './harness.ts';

const json = { 'content-type': 'application/json' };
const wanted = { bind: 'bind/1', listener: 'listener0', route: 'default/route0' };
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
	for (const one of open.splice(0)) await one.close();
});

async function start(
	options: McpOptions = {},
	more: Parameters<typeof startAdmin>[0] = {},
): Promise<{ admin: AdminUnderTest; mcp: McpListener }> {
	const mcp = await startMcp(options);
	const admin = await startAdmin(more);
	open.push(admin, mcp);
	const route = {
		key: 'default/route0',
		name: 'route0',
		label: 'Route 1',
		hostnames: options.hostname === undefined ? [] : [options.hostname],
		matches: ['/*'],
		policies: [],
		backends: [],
		url: '',
		path: '/mcp',
	};
	const listener = { name: 'listener0', gateway: 'default/default', protocol: 'HTTP', hostname: null, routes: [route] };
	admin.state.binds = [{ key: 'bind/1', port: 1, addresses: [`0.0.0.0:${mcp.port}`], listeners: [listener] }];
	return { admin, mcp };
}

function connect(admin: AdminUnderTest, body: object = wanted): Promise<Answer> {
	return ask(admin.port, '/api/playground/connect', { method: 'POST', headers: json, body: JSON.stringify(body) });
}

async function connected(admin: AdminUnderTest): Promise<string> {
	const answer = await connect(admin);
	expect(answer.status, answer.text).toBe(200);
	return JSON.parse(answer.text).id;
}

function call(admin: AdminUnderTest, id: string, method: string, params: object = {}, signal?: AbortSignal) {
	const body = JSON.stringify({ method, params });
	return ask(admin.port, `/api/playground/sessions/${id}/call`, { method: 'POST', headers: json, body, signal });
}

test('connecting opens an MCP session through the listener and lists every page', async () => {
	const { admin, mcp } = await start({ pages: 3 });
	const answer = await connect(admin);
	expect(answer.status).toBe(200);
	const session = JSON.parse(answer.text);
	expect(session).toMatchObject({
		protocolVersion: '2025-11-25',
		serverInfo: { name: 'fake', version: '1' },
		instructions: 'be kind',
		capabilities: { tools: {} },
		endpoint: `http://localhost:${mcp.port}/mcp`,
	});
	expect(session.tools.map((tool: { name: string }) => tool.name)).toEqual(['tool0', 'tool1', 'tool2']);
	expect(session.durationMs).toBeGreaterThan(0);
	expect(mcp.seen.map(({ method }) => method)).toEqual([
		'initialize',
		'notifications/initialized',
		'tools/list',
		'tools/list',
		'tools/list',
	]);
	const [first, ...rest] = mcp.seen;
	expect(first?.headers).not.toHaveProperty('mcp-session-id');
	expect(first?.headers).not.toHaveProperty('origin');
	for (const { headers, path } of rest) {
		expect(path).toBe('/mcp');
		expect(headers['mcp-session-id']).toBe('session-1');
		expect(headers['mcp-protocol-version']).toBe('2025-11-25');
		expect(headers.accept).toBe('application/json, text/event-stream');
	}
});

test('the Host is one that the route matches, and the token goes along', async () => {
	const { admin, mcp } = await start({ hostname: '*.example' });
	expect((await connect(admin, { ...wanted, bearerToken: 'abc.def' })).status).toBe(200);
	for (const { headers } of mcp.seen) {
		expect(headers.host).toBe(`playground.example:${mcp.port}`);
		expect(headers.authorization).toBe('Bearer abc.def');
	}
});

test('a call brings its reply as it is, with what came before it', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	const plain = JSON.parse((await call(admin, id, 'tools/call', { name: 'json', arguments: { a: 1 } })).text);
	expect(plain).toMatchObject({ httpStatus: 200, response: { result: { echoed: { a: 1 } } }, notifications: [] });
	const streamed = JSON.parse((await call(admin, id, 'tools/call', { name: 'sse' })).text);
	expect(streamed.response.result).toEqual({ content: [{ type: 'text', text: 'ünï\ncode' }] });
	expect(streamed.notifications).toMatchObject([
		{ method: 'notifications/message' },
		{ method: 'sampling/createMessage', id: 's-1' },
		{ method: 'ping', id: 77 },
	]);
	await expect.poll(() => mcp.answers).toHaveLength(2);
	expect(mcp.answers).toContainEqual({
		jsonrpc: '2.0',
		id: 's-1',
		error: { code: -32601, message: 'The Playground does not support sampling/createMessage' },
	});
	expect(mcp.answers).toContainEqual({ jsonrpc: '2.0', id: 77, result: {} });
});

test('numbers too large for JavaScript go through both ways as they are', async () => {
	const { admin, mcp } = await start({ large: Buffer.from('{ "n": 9007199254740993,\n"f": 1.10 }') });
	const id = await connected(admin);
	const answer = await ask(admin.port, `/api/playground/sessions/${id}/call`, {
		method: 'POST',
		headers: json,
		body: '{"method":"tools/call","params":{"name":"large","arguments":{"id":12345678901234567890}}}',
	});
	expect(answer.text).toContain('"result":{ "n": 9007199254740993, "f": 1.10 }');
	expect(mcp.texts.at(-1)).toContain('"arguments":{"id":12345678901234567890}');
});

test('a reply of 7 MB is passed on, and one beyond 8 MiB refused', async () => {
	const items = (count: number) => Buffer.from(`{"a":[${'1,'.repeat(count)}1]}`);
	const small = await start({ large: items(3_500_000) });
	const shown = await call(small.admin, await connected(small.admin), 'tools/call', { name: 'large' });
	expect(shown.status).toBe(200);
	expect(JSON.parse(shown.text).response.result.a).toHaveLength(3_500_001);
	const large = await start({ large: items(4_200_000) });
	const refused = await call(large.admin, await connected(large.admin), 'tools/call', { name: 'large' });
	expect(refused.status).toBe(502);
	expect(JSON.parse(refused.text)).toMatchObject({
		error: 'The reply is longer than the 8 MiB that the Playground shows.',
		remedy: 'Use an MCP client for it.',
	});
});

test('ten thousand tools are shown, and those that are none or made to be hard to read are not', async () => {
	const keys = Array.from({ length: 9 }, (_, at) => `"key${at}":${at}`).join();
	const good = Array.from({ length: 10_000 }, (_, at) => `{"name":"tool${at}",${keys}}`);
	const hard = `{"name":"hard",${Array.from({ length: 2000 }, (_, at) => `"k${at}":1`).join()}}`;
	const odd = ['{"name":"twice","name":"twice"}', '{"title":"nameless"}', '7', 'null', hard];
	const { admin } = await start({ tools: [...odd, ...good].join() });
	const answer = await connect(admin);
	expect(answer.status).toBe(200);
	const { tools } = JSON.parse(answer.text) as { tools: { name: string; key8: number }[] };
	expect(tools).toHaveLength(10_000);
	expect(tools[9999]).toMatchObject({ name: 'tool9999', key8: 8 });
});

test('an answer that is no message says at which place', async () => {
	const { admin } = await start({ tools: '],"tools":[' });
	const answer = await connect(admin);
	expect(answer.status).toBe(502);
	expect(JSON.parse(answer.text)).toMatchObject({
		error: 'The answer is not an MCP message.',
		detail: expect.stringMatching(/^duplicate-key at byte \d+; tools\/list: HTTP 200: \{"jsonrpc"/),
	});
});

test('pages of tools that are too long together are refused', async () => {
	const { admin } = await start({ pages: 10, description: 'x'.repeat(1024 * 1024) });
	const answer = await connect(admin);
	expect(answer.status).toBe(502);
	expect(JSON.parse(answer.text).error).toBe('The list of tools is longer than the 8 MiB that the Playground shows.');
});

test('an error of the server is a result, not a failure', async () => {
	const { admin } = await start();
	const answer = await call(admin, await connected(admin), 'tools/call', { name: 'wrong' });
	expect(answer.status).toBe(200);
	expect(JSON.parse(answer.text).response.error).toEqual({ code: -32602, message: 'Unknown tool: wrong' });
});

test('a page that goes away cancels its call', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	const leaving = new AbortController();
	const pending = call(admin, id, 'tools/call', { name: 'hang' }, leaving.signal);
	await expect.poll(() => mcp.seen.at(-1)?.method).toBe('tools/call');
	const hung = mcp.seen.at(-1)?.body.id;
	leaving.abort();
	await expect(pending).rejects.toThrow();
	await expect
		.poll(() => mcp.seen.at(-1)?.body)
		.toMatchObject({
			method: 'notifications/cancelled',
			params: { requestId: hung },
		});
});

test('disconnecting ends the MCP session too', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	expect((await ask(admin.port, `/api/playground/sessions/${id}`, { method: 'DELETE' })).status).toBe(200);
	await expect.poll(() => mcp.deleted).toEqual(['session-1']);
	expect((await call(admin, id, 'tools/list')).status).toBe(404);
	expect((await ask(admin.port, `/api/playground/sessions/${id}`, { method: 'DELETE' })).status).toBe(404);
});

test('an idle session ends', async () => {
	let clock = 0;
	const { admin, mcp } = await start({}, { now: () => clock, playgroundIdleMs: 40 });
	const id = await connected(admin);
	await new Promise((resolve) => setTimeout(resolve, 100));
	expect((await call(admin, id, 'tools/list')).status).toBe(200);
	clock = 1000;
	await expect.poll(() => mcp.deleted).toEqual(['session-1']);
	expect((await call(admin, id, 'tools/list')).status).toBe(404);
});

test('when the gateway has forgotten the session, lists come anyway and calls say so', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	mcp.forget();
	const listed = JSON.parse((await call(admin, id, 'tools/list')).text);
	expect(listed.response.result.tools).toHaveLength(1);
	expect(mcp.seen.at(-1)?.headers['mcp-session-id']).toBe('session-2');
	mcp.forget();
	const refused = await call(admin, id, 'tools/call', { name: 'json' });
	expect(refused.status).toBe(410);
	expect(JSON.parse(refused.text)).toMatchObject({ remedy: 'Connect again, then repeat the call.' });
	expect(mcp.seen.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
});

test('lists that find the session forgotten at the same time share a new one', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	mcp.forget();
	const lists = await Promise.all(Array.from({ length: 5 }, () => call(admin, id, 'tools/list')));
	expect(lists.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
	expect(mcp.seen.filter(({ method }) => method === 'initialize')).toHaveLength(2);
});

test('the 21st session takes the place of the one unused longest', async () => {
	const { admin, mcp } = await start();
	const first = await connected(admin);
	const second = await connected(admin);
	for (let count = 2; count < 20; count++) await connected(admin);
	expect((await call(admin, first, 'tools/list')).status).toBe(200);
	await connected(admin);
	expect((await call(admin, first, 'tools/list')).status).toBe(200);
	expect((await call(admin, second, 'tools/list')).status).toBe(404);
	expect(mcp.deleted).toEqual(['session-2']);
});

test.each<[string, McpOptions, number, string, string]>([
	['the gateway asks for a token', { status: 401 }, 502, 'HTTP 401', 'bearer token'],
	['a policy forbids', { status: 403 }, 502, 'HTTP 403', 'policy'],
	['no route matches', { status: 404 }, 502, 'HTTP 404', 'route'],
	['the target is broken', { status: 502 }, 502, 'HTTP 502', 'Backends'],
	['the reply is no MCP', { garbage: true }, 502, 'not an MCP message', 'log'],
	['initialize is refused', { initializeError: 'no such server' }, 502, 'no such server', 'Backends'],
	['cursors go round', { pages: 1e9, sameCursor: true }, 502, 'no end', 'cursors'],
	['pages never end', { pages: 1e9 }, 502, 'no end', 'cursors'],
])('connecting fails with a reason: %s', async (_title, options, status, error, remedy) => {
	const { admin } = await start(options);
	const answer = await connect(admin);
	expect(answer.status).toBe(status);
	const body = JSON.parse(answer.text);
	expect(body.error).toContain(error);
	expect(body.remedy).toContain(remedy);
});

test('nothing listens', async () => {
	const { admin, mcp } = await start();
	await mcp.close();
	const answer = await connect(admin);
	expect(answer.status).toBe(502);
	expect(JSON.parse(answer.text).error).toBe(`Nothing listens on 127.0.0.1 port ${mcp.port}.`);
});

test('the gateway does not answer in time', async () => {
	const { admin } = await start({}, { playgroundTimeoutMs: 80 });
	const answer = await call(admin, await connected(admin), 'tools/call', { name: 'hang' });
	expect(answer.status).toBe(504);
});

test('a server without tools has none', async () => {
	const { admin, mcp } = await start({ noTools: true });
	const answer = await connect(admin);
	expect(JSON.parse(answer.text).tools).toEqual([]);
	expect(mcp.seen.map(({ method }) => method)).not.toContain('tools/list');
});

test.each([
	['an unknown route', { ...wanted, route: 'x' }, 404],
	['no route', {}, 400],
	['a token with a line break', { ...wanted, bearerToken: 'a\r\nx: y' }, 400],
	['no object', [], 400],
])('a connect body is checked: %s', async (_title, body, status) => {
	const { admin, mcp } = await start();
	expect((await connect(admin, body)).status).toBe(status);
	expect(mcp.seen).toEqual([]);
});

test.each([
	['no method', {}],
	['a notification', { method: 'notifications/cancelled' }],
	['initialize', { method: 'initialize' }],
	['params that are a list', { method: 'tools/list', params: [] }],
	['a method with a line break', { method: 'tools/list\n' }],
])('a call body is checked: %s', async (_title, body) => {
	const { admin } = await start();
	const id = await connected(admin);
	const answer = await ask(admin.port, `/api/playground/sessions/${id}/call`, {
		method: 'POST',
		headers: json,
		body: JSON.stringify(body),
	});
	expect(answer.status).toBe(400);
});

test('a body over 1 MiB is refused', async () => {
	const { admin } = await start();
	const id = await connected(admin);
	const answer = await call(admin, id, 'tools/call', { name: 'json', arguments: { a: 'x'.repeat(1024 * 1024) } });
	expect(answer.status).toBe(413);
});

test('closing the admin port ends the MCP sessions', async () => {
	const { admin, mcp } = await start();
	await connected(admin);
	admin.admin.close();
	await expect.poll(() => mcp.deleted).toEqual(['session-1']);
});

test.each([
	['a key twice', '{"method":"tools/list","method":"tools/call"}', 'duplicate-key at byte 23'],
	['no JSON', '{"method":', 'syntax at byte 10'],
	['more than 128 levels', `{"params":${'['.repeat(200)}${']'.repeat(200)}}`, /^depth at byte \d+$/],
	['a list', '[]', 'no object'],
])('a body that is no object says why: %s', async (_title, body, detail) => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	const sent = mcp.seen.length;
	const path = `/api/playground/sessions/${id}/call`;
	const answer = await ask(admin.port, path, { method: 'POST', headers: json, body });
	expect(answer.status).toBe(400);
	const told = JSON.parse(answer.text) as { error: string; remedy: string; detail: string };
	expect(told.error).toBe('The body is not a JSON object.');
	expect(told.remedy).toContain('no key twice');
	expect(told.detail).toMatch(detail);
	expect(mcp.seen).toHaveLength(sent);
});

test('a key of an object that JavaScript knows is passed on like any other', async () => {
	const { admin, mcp } = await start();
	const id = await connected(admin);
	const body = '{"method":"tools/call","params":{"name":"json","arguments":{"__proto__":{"a":1},"constructor":2}}}';
	const path = `/api/playground/sessions/${id}/call`;
	expect((await ask(admin.port, path, { method: 'POST', headers: json, body })).status).toBe(200);
	expect(mcp.texts.at(-1)).toContain('"arguments":{"__proto__":{"a":1},"constructor":2}');
	expect(({} as { a?: number }).a).toBeUndefined();
});
