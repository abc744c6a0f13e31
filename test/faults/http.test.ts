import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { mcpConfig, nodeTarget, type RunningGateway, runGateway, timeServer } from '../support/gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions, type Override, sendError } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { targetOf } from '../support/state.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: HttpMcpServerOptions, port = 0): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options, port);
	closing.push(() => server.close());
	return server;
}

/** A gateway with the server under test as `bad` beside a healthy `time`; waits 1 s for targets. */
async function beside(url: string, settings = ''): Promise<RunningGateway> {
	const targets = `- name: bad\n  mcp: { host: "${url}"${settings} }\n${nodeTarget('time', timeServer)}`;
	const gateway = await runGateway(mcpConfig(targets).replace('targetStartTimeout: 10s', 'targetStartTimeout: 1s'));
	closing.push(async () => {
		expect(await gateway.stop()).toBe(0);
		// What happens to targets is no fault of the gateway.
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	});
	return gateway;
}

async function timeStillWorks(gateway: RunningGateway): Promise<void> {
	const url = `${gateway.url()}/mcp`;
	const began = performance.now();
	for (const one of [await LegacyClient.open(url), new ModernClient(url)]) {
		expect(await one.tool('time_get_current_time', '{"timezone":"UTC"}')).toContain('UTC');
		expect(await one.toolNames()).toContain('time_convert_time');
	}
	expect(performance.now() - began).toBeLessThan(8000);
}

const reply =
	(status: number, type: string, body: string): Override =>
	(_message, response) =>
		response.writeHead(status, { 'content-type': type }).end(body);

describe('a server that cannot be talked to hurts nobody, and says why', () => {
	const cases: [name: string, override: Override, reason: RegExp, settings?: string][] = [
		['wants credentials', reply(401, 'text/plain', 'who are you'), /HTTP 401.*who are you/],
		['forbids', reply(403, 'text/plain', ''), /HTTP 403/],
		['is not there', reply(404, 'text/html', '<h1>nginx</h1>'), /HTTP 404/],
		['is broken', reply(500, 'text/plain', 'stack'), /HTTP 500.*stack/],
		['is behind a dead proxy', reply(502, 'text/html', 'bad gateway'), /HTTP 502/],
		['is too busy', reply(429, 'text/plain', ''), /HTTP 429/],
		['is a web page', reply(200, 'text/html', '<html>'), /text\/html/],
		['sends no JSON', reply(200, 'application/json', '{"jsonrpc":'), /JSON/],
		[
			'sends the answer to another request',
			reply(200, 'application/json', '{"jsonrpc":"2.0","id":"x","result":{}}'),
			/answered another request/,
		],
		['cuts the connection', (_message, response) => response.destroy(), /broke|closed|reset/],
		['never answers', () => {}, /did not answer within 3 s/, ', startTimeout: 3s'],
	];

	test.each(cases)(
		'one that %s',
		async (_name, override, reason, settings?: string) => {
			const server = await serve({ eras: ['legacy'] });
			for (const method of ['initialize', 'server/discover']) server.override(method, override);
			const gateway = await beside(server.url, settings ?? '');
			await timeStillWorks(gateway);
			await expect
				.poll(() => targetOf(gateway, 'bad'), { timeout: 20_000 })
				.toMatchObject({
					state: 'failed',
					reason: expect.stringMatching(reason),
				});
			const url = `${gateway.url()}/mcp`;
			const call = await (await LegacyClient.open(url)).request('tools/call', '{"name":"bad_echo"}');
			expect(call.message.error?.message).toMatch(/^target "bad" is not available: /);
			expect(call.message.error?.message).toMatch(reason);
		},
		60_000,
	);
});

