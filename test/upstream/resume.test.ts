import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpMcpServer, type Received } from '../support/http-mcp-server.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { inFrontOf } from '../support/targets.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** A request for the rest of a stream. */
interface Resumed {
	readonly lastEventId: string;
	readonly headers: IncomingMessage['headers'];
	readonly at: number;
	readonly response: ServerResponse;
}

/** An old server whose calls answer with the events that `answer` writes, and whose GETs with an id are `resume`d. */
async function gatewayWith(
	answer: (response: ServerResponse, call: Received) => void,
	resume: (resumed: Resumed, call: Received | undefined) => void,
) {
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	closing.push(() => server.close());
	const resumed: Resumed[] = [];
	server.override('tools/call', (message, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		answer(response, message);
	});
	server.intercept = ({ method, headers }, response) => {
		const lastEventId = headers['last-event-id'];
		if (method !== 'GET' || typeof lastEventId !== 'string') return false;
		const one = { lastEventId, headers, at: performance.now(), response };
		resumed.push(one);
		resume(one, server.of('tools/call').at(-1));
		return true;
	};
	const gateway = await inFrontOf('mcp', server.url, closing);
	const url = `${gateway.url()}/mcp`;
	return { server, client: await LegacyClient.open(url), resumed, url };
}

const events = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const result = (call: Received | undefined, text = 'done') =>
	`data: {"jsonrpc":"2.0","id":${call?.id},"result":{"content":[{"type":"text","text":"${text}"}]}}\n\n`;

describe('an answer whose stream ends early', () => {
	test('is fetched by the id of the last event, after the pause that the server asks for', async () => {
		let ended = 0;
		const { client, resumed, server } = await gatewayWith(
			(response) => {
				response.write('id: e1\nretry: 400\ndata: \n\n');
				setTimeout(() => {
					ended = performance.now();
					response.end();
				}, 30);
			},
			({ response }, call) => events(response).end(`id: e2\n${result(call)}`),
		);
		expect(await client.tool('echo')).toBe('done');
		expect(resumed.map(({ lastEventId }) => lastEventId)).toEqual(['e1']);
		const waited = (resumed[0]?.at ?? 0) - ended;
		expect(waited).toBeGreaterThan(380);
		expect(waited).toBeLessThan(700);
		expect(resumed[0]?.headers).toMatchObject({
			'mcp-protocol-version': '2025-11-25',
			'mcp-session-id': server.of('tools/call')[0]?.headers['mcp-session-id'],
			accept: 'text/event-stream',
		});
		expect(server.of('tools/call')).toHaveLength(1);
	});

	test('is fetched as often as it takes, and what came with it is handed on once', async () => {
		const note = (n: number) => {
			const params = `{"progressToken":"p","progress":${n}}`;
			return `id: e${n}\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":${params}}\n\n`;
		};
		const { client, resumed } = await gatewayWith(
			(response, call) => {
				const token = (call.params['_meta'] as Record<string, unknown>)['progressToken'];
				response.end(`retry: 100\n${note(1).replace('"p"', JSON.stringify(token))}`);
			},
			({ response, lastEventId }, call) => {
				const token = JSON.stringify((call?.params['_meta'] as Record<string, unknown>)['progressToken']);
				const next = Number(lastEventId.slice(1)) + 1;
				// Twelve times: more than are tried without anything new.
				events(response).end(next <= 12 ? note(next).replace('"p"', token) : result(call));
			},
		);
		const reply = await client.request('tools/call', '{"name":"echo","_meta":{"progressToken":"mine"}}');
		expect(reply.before.map((text) => JSON.parse(text).params.progress)).toEqual(
			Array.from({ length: 12 }, (_, n) => n + 1),
		);
		expect(reply.message.result?.content?.[0]?.text).toBe('done');
		expect(resumed).toHaveLength(12);
	});

	test('is fetched after a connection that broke, and past a busy server', async () => {
		const { client, resumed } = await gatewayWith(
			(response) => response.write('id: e1\nretry: 100\ndata: \n\n', () => response.destroy()),
			({ response }, call) => {
				if (resumed.length === 1) response.writeHead(503).end();
				else if (resumed.length === 2) response.destroy();
				else events(response).end(result(call));
			},
		);
		expect(await client.tool('echo')).toBe('done');
		expect(resumed.map(({ lastEventId }) => lastEventId)).toEqual(['e1', 'e1', 'e1']);
	});

	test('fails where the server gives nothing more', async () => {
		const { client, resumed } = await gatewayWith(
			(response) => response.end('id: e1\nretry: 100\ndata: \n\n'),
			({ response }) => events(response).end(': nothing\n\n'),
		);
		const reply = await client.request('tools/call', '{"name":"echo"}');
		expect(reply.message.error?.message).toContain('its event stream ended before the answer');
		expect(resumed).toHaveLength(10);
	});

	test('fails at once where the server has no such stream, or no ids', async () => {
		const { client, resumed, server } = await gatewayWith(
			(response) => response.end('id: e1\nretry: 100\ndata: \n\n'),
			({ response }) => response.writeHead(405).end(),
		);
		const reply = await client.request('tools/call', '{"name":"echo"}');
		expect(reply.message.error?.message).toContain('its event stream ended before the answer');
		expect(resumed).toHaveLength(1);
		server.override('tools/call', (_message, response) => events(response).end('retry: 100\ndata: \n\n'));
		const other = await client.request('tools/call', '{"name":"echo"}');
		expect(other.message.error?.message).toContain('its event stream ended before the answer');
		expect(resumed).toHaveLength(1);
	});

	test('is not asked for anew where the session is gone: the call may have run', async () => {
		const { client, resumed, server } = await gatewayWith(
			(response) => response.end('id: e1\nretry: 100\ndata: \n\n'),
			({ response }) => {
				server.sessions.clear();
				response.writeHead(404).end();
			},
		);
		const reply = await client.request('tools/call', '{"name":"echo"}');
		expect(reply.message.error?.message).toContain('HTTP 404');
		expect([resumed.length, server.of('tools/call').length]).toEqual([1, 1]);
	});

	test('is not fetched for a call that was cancelled', async () => {
		const { client, resumed, server, url } = await gatewayWith(
			(response) => response.end('id: e1\nretry: 300\ndata: \n\n'),
			({ response }, call) => events(response).end(result(call)),
		);
		const pending = client.request('tools/call', '{"name":"echo"}', '77');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		const aside = new Promise((resolve) => setTimeout(resolve, 600));
		await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'mcp-session-id': client.session },
			body: '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}',
		});
		expect((await pending).message.error?.code).toBe(-32800);
		await aside;
		expect(resumed).toEqual([]);
	});
});

