import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Client as NewClient, SSEClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixtureTarget, isAlive, until } from '../processes/children.ts';
import { conformanceServer, startConformance } from '../support/conformance-fixture.ts';
import { mcpConfig, nodeTarget, type RunningGateway, root, runGateway } from '../support/gateway.ts';

let gateway: RunningGateway;
let silent: RawStream;
let http: { url: string; stop(): void };
const closing: (() => unknown)[] = [];

beforeAll(async () => {
	http = await startConformance('modern');
	const targets = [
		fixtureTarget('plain'),
		nodeTarget('old', conformanceServer, '--era', 'legacy'),
		`- name: new\n  mcp: { host: "${http.url}" }`,
		nodeTarget('flood', join(root, 'test/fixtures/stdio-server.mjs')),
	];
	gateway = await runGateway(mcpConfig(targets.join('\n')));
	silent = await open('');
	closing.pop();
}, 60_000);
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
	silent.socket.destroy();
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	http.stop();
});

const text = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

function oldTransport(to: RunningGateway) {
	// oxlint-disable-next-line typescript/no-deprecated -- old clients use it, which is why it is here
	return new SSEClientTransport(new URL(`${to.url()}/sse`));
}

async function oldClient(): Promise<Client> {
	const client = new Client(
		{ name: 'old', version: '1' },
		{ capabilities: { sampling: {}, elicitation: {}, roots: {} } },
	);
	client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
		action: 'accept',
		content: { username: params.message, name: 'Ada' },
	}));
	client.setRequestHandler(CreateMessageRequestSchema, async () => ({
		model: 'm',
		role: 'assistant',
		content: { type: 'text', text: 'forty-two' },
	}));
	await client.connect(oldTransport(gateway));
	closing.push(() => client.close());
	return client;
}

describe('a client of SDK 1.32 over HTTP+SSE', () => {
	test('lists and calls the tools of all servers', async () => {
		const client = await oldClient();
		const tools = (await client.listTools()).tools.map(({ name }) => name);
		expect(tools).toEqual(expect.arrayContaining(['plain_echo', 'old_test_sampling', 'new_test_simple_text']));
		expect(text(await client.callTool({ name: 'plain_echo', arguments: { text: 'hello' } }))).toBe('hello');
		expect(text(await client.callTool({ name: 'new_test_simple_text' }))).toContain('simple text');
	});

	test('is asked in mid-call by servers of both eras', async () => {
		const client = await oldClient();
		const call = async (name: string, args = {}) => text(await client.callTool({ name, arguments: args }));
		expect(await call('old_test_elicitation', { message: 'who' })).toContain('"username":"who"');
		expect(await call('old_test_sampling', { prompt: 'why' })).toBe('LLM response: forty-two');
		expect(await call('new_test_input_required_result_elicitation')).toBe('Hello, Ada!');
		expect(await call('new_test_input_required_result_sampling')).toBe('The model says: forty-two');
	});

	test('hears of progress, and many answers find their calls', async () => {
		const client = await oldClient();
		const seen: number[] = [];
		await client.callTool({ name: 'old_test_tool_with_progress' }, undefined, {
			onprogress: ({ progress }) => seen.push(progress),
		});
		// This SDK forgets what it waits for when the answer comes in the same chunk as the last one.
		expect(seen.slice(0, 2)).toEqual([0, 50]);
		const calls = Array.from({ length: 200 }, (_, i) =>
			client.callTool({ name: 'plain_late', arguments: { ms: (i * 7) % 40 } }).then(() => i),
		);
		const echoes = Array.from({ length: 200 }, (_, i) =>
			client.callTool({ name: 'plain_echo', arguments: { text: `e${i}` } }).then((one) => text(one) === `e${i}`),
		);
		expect(await Promise.all(calls)).toHaveLength(200);
		expect((await Promise.all(echoes)).every(Boolean)).toBe(true);
	});

	test('a large result is no reason to end the stream', async () => {
		const client = await oldClient();
		const results = await Promise.all(
			[1, 2, 3].map(() => client.callTool({ name: 'flood_flood', arguments: { size: 3_000_000 } })),
		);
		expect(results.map((one) => text(one)?.length)).toEqual([3_000_000, 3_000_000, 3_000_000]);
	});
});