describe('a server that fails in the middle', () => {
	const faults: (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
		['cuts the connection', (response) => response.destroy(), /broke/],
		[
			'cuts the answer',
			(response) =>
				void response
					.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
					.write('{"json', () => response.destroy()),
			/broke|JSON/,
		],
		[
			'ends its stream without an answer',
			(response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
			/ended before the answer/,
		],
		[
			'sends an error page',
			(response) => void response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>busy</h1>'),
			/HTTP 503/,
		],
		[
			'sends a word',
			(response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('hello'),
			/JSON/,
		],
		[
			'sends depth',
			(response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(100_000)),
			/JSON/,
		],
	];

	test.each(faults)(
		'one that %s fails this call alone',
		async (_name, fault, message) => {
			const server = await serve({ eras: ['legacy'] });
			const gateway = await beside(server.url);
			const one = await LegacyClient.open(`${gateway.url()}/mcp`);
			server.override('tools/call', (_message, response) => fault(response));
			const failed = await one.request('tools/call', '{"name":"bad_echo"}', '"mine"');
			expect(failed.message).toMatchObject({ id: 'mine', error: { code: -32603 } });
			expect(failed.message.error?.message).toMatch(message);
			expect(failed.message.error?.message).toContain('bad');
			await timeStillWorks(gateway);
			server.override('tools/call', null);
			await expect.poll(() => one.tool('bad_echo').catch(() => ''), { timeout: 15_000 }).toContain('echo');
		},
		40_000,
	);

	test('a call that hangs holds up nobody else', async () => {
		const server = await serve({ eras: ['modern'] });
		const gateway = await beside(server.url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		void one.request('tools/call', '{"name":"bad_slow"}').catch(() => {});
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		expect(await one.tool('bad_echo')).toContain('echo');
		await timeStillWorks(gateway);
	});

	test('a session that the server forgot is opened again', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await beside(server.url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		expect(await one.tool('bad_echo')).toContain('echo');
		server.sessions.clear();
		// No handler has seen it, so it is sent again, over the new session.
		expect(await one.tool('bad_echo')).toContain('echo');
		expect(server.sessions.size).toBe(1);
	}, 30_000);

	test('one that says so with 400 costs no call; where it does not help, the call fails alone', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await beside(server.url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		await one.tool('bad_echo');
		let always = false;
		server.override('tools/call', (message, response) => {
			const known = !always && server.sessions.has(String(message.headers['mcp-session-id']));
			const error = { code: -32000, message: 'Bad Request: No valid session ID provided' };
			const result = { content: [{ type: 'text', text: 'mine' }] };
			const text = known ? { jsonrpc: '2.0', id: message.id, result } : { jsonrpc: '2.0', id: null, error };
			response.writeHead(known ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(text));
		});
		server.sessions.clear();
		expect(await one.tool('bad_echo')).toBe('mine');
		const before = server.of('initialize').length;
		always = true;
		const failed = await one.request('tools/call', '{"name":"bad_echo"}');
		expect(failed.message.error?.message).toMatch(/"bad" did not answer: it answered HTTP 400/);
		expect(server.of('initialize').length - before).toBe(1);
		always = false;
		expect(await one.tool('bad_echo')).toBe('mine');
	}, 30_000);

	test('a version that is refused later is negotiated anew', async () => {
		const server = await serve({ eras: ['legacy', 'modern'] });
		const gateway = await beside(server.url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		await one.tool('bad_echo');
		server.override('server/discover', (message, response) =>
			sendError(response, message, 400, -32022, 'Unsupported protocol version', { supported: ['2025-11-25'] }),
		);
		const other = await LegacyClient.open(`${gateway.url()}/mcp`);
		expect(await other.tool('bad_echo')).toContain('echo');
	});

	test('the answer to another request never reaches a client', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await beside(server.url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		const foreign = '{"jsonrpc":"2.0","id":999999,"result":{"content":[{"type":"text","text":"secret of another"}]}}';
		server.override('tools/call', reply(200, 'application/json', foreign));
		const json = await one.request('tools/call', '{"name":"bad_echo"}');
		expect(json.message.error?.message).toContain('it answered another request');
		server.override('tools/call', (message, response) => {
			const own = `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"content":[{"type":"text","text":"mine"}]}}`;
			response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${foreign}\n\ndata: ${own}\n\n`);
		});
		expect(await one.tool('bad_echo')).toBe('mine');
	});

	test('sessions that listen leave room for calls', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await beside(server.url);
		const clients: LegacyClient[] = [];
		for (let i = 0; i < 80; i++) clients.push(await LegacyClient.open(`${gateway.url()}/mcp`));
		await expect.poll(() => server.streams.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(80);
		for (const one of clients.slice(-3)) expect(await one.tool('bad_echo')).toContain('echo');
		await Promise.all(clients.map((one) => one.end()));
	}, 60_000);

	test('a server that is replaced by one of the other era is negotiated anew', async () => {
		const old = await HttpMcpServer.start({ eras: ['legacy'] });
		const { port, url } = old;
		const gateway = await beside(url);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		expect(await one.tool('bad_echo')).toContain('echo');
		await old.close();
		const modern = await serve({ eras: ['modern'] }, port);
		await one.request('tools/call', '{"name":"bad_echo"}');
		const other = await LegacyClient.open(`${gateway.url()}/mcp`);
		await expect.poll(() => other.tool('bad_echo').catch(() => ''), { timeout: 20_000 }).toContain('echo');
		expect(modern.of('tools/call').length).toBeGreaterThan(0);
	}, 40_000);
});
