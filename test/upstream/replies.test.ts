import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpMcpServer, type HttpMcpServerOptions, type Override } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { inFrontOf } from '../support/targets.ts';
import { targetOf } from '../support/state.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: HttpMcpServerOptions = { eras: ['legacy'] }): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options);
	closing.push(() => server.close());
	return server;
}

async function behind(server: { url: string }) {
	const gateway = await inFrontOf('mcp', server.url, closing);
	return { gateway, url: `${gateway.url()}/mcp` };
}

/** Redirects what comes to `/mcp`; the rest is served. */
function redirecting(server: HttpMcpServer, status: number, to: string): { count: number } {
	const seen = { count: 0 };
	server.intercept = (request: IncomingMessage, response: ServerResponse) => {
		if (request.url !== '/mcp') return false;
		seen.count++;
		request.resume();
		response.writeHead(status, { location: to }).end('<a href="/">moved</a>');
		return true;
	};
	return seen;
}

describe('redirects', () => {
	test.each([301, 302, 307, 308])('%i within the origin is followed, and remembered', async (status) => {
		for (const era of ['legacy', 'modern'] as const) {
			const server = await serve({ eras: [era] });
			const seen = redirecting(server, status, '/mcp/?x=1');
			const { url } = await behind(server);
			const one = await LegacyClient.open(url);
			expect(await one.tool('echo', '{"a":1.0}')).toContain('"arguments":{"a":1.0}');
			const before = seen.count;
			expect(await one.tool('echo')).toContain('echo');
			expect(await new ModernClient(url).toolNames()).toContain('echo');
			expect(server.of('tools/call')).toHaveLength(2);
			// A connection of its own for those without sessions asks once more.
			expect(seen.count - before).toBeLessThanOrEqual(2);
		}
	});

	test('one to another origin is refused, with the URL to write', async () => {
		const [server, other] = [await serve(), await serve()];
		redirecting(server, 307, other.url);
		const { gateway } = await behind(server);
		await expect
			.poll(async () => (await targetOf(gateway, 'a')).reason)
			.toContain(`it redirects to another origin: ${other.url}`);
		expect((await targetOf(gateway, 'a')).remedy).toContain('write this URL in the configuration of the target');
		expect(other.received).toEqual([]);
	});

	test('one in a circle ends', async () => {
		const server = await serve();
		const seen = redirecting(server, 308, '/mcp');
		const { gateway } = await behind(server);
		await expect.poll(async () => (await targetOf(gateway, 'a')).reason).toContain('it redirects more than 3 times');
		expect(seen.count % 4).toBe(0);
	});

	test('303 is no answer to a message', async () => {
		const server = await serve();
		redirecting(server, 303, '/mcp/');
		const { gateway } = await behind(server);
		await expect.poll(async () => (await targetOf(gateway, 'a')).reason).toContain('HTTP 303');
		expect(server.received).toEqual([]);
	});
});

describe('compressed answers, which were not asked for', () => {
	const coders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;
	const answer = (id: unknown) =>
		`{"jsonrpc":"2.0","id":${String(id)},"result":{"content":[{"type":"text","text":"ok"}]}}`;

	test.each(Object.entries(coders))('%s is decoded, as JSON and as events', async (coding, code) => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const reply =
			(type: string, before: string, after: string): Override =>
			({ id }, response) =>
				response
					.writeHead(200, { 'content-type': type, 'content-encoding': coding })
					.end(code(`${before}${answer(id)}${after}`));
		server.override('tools/call', reply('application/json', '', ''));
		expect(await one.tool('echo')).toBe('ok');
		server.override('tools/call', reply('text/event-stream', 'data: ', '\n\n'));
		expect(await one.tool('echo')).toBe('ok');
		expect(server.of('tools/call')[0]?.headers['accept-encoding']).toBe('identity');
	});

	test('what is broken, unknown or unpacks without end fails the call', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const failing = async (coding: string, body: Buffer, type = 'application/json') => {
			server.override('tools/call', (_message, response) =>
				response.writeHead(200, { 'content-type': type, 'content-encoding': coding }).end(body),
			);
			return (await one.request('tools/call', '{"name":"echo"}')).message.error?.message;
		};
		expect(await failing('gzip', Buffer.from('no gzip'))).toContain('it sent gzip content that is broken');
		expect(await failing('zstd', Buffer.from('x'))).toContain('it sent zstd content, which was not asked for');
		const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, 0x20));
		expect(bomb.length).toBeLessThan(100_000);
		expect(await failing('gzip', bomb)).toContain('unpacks to more than 100 times its size');
		for (const blank of ['\n', '\r', ':\n'])
			expect(await failing('gzip', gzipSync(Buffer.alloc(8 * 1024 * 1024, blank)), 'text/event-stream')).toMatch(
				/unpacks to more than 100 times its size/,
			);
		server.override('tools/call', null);
		expect(await one.tool('echo')).toContain('echo');
	});
});

describe('odd answers', () => {
	test('notifications may be answered with anything', async () => {
		const server = await serve();
		for (const [status, type, body] of [
			[200, 'application/json', 'null'],
			[200, 'application/json', ''],
			[204, '', ''],
		] as const) {
			server.override('notifications/initialized', (_message, response) =>
				response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(body),
			);
			const { url, gateway } = await behind(server);
			expect(await (await LegacyClient.open(url)).tool('echo')).toContain('echo');
			expect((await targetOf(gateway, 'a')).state).toBe('ready');
		}
	});

	test('a batch, a byte order mark, empty events and events of other kinds', async () => {
		const server = await serve();
		const { url } = await behind(server);
		const one = await LegacyClient.open(url);
		const text = (id: unknown) =>
			`{"jsonrpc":"2.0","id":${String(id)},"result":{"content":[{"type":"text","text":"mine"}]}}`;
		const bodies: ((id: unknown) => readonly [string, string])[] = [
			(id) => ['application/json', `[${text(999_999)}, ${text(id)}]`],
			(id) => ['application/json; charset=utf-8', `\uFEFF${text(id)}`],
			(id) => ['text/event-stream', `\uFEFFdata:\r\n\r\nevent: ping\r\ndata: now\r\n\r\ndata: ${text(id)}\r\n\r\n`],
			(id) => ['text/event-stream', `data: [${text(999_999)},\ndata: ${text(id)}]\n\n`],
		];
		for (const body of bodies) {
			server.override('tools/call', ({ id }, response) => {
				const [type, bytes] = body(id);
				response.writeHead(200, { 'content-type': type }).end(bytes);
			});
			expect(await one.tool('echo')).toBe('mine');
		}
	});
});

test.each(['5', 'null', '"done"', '[{"content":[]}]'])(
	'a result of %s is told by the gateway, not passed on',
	async (result) => {
		for (const era of ['legacy', 'modern'] as const) {
			const server = await serve({ eras: [era] });
			const { url } = await behind(server);
			for (const one of [await LegacyClient.open(url), new ModernClient(url)]) {
				server.override('tools/call', ({ id }, response) => {
					response.writeHead(200, { 'content-type': 'application/json' });
					response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`);
				});
				const { message } = await one.request('tools/call', '{"name":"echo"}');
				expect(message.error).toMatchObject({ code: -32603, message: expect.stringContaining('no object') as string });
				server.override('tools/call', null);
				expect(await one.tool('echo')).toContain('echo');
			}
		}
	},
);
