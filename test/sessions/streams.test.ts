import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, expect, test, vi } from 'vitest';
import { mcpConfig, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type Received } from '../support/http-mcp-server.ts';
import { kernelBuffers } from '../support/kernel-buffers.ts';
import { LegacyClient } from '../support/rpc-client.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** A call that has reached the server and waits for the test. */
interface Work {
	readonly message: Received;
	readonly response: ServerResponse;
	progress(step: number, text?: string): void;
	done(): void;
}

/** A gateway in front of a server whose calls wait for the test. */
async function start(limits = '') {
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	closing.push(() => server.close());
	const works: Work[] = [];
	server.override('tools/call', (message, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		const send = (text: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...text })}\n\n`);
		const token = (message.params['_meta'] as Record<string, unknown> | undefined)?.['progressToken'];
		works.push({
			message,
			response,
			progress: (step, text = '') =>
				send({
					method: 'notifications/progress',
					params: { progressToken: token, progress: step, total: 9, message: text },
				}),
			done: () => {
				send({ id: message.id, result: { content: [{ type: 'text', text: 'done' }] } });
				response.end();
			},
		});
	});
	const config = mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`);
	const gateway = await runGateway(
		limits === '' ? config : config.replace('  mcp:\n', `  mcp:\n    limits: ${limits}\n`),
	);
	closing.push(async () => {
		expect(await gateway.stop()).toBe(0);
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	});
	const work = async (index: number): Promise<Work> => {
		await vi.waitFor(() => expect(works.length).toBeGreaterThan(index), { timeout: 5000 });
		return works[index] as Work;
	};
	return { server, url: `${gateway.url()}/mcp`, work };
}

/** A network between client and gateway whose connections the test can cut. */
async function network(url: string): Promise<{ url: string; cut(): void }> {
	const sockets = new Set<Socket>();
	const { port, pathname } = new URL(url);
	const server = createServer((from) => {
		const to = connect(Number(port), '127.0.0.1');
		for (const socket of [from, to]) {
			sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => {
				sockets.delete(socket);
				from.destroy();
				to.destroy();
			});
		}
		from.pipe(to).pipe(from);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const cut = () => {
		for (const socket of sockets) socket.destroy();
	};
	closing.push(() => {
		cut();
		return new Promise((resolve) => server.close(resolve));
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`, cut };
}

test('SDK 1.32 gets the result of a call whose connection broke twice', async () => {
	const { url, work } = await start();
	const net = await network(url);
	const client = new Client({ name: 'old', version: '1' });
	await client.connect(new StreamableHTTPClientTransport(new URL(net.url)));
	const steps: number[] = [];
	const result = client.callTool({ name: 'echo', arguments: {} }, undefined, {
		onprogress: ({ progress }) => steps.push(progress),
	});
	const one = await work(0);
	one.progress(1);
	await vi.waitFor(() => expect(steps).toEqual([1]));
	net.cut();
	one.progress(2);
	await vi.waitFor(() => expect(steps).toEqual([1, 2]), { timeout: 8000 });
	net.cut();
	one.progress(3);
	one.done();
	expect(await result).toMatchObject({ content: [{ text: 'done' }] });
	expect(steps).toEqual([1, 2, 3]);
	await client.close();
}, 30_000);

test('SDK 2.4 gets the result of a silent call whose connection broke before its first message', async () => {
	const { url, work } = await start();
	const net = await network(url);
	const client = new NewClient({ name: 'new', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
	await client.connect(new NewTransport(new URL(net.url)));
	const result = client.callTool({ name: 'echo', arguments: {} });
	const one = await work(0);
	// The stream opens after a second, with an id to resume from.
	await new Promise((resolve) => setTimeout(resolve, 2300));
	net.cut();
	one.done();
	expect(await result).toMatchObject({ content: [{ text: 'done' }] });
	await client.close();
}, 30_000);

test('a client that stops reading loses its connection, not its call, and reads on where it was', async () => {
	const size = 64 * 1024;
	const steps = Math.ceil((kernelBuffers() + 4 * 1024 ** 2) / size);
	const { server, url, work } = await start(`{ maxStreamBytes: 256KiB, replayBytes: ${2 * steps * size} }`);
	const client = await LegacyClient.open(url);
	const { port, pathname } = new URL(url);
	const socket = connect(Number(port), '127.0.0.1');
	closing.push(() => socket.destroy());
	const body = '{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"x","_meta":{"progressToken":"t"}}}';
	socket.write(
		`POST ${pathname} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\nconnection: close\r\n` +
			`mcp-session-id: ${client.session}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
	);
	const one = await work(0);
	const text = 'x'.repeat(size);
	one.progress(0);
	let first = '';
	await new Promise<void>((resolve) => {
		socket.on('data', (chunk) => {
			first += chunk.toString();
			if (!first.includes('"progress":0')) return;
			socket.pause();
			resolve();
		});
	});
	// More than the kernel takes for both sockets, whatever that is on this machine.
	for (let step = 1; step <= steps; step++) {
		one.progress(step, text);
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	one.done();
	const ids = [...first.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');
	const headers = { accept: 'text/event-stream', 'mcp-session-id': client.session, 'last-event-id': ids.at(-1) ?? '' };
	await new Promise((resolve) => setTimeout(resolve, 300));
	const rest = await (await fetch(url, { headers })).text();
	expect([...rest.matchAll(/"progress":(\d+),/g)].map(([, step]) => Number(step))).toEqual(
		Array.from({ length: steps }, (_, step) => step + 1),
	);
	expect(rest).toContain('"id":"w","result":{"content":[{"type":"text","text":"done"}]}');
	expect(server.of('notifications/cancelled')).toEqual([]);
	// What was written before the client fell behind is all that it still gets on the old connection.
	let late = 0;
	socket.removeAllListeners('data');
	socket.on('data', (chunk) => (late += chunk.length));
	socket.resume();
	await new Promise((resolve) => socket.on('close', resolve).on('end', resolve));
	expect(late).toBeLessThan((steps - 10) * size);
}, 60_000);