/** A server of the SDK with an event store, whose one tool ends its own stream and answers later. */
async function pollingServer(gets: (string | undefined)[]): Promise<string> {
	const transports = new Map<string, StreamableHTTPServerTransport>();
	const http = createServer((request, response) => {
		const id = request.headers['mcp-session-id'];
		if (request.method === 'GET') gets.push(request.headers['last-event-id'] as string | undefined);
		const known = typeof id === 'string' ? transports.get(id) : undefined;
		void (known ?? opened()).handleRequest(request, response);
	});
	const opened = () => {
		const server = new McpServer({ name: 'sdk-polling', version: '1' });
		server.registerTool('poll', { description: 'answers later' }, async (extra) => {
			extra.closeSSEStream?.();
			await new Promise((resolve) => setTimeout(resolve, 350));
			return { content: [{ type: 'text', text: 'after all' }] };
		});
		const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
			sessionIdGenerator: () => randomUUID(),
			eventStore: new InMemoryEventStore(),
			retryInterval: 200,
			onsessioninitialized: (session) => void transports.set(session, transport),
		});
		void server.connect(transport);
		return transport;
	};
	await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
	closing.push(() => {
		http.closeAllConnections();
		return new Promise((resolve) => http.close(resolve));
	});
	return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
}

test('a server of the SDK 1.32 that lets itself be polled', async () => {
	const gets: (string | undefined)[] = [];
	const gateway = await inFrontOf('mcp', await pollingServer(gets), closing);
	const client = await LegacyClient.open(`${gateway.url()}/mcp`);
	expect(await client.tool('poll')).toBe('after all');
	expect(gets.filter((id) => id !== undefined).length).toBeGreaterThan(0);
});