test('a client of SDK 2.4 in its old era works, too', async () => {
	const client = new NewClient({ name: 'new', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
	// oxlint-disable-next-line typescript/no-deprecated
	await client.connect(new NewTransport(new URL(`${gateway.url()}/sse?token=a%20b`)));
	closing.push(() => client.close());
	expect(text(await client.callTool({ name: 'plain_echo', arguments: { text: 'x' } }))).toBe('x');
});

describe('on the wire', () => {
	test('the first event is where to post, with the query of the GET', async () => {
		const stream = await open('?token=a%20b&sessionId=mine');
		expect(stream.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
		expect(stream.text()).toMatch(/content-type: text\/event-stream\r\n/i);
		expect(stream.endpoint).toMatch(/^\/sse\?token=a%20b&sessionId=[\w-]{32}$/);
		const other = await open('');
		expect(other.endpoint).not.toBe(stream.endpoint);
	});

	test('a message gets 202 and its answer an event; before initialize there is only ping', async () => {
		const stream = await open('');
		expect(await post(stream.endpoint, '{"jsonrpc":"2.0","id":"p","method":"ping"}')).toBe(202);
		await stream.see('event: message\ndata: {"jsonrpc":"2.0","id":"p","result":{}}\n\n');
		expect(await post(stream.endpoint, '{"jsonrpc":"2.0","id":7,"method":"tools/list"}')).toBe(202);
		await stream.see('"id":7,"error":{"code":-32600,"message":"no session is open; send initialize first"}');
		await stream.initialize();
		await post(stream.endpoint, initialize('again'));
		await stream.see('"id":"again","error":{"code":-32600');
		await post(
			stream.endpoint,
			'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"plain_echo","arguments":{"text":"é"}}}',
		);
		await stream.see('"id":8,"result":{"content":[{"type":"text","text":"é"}]}');
	});

	test.each([
		['', 400],
		['?sessionId=short', 400],
		[`?sessionId=${'A'.repeat(33)}`, 400],
		[`?sessionId=${'A'.repeat(32)}`, 404],
	])('POST /sse%s is refused with %i', async (query, status) => {
		expect(await post(`/sse${query}`, '{"jsonrpc":"2.0","id":1,"method":"ping"}')).toBe(status);
	});

	test('what is no message is refused where it was posted', async () => {
		const { endpoint } = await open('');
		expect(await post(endpoint, '{"jsonrpc"')).toBe(400);
		const reply = await fetch(`${gateway.url()}${endpoint}`, {
			method: 'POST',
			body: '{}',
			headers: { 'content-type': 'text/plain' },
		});
		expect(reply.status).toBe(415);
		expect((await fetch(`${gateway.url()}/sse`, { method: 'DELETE' })).status).toBe(405);
	});

	test('one stream cannot be posted to once it is closed, and takes its calls and children along', async () => {
		const stream = await open('');
		await stream.initialize();
		await post(stream.endpoint, toolCall(1, 'plain_pid'));
		const [, pid] = await stream.seen(/"text":"(\d+)"/);
		expect(isAlive(Number(pid))).toBe(true);
		await post(stream.endpoint, toolCall(2, 'plain_hang'));
		stream.socket.destroy();
		await until('the child of a closed stream ends', 5000, () => !isAlive(Number(pid)));
		expect(await post(stream.endpoint, toolCall(3, 'plain_pid'))).toBe(404);
	});

	test('a call that is taken back is taken back at its server, and gets no answer', async () => {
		const stream = await open('');
		await stream.initialize();
		await post(stream.endpoint, toolCall('"h"', 'plain_hang'));
		await post(stream.endpoint, '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"h"}}');
		await post(stream.endpoint, toolCall(9, 'plain_lines'));
		await stream.see('"id":9,"result"');
		expect(stream.text()).toContain('notifications/cancelled');
		expect(stream.text()).not.toContain('"id":"h"');
	});

	test('a client that does not read is left once more than a mebibyte waits for it', async () => {
		const stream = await open('');
		await stream.initialize();
		await post(stream.endpoint, toolCall(1, 'plain_pid'));
		const [, pid] = await stream.seen(/"text":"(\d+)"/);
		stream.socket.pause();
		await post(stream.endpoint, toolCall(2, 'flood_flood', '{"count":400}'));
		await until('the session of a slow client ends', 8000, () => !isAlive(Number(pid)));
		expect(await post(stream.endpoint, toolCall(3, 'plain_pid'))).toBe(404);
	}, 20_000);
});

test('without sessions there is no HTTP+SSE, and a sentence says why', async () => {
	const stateless = await runGateway(mcpConfig(fixtureTarget('plain'), 'statefulMode: stateless'));
	closing.push(() => stateless.stop());
	for (const init of [
		{},
		{
			method: 'POST',
			body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
			headers: { 'content-type': 'application/json' },
		},
	]) {
		const reply = await fetch(`${stateless.url()}/sse`, init);
		expect([reply.status, await reply.text()]).toEqual([405, expect.stringContaining('statefulMode: stateless')]);
	}
});

test('at the end of the gateway, calls under way get their answer and streams end', async () => {
	const other = await runGateway(mcpConfig(fixtureTarget('plain')));
	const client = new Client({ name: 'old', version: '1' });
	await client.connect(oldTransport(other));
	const late = client.callTool({ name: 'late', arguments: { ms: 500 } });
	await new Promise((resolve) => setTimeout(resolve, 100));
	const since = performance.now();
	const stopped = other.stop();
	expect(text(await late)).toBe('late');
	expect(await stopped).toBe(0);
	expect(performance.now() - since).toBeLessThan(4000);
	await client.close();
});

// Opened long before, so that the others have done the waiting.
test('a silent stream is kept alive', async () => {
	await silent.seen(/: keep-alive\n\n/, 18_000);
}, 25_000);

function initialize(id: string): string {
	const params = '{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}';
	return `{"jsonrpc":"2.0","id":"${id}","method":"initialize","params":${params}}`;
}

function toolCall(id: number | string, name: string, args = '{}'): string {
	return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`;
}

async function post(path: string, body: string): Promise<number> {
	const headers = { 'content-type': 'application/json' };
	const reply = await fetch(`${gateway.url()}${path}`, { method: 'POST', body, headers });
	await reply.arrayBuffer();
	return reply.status;
}

interface RawStream {
	readonly socket: Socket;
	readonly endpoint: string;
	text(): string;
	see(part: string): Promise<void>;
	seen(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
	initialize(): Promise<void>;
}

/** Opens the stream by hand, so that each byte can be looked at. */
async function open(query: string): Promise<RawStream> {
	const { port, host } = new URL(gateway.url());
	const socket = connect(Number(port), '127.0.0.1');
	closing.push(() => socket.destroy());
	let got = '';
	socket.setEncoding('utf8');
	socket.on('error', () => {});
	socket.on('data', (chunk) => (got += chunk));
	socket.write(`GET /sse${query} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n\r\n`);
	const whole = () => got.replace(/\r\n[0-9a-f]+\r\n/g, '');
	const seen = async (pattern: RegExp, withinMs = 5000) => {
		await until(`${pattern} comes`, withinMs, () => pattern.test(whole()));
		return pattern.exec(whole()) as RegExpExecArray;
	};
	const [, endpoint = ''] = await seen(/event: endpoint\ndata: (\S+)\n\n/);
	const see = (part: string) => until(`${part} comes`, 5000, () => whole().includes(part));
	const begin = async () => {
		await post(endpoint, initialize('i'));
		await see('"id":"i","result"');
		await post(endpoint, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
	};
	return { socket, endpoint, text: () => got, see, seen, initialize: begin };
}
