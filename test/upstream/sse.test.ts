import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { afterEach, describe, expect, test } from 'vitest';
import { everythingServer, root } from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { SseMcpServer, type SseMcpServerOptions } from '../support/sse-mcp-server.ts';
import { inFrontOf } from '../support/targets.ts';
import { targetOf } from '../support/state.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: SseMcpServerOptions = {}, port = 0): Promise<SseMcpServer> {
	const server = await SseMcpServer.start(options, port);
	closing.push(() => server.close());
	return server;
}

async function behind(server: { url: string }, kind: 'mcp' | 'sse' = 'sse') {
	const gateway = await inFrontOf(kind, server.url, closing);
	return { gateway, url: `${gateway.url()}/mcp` };
}

describe('a server over HTTP+SSE', () => {
	test('serves clients of both eras, and is never asked for its era', async () => {
		const server = await serve();
		const { gateway, url } = await behind(server);
		for (const one of [await LegacyClient.open(url), new ModernClient(url)]) {
			expect(await one.toolNames()).toEqual(['echo', 'slow', 'progress', 'last']);
			expect(await one.tool('echo', '{"n":1.0}')).toContain('"arguments":{"n":1}');
			expect((await one.request('tools/call', '{"name":"echo"}', '"text id"')).message.id).toBe('text id');
		}
		expect(server.of('server/discover')).toEqual([]);
		expect(await targetOf(gateway, 'a')).toMatchObject({
			kind: 'sse',
			endpoint: server.url,
			state: 'ready',
			server: { name: 'sse-fixture', version: '1', protocolVersion: '2024-11-05' },
		});
	});

	const endpoints: (readonly [string, SseMcpServerOptions])[] = [
		['a path', {}],
		['an absolute URL', { endpoint: (origin, session) => `${origin}/message?sessionId=${session}` }],
		['a query alone', { endpoint: (_origin, session) => `?sessionId=${session}` }],
		['a relative path', { endpoint: (_origin, session) => `messages/?sessionId=${session}`, path: '/a/sse' }],
		['a path after noise', { preamble: '\uFEFF: hello\n\nevent: ping\ndata: now\n\nretry: 10\nid: 1\n\n' }],
		['a path, and answers 200', { accepted: 200 }],
	];
	test.each(endpoints)('that gives %s as endpoint', async (_name, options) => {
		const server = await serve(options);
		const { url } = await behind(server);
		expect(await (await LegacyClient.open(url)).tool('echo')).toContain('"name":"echo"');
		expect(server.of('tools/call')[0]?.path).toContain('sessionId=');
	});

	test('that sends its client elsewhere is refused, with the reason', async () => {
		const elsewhere = await serve();
		const server = await serve({ endpoint: () => `${elsewhere.origin}/message?sessionId=s1` });
		const { gateway } = await behind(server);
		await expect
			.poll(async () => (await targetOf(gateway, 'a')).reason)
			.toContain(`its endpoint event leads to another origin: ${elsewhere.origin}/message`);
		expect((await targetOf(gateway, 'a')).remedy).toContain(elsewhere.origin);
		expect(elsewhere.received).toEqual([]);
	});

	test('hands progress to the call, the rest to the session', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const reply = await one.request('tools/call', '{"name":"progress","arguments":{},"_meta":{"progressToken":"p"}}');
		expect(JSON.parse(reply.before[0] ?? '')).toMatchObject({ params: { progressToken: 'p', progress: 1 } });
		const { seen, close } = await one.listen();
		await expect
			.poll(() => {
				server.say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'loose' } });
				return seen.some((text) => text.includes('loose'));
			})
			.toBe(true);
		close();
	});

	test('a batch is its messages; answers to nobody are dropped', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const pending = one.request('tools/call', '{"name":"slow"}');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		const id = server.of('tools/call')[0]?.id;
		const foreign = { jsonrpc: '2.0', id: 999_999, result: { content: [{ type: 'text', text: 'foreign' }] } };
		server.say(foreign);
		server.say([foreign, 7, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'mine' }] } }]);
		expect((await pending).message.result?.content?.[0]?.text).toBe('mine');
	});

	test('a cancelled call is taken back', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const pending = one.request('tools/call', '{"name":"slow"}', '77');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'mcp-session-id': one.session },
			body: '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}',
		});
		expect((await pending).message.error?.code).toBe(-32800);
		await expect.poll(() => server.of('notifications/cancelled').length).toBe(1);
		expect(server.of('notifications/cancelled')[0]?.params).toEqual({ requestId: server.of('tools/call')[0]?.id });
	});

	test('a stream that ends fails what is open and is opened again', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const slow = one.request('tools/call', '{"name":"slow"}');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		const last = await one.request('tools/call', '{"name":"last"}');
		for (const { message } of [last, await slow]) expect(message.error?.message).toContain('its event stream ended');
		await expect.poll(() => one.tool('echo').catch(() => ''), { timeout: 10_000 }).toContain('echo');
	});

	test('the end of a session ends its stream', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		await one.tool('echo');
		expect(server.streams.size).toBeGreaterThan(0);
		await one.end();
		await expect.poll(() => server.streams.size).toBe(0);
	});

	test('a message that is refused fails its call alone', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		expect(await one.tool('echo')).toContain('echo');
		server.intercept = (request, response) => {
			if (request.method !== 'POST') return false;
			response.writeHead(503).end('busy');
			return true;
		};
		expect((await one.request('tools/call', '{"name":"echo"}')).message.error?.message).toMatch(/HTTP 503.*busy/);
		server.intercept = null;
		expect(await one.tool('echo')).toContain('echo');
	});

	test('one that is no event stream says so', async () => {
		const server = await serve();
		const { gateway } = await behind({ url: `${server.origin}/nothing` });
		await expect.poll(async () => (await targetOf(gateway, 'a')).reason).toContain('HTTP 405');
	});
});

