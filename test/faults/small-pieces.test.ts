import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { type TestGateway, testGateway } from './harness/test-gateway.ts';

const mebibyte = 1024 * 1024;

/** Resident memory of the gateway, in bytes. */
function memoryOf({ process: { pid } }: TestGateway): number {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

/** How many bytes of memory the gateway takes at most while something is done, above what it had. */
async function growth(gateway: TestGateway, work: () => Promise<unknown>): Promise<number> {
	const before = memoryOf(gateway);
	let most = before;
	const timer = setInterval(() => (most = Math.max(most, memoryOf(gateway))), 10);
	await work().finally(() => clearInterval(timer));
	return Math.max(most, memoryOf(gateway)) - before;
}

/** Sends what `part` gives, as fast as the other side takes it; null ends it. */
async function pour(socket: Socket, part: (round: number) => string | Buffer | null): Promise<void> {
	for (let round = 0; !socket.destroyed; round++) {
		const bytes = part(round);
		if (bytes === null) return;
		if (socket.write(bytes)) continue;
		await new Promise<void>((resolve) => {
			const go = () => {
				socket.off('drain', go).off('close', go);
				resolve();
			};
			socket.on('drain', go).on('close', go);
		});
	}
}

/** A text in chunks of one byte each, some thousand at a time. */
function inSingleBytes(text: string): (round: number) => string | null {
	const step = 10_000;
	return (round) => {
		const part = text.slice(round * step, (round + 1) * step);
		if (part !== '') return part.replace(/[^]/g, '1\r\n$&\r\n');
		return round * step < text.length + step ? '0\r\n\r\n' : null;
	};
}

type Pour = (response: ServerResponse, own: string) => void;

async function gatewayOf(answer: Pour): Promise<TestGateway> {
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => server.close());
	server.override('tools/call', (message, response) => {
		const text = 'x'.repeat(mebibyte);
		answer(response, `{"jsonrpc":"2.0","id":${message.id},"result":{"content":[{"type":"text","text":"${text}"}]}}`);
	});
	return testGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}", callTimeout: 30s }`));
}

const head = (type: string, more = '') =>
	`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}transfer-encoding: chunked\r\n\r\n`;

test('a body in chunks of one byte takes no more memory than 32 times its size', async () => {
	const gateway = await gatewayOf((response) => response.writeHead(500).end());
	await gateway.legacy();
	const { hostname, port } = new URL(gateway.url());
	const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${'x'.repeat(2 * mebibyte)}"}}`;
	let reply = '';
	const taken = await growth(gateway, async () => {
		const socket = connect(Number(port), hostname);
		socket.on('data', (bytes) => (reply += bytes.toString('latin1')));
		socket.write(`POST /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n`);
		socket.write('accept: application/json, text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
		await pour(socket, inSingleBytes(body));
		await new Promise((resolve) => socket.on('close', resolve));
	});
	expect(reply).toMatch(/^HTTP\/1\.1 \d/);
	expect(taken).toBeLessThan(32 * body.length);
}, 60_000);

const pours: Record<string, Pour> = {
	'JSON in chunks of one byte': ({ socket }, own) => {
		socket?.write(head('application/json'));
		if (socket) void pour(socket, inSingleBytes(own)).then(() => socket.end());
	},
	'an event in chunks of one byte': ({ socket }, own) => {
		socket?.write(head('text/event-stream'));
		if (socket) void pour(socket, inSingleBytes(`data: ${own}\n\n`)).then(() => socket.end());
	},
	'an event of a million empty lines': ({ socket }) => {
		socket?.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
		const lines = 'data:\n'.repeat(10_000);
		if (socket) void pour(socket, (round) => (round < 100 ? lines : null)).then(() => socket.end('\n'));
	},
	'compressed nothing, in chunks of one byte': ({ socket }) => {
		const empty = Buffer.from([0, 0, 0, 0xff, 0xff]).toString('latin1');
		const chunks = empty.repeat(2000).replace(/[^]/g, '1\r\n$&\r\n');
		const until = performance.now() + 4000;
		socket?.write(head('application/json', 'content-encoding: gzip\r\n'));
		socket?.write(`a\r\n${gzipSync('').toString('latin1', 0, 10)}\r\n`, 'latin1');
		const part = () => (performance.now() < until ? Buffer.from(chunks, 'latin1') : null);
		if (socket) void pour(socket, part).then(() => socket.destroy());
	},
};

test.each(Object.keys(pours))(
	'%s, of a server, fills no memory',
	async (name) => {
		const gateway = await gatewayOf((response, own) => pours[name]?.(response, own));
		const client = await gateway.legacy();
		const taken = await growth(gateway, () => client.request('tools/call', '{"name":"echo"}'));
		expect(taken).toBeLessThan(80 * mebibyte);
		expect(await client.toolNames()).toContain('echo');
	},
	60_000,
);
