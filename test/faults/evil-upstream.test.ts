import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { FaultProxy } from './harness/fault-proxy.ts';
import { testGateway } from './harness/test-gateway.ts';

const eras = ['legacy', 'modern'] as const;
const forms = ['json', 'events'] as const;

/** What a server writes in place of a reply, byte by byte as it stands here. `own` is the right answer to the call. */
type Evil = (own: string, foreign: string) => string;

const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const length = (text: string) => `content-length: ${Buffer.byteLength(text)}\r\n`;
const whole = (text: string, more = '') => `${ok}${length(text)}${more}\r\n${text}`;
const chunk = (text: string, extension = '') => `${Buffer.byteLength(text).toString(16)}${extension}\r\n${text}\r\n`;
const chunked = `${ok}transfer-encoding: chunked\r\n`;

/** Odd, but their own answer can be told from them. */
const bearable: Record<string, Evil> = {
	'two replies in one piece': (own, foreign) => whole(own) + whole(foreign),
	'bytes after the reply': (own) => `${whole(own)}\0\0\0 and so on`,
	'interim replies': (own) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n${whole(own)}`,
	'chunk extensions and trailers': (own) => `${chunked}\r\n${chunk(own, ';a="1;2"')}0;last\r\nx-y: z\r\n\r\n`,
	'Connection: Close': (own) => whole(own, 'Connection: Close\r\n'),
	'two Connection headers': (own) => whole(own, 'connection: keep-alive\r\nconnection: close\r\n'),
	'keep-alive that has ended': (own) => whole(own, 'keep-alive: timeout=0\r\n'),
	'HTTP/1.0 with a length': (own) => whole(own).replace('HTTP/1.1', 'HTTP/1.0'),
	'a body that ends with the connection': (own) => `${ok}connection: close\r\n\r\n${own}`,
};

/** No answer can be taken from them. */
const unbearable: Record<string, Evil> = {
	'a foreign answer': (_own, foreign) => whole(foreign),
	'204 with a body': (own) => `HTTP/1.1 204 No Content\r\n${length(own)}\r\n${own}`,
	'304 with a body': (own, foreign) => `HTTP/1.1 304 Not Modified\r\n\r\n${whole(own)}${whole(foreign)}`,
	'101': () => 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
	'endless interim replies': () => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000),
	'a huge head': (own) => `${ok}${'x: y\r\n'.repeat(20_000)}${length(own)}\r\n${own}`,
	'length and chunks': (own) => `${chunked}${length(own)}\r\n${chunk(own)}0\r\n\r\n`,
	'two lengths': (own) => `${ok}${length(own)}${length(`${own} `)}\r\n${own} `,
	'a negative length': (own) => `${ok}content-length: -1\r\n\r\n${own}`,
	'a length that is too small': (own) => `${ok}content-length: 20\r\n\r\n${own}`,
	'a length that is too large': (own) => `${ok}content-length: 9999\r\n\r\n${own}`,
	'a folded header': (own) => whole(own, 'x: 1\r\n\tfolded\r\n'),
	'a NUL in a header': (own) => whole(own, 'x: \0\r\n'),
	'bare line feeds': (own) => whole(own).replaceAll('\r\n', '\n'),
	'gzip, chunked': (own) => `${ok}transfer-encoding: gzip, chunked\r\n\r\n${chunk(own)}0\r\n\r\n`,
	'broken gzip': (own) => whole(own, 'content-encoding: gzip\r\n'),
	'an unknown encoding': (own) => whole(own, 'content-encoding: zstd\r\n'),
	'chunks with a negative size': (own) => `${chunked}\r\n-5\r\n${own}\r\n0\r\n\r\n`,
	'chunks that lie': (own) => `${chunked}\r\n5\r\n${own}\r\n0\r\n\r\n`,
	'an error page': () => 'HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\n<h1/>',
	'a wrong type': (own) => whole(own).replace('application/json', 'text/html'),
	'no HTTP': () => 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
	'events without the answer': () => 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: nothing\n\n',
};

interface Wanted {
	evil?: string;
	text?: string;
}

/** A server that answers a call with the bytes that it asks for. */
async function evilServer(era: 'legacy' | 'modern'): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start({ eras: [era] });
	onTestFinished(() => server.close());
	const rest = era === 'modern' ? ',"resultType":"complete"' : '';
	server.override('tools/call', (message, response) => {
		const wanted = message.params['arguments'] as Wanted;
		const answer = (id: unknown, text: string) =>
			`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"${text}"}]${rest}}}`;
		const own = answer(message.id, wanted.text ?? '');
		const write = { ...bearable, ...unbearable }[wanted.evil ?? ''];
		if (write === undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(own);
		else raw(response, write(own, answer(Number(message.id) + 1, 'secret of another')));
	});
	return server;
}

function raw(response: ServerResponse, text: string): void {
	response.socket?.end(Buffer.from(text, 'latin1'));
}

async function evilCall(client: RpcClient, evil: string): Promise<string> {
	const { message } = await client.request(
		'tools/call',
		JSON.stringify({ name: 'echo', arguments: { evil, text: evil } }),
	);
	return message.error?.message ?? message.result?.content?.[0]?.text ?? '';
}

test.each(eras)(
	'odd bytes of a %s server: its call gets its own answer or one error, all others their own',
	async (era) => {
		const server = await evilServer(era);
		const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}", callTimeout: 5s }`));
		const clients: RpcClient[] = [await gateway.legacy(), await gateway.legacy(), gateway.modern()];
		for (const evil of [...Object.keys(bearable), ...Object.keys(unbearable)]) {
			const before = server.of('tools/call').length;
			const beside = clients.map((client, n) => client.tool('echo', `{"text":"${evil} ${n}"}`));
			const told = await Promise.all(clients.map((client) => evilCall(client, evil)));
			for (const one of told) {
				if (evil in bearable) expect(one).toBe(evil);
				else expect(one, evil).toMatch(/target "a" did not answer/);
			}
			expect(await Promise.all(beside)).toEqual(clients.map((_client, n) => `${evil} ${n}`));
			// What may have run is not run again.
			expect(server.of('tools/call').length - before, evil).toBe(6);
			expect(await Promise.all(clients.map((client) => client.tool('echo', '{"text":"after"}')))).toEqual([
				'after',
				'after',
				'after',
			]);
		}
	},
	120_000,
);