describe('a target that is configured as Streamable HTTP', () => {
	test.each([400, 404, 405])(
		'is spoken to over HTTP+SSE where it refuses with %i and gives a stream',
		async (refused) => {
			const server = await serve({ refused });
			const { gateway, url } = await behind(server, 'mcp');
			const one = await LegacyClient.open(url);
			expect(await one.tool('echo')).toContain('"name":"echo"');
			await gateway.waitFor(/speaks HTTP\+SSE/);
			// It is known from now on: one stream a session, and nothing else is tried.
			const posts = server.opened;
			expect(await (await LegacyClient.open(url)).tool('echo')).toContain('echo');
			expect(server.opened).toBe(posts + 1);
			expect(gateway.log().match(/speaks HTTP\+SSE/g)).toHaveLength(1);
		},
	);

	test('keeps its own reason where that fails too', async () => {
		const server = await serve({ refused: 404 });
		const { gateway } = await behind({ url: `${server.origin}/other` }, 'mcp');
		await expect.poll(async () => (await targetOf(gateway, 'a')).reason).toContain('HTTP 404: no');
	});
});

describe('real servers', () => {
	test('of the SDK 1.32', async () => {
		// oxlint-disable-next-line typescript/no-deprecated -- old servers use it, which is why it is here
		const transports = new Map<string, SSEServerTransport>();
		const http = createServer((request, response) => {
			const url = new URL(request.url ?? '/', 'http://localhost');
			if (request.method === 'GET' && url.pathname === '/sse') {
				const server = new McpServer({ name: 'sdk-sse', version: '1' });
				server.registerTool('sum', { description: 'adds' }, async () => ({ content: [{ type: 'text', text: '5' }] }));
				// oxlint-disable-next-line typescript/no-deprecated
				const transport = new SSEServerTransport('/messages', response);
				transports.set(transport.sessionId, transport);
				void server.connect(transport);
			} else void transports.get(url.searchParams.get('sessionId') ?? '')?.handlePostMessage(request, response);
		});
		await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
		closing.push(() => {
			http.closeAllConnections();
			return new Promise((resolve) => http.close(resolve));
		});
		const { url } = await behind({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/sse` });
		for (const one of [await LegacyClient.open(url), new ModernClient(url)]) {
			expect(await one.toolNames()).toEqual(['sum']);
			expect(await one.tool('sum', '{"a":2,"b":3}')).toBe('5');
		}
	});

	test('server-everything', async () => {
		const child = spawn(
			process.execPath,
			['--import', join(root, 'test/fixtures/loopback.mjs'), everythingServer, 'sse'],
			{ env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'ignore', 'pipe'] },
		);
		closing.push(() => {
			const gone = new Promise((resolve) => child.on('exit', resolve));
			child.kill('SIGKILL');
			return gone;
		});
		const origin = await new Promise<string>((resolve) => {
			let text = '';
			child.stderr.on('data', (chunk) => {
				text += chunk;
				const found = /listens at (\S+)/.exec(text);
				if (found?.[1] !== undefined) resolve(found[1]);
			});
		});
		const { url } = await behind({ url: `${origin}/sse` });
		const one = await LegacyClient.open(url);
		expect(await one.toolNames()).toContain('echo');
		expect(await one.tool('echo', '{"message":"over sse"}')).toBe('Echo: over sse');
		const long = await one.request(
			'tools/call',
			'{"name":"trigger-long-running-operation","arguments":{"duration":1,"steps":3},"_meta":{"progressToken":9}}',
		);
		expect(long.before.map((text) => JSON.parse(text).params.progress)).toEqual([1, 2, 3]);
		const prompt = await one.request('prompts/list', '{}');
		expect(prompt.text).toContain('simple-prompt');
	});
});