/** A gateway before a line whose faults the test sets, to a server of an era that answers in a form. */
async function faultyLine(era: (typeof eras)[number], form: (typeof forms)[number], settings: string) {
	const server = await HttpMcpServer.start({ eras: [era], reply: form });
	onTestFinished(() => server.close());
	const proxy = await FaultProxy.start(server.port);
	onTestFinished(() => proxy.close());
	const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${proxy.url}"${settings} }`));
	return { server, proxy, client: form === 'json' ? await gateway.legacy() : gateway.modern() };
}

const lines = eras.flatMap((era) => forms.map((form) => [era, form] as const));

test.each(lines)(
	'slices of one byte from a %s server that answers with %s',
	async (era, form) => {
		// A timer for each byte: how long that takes is up to the machine.
		const { proxy, client } = await faultyLine(era, form, ', callTimeout: 60s');
		proxy.set({ slice: 1 });
		expect(await client.tool('echo', '{"text":"in slices"}')).toContain('in slices');
		expect((await client.toolNames()).length).toBeGreaterThan(0);
	},
	90_000,
);

test.each(lines)(
	'a bad line to a %s server that answers with %s: a reset, an end, a drip',
	async (era, form) => {
		const { server, proxy, client } = await faultyLine(era, form, ', callTimeout: 3s');
		for (const toxics of [{ limit: 120, limitResets: true }, { limit: 120 }, { bandwidth: 1 }]) {
			// Connections that stand have passed more bytes already. A call that follows before the gateway has seen their
			// end would be sent into it, and must not be sent again.
			proxy.set({});
			await proxy.finish();
			expect(await client.tool('echo')).toContain('echo');
			await proxy.finish();
			const before = server.of('tools/call').length;
			proxy.set(toxics);
			const { message, text } = await client.request('tools/call', '{"name":"echo"}', '"once"');
			expect(message, JSON.stringify(toxics)).toMatchObject({
				id: 'once',
				error: { message: expect.stringMatching(/target "a" did not answer/) },
			});
			expect(text).not.toContain('127.0.0.1');
			expect(server.of('tools/call').length - before).toBeLessThanOrEqual(1);
		}
		proxy.set({});
		await proxy.finish();
		expect(await client.tool('echo')).toContain('echo');
	},
	60_000,
);
