import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { HttpPool } from './http-pool.ts';
import { SseTransport } from './sse.ts';
import { StreamableHttpTransport } from './streamable-http.ts';
import type { Transport, TransportFault } from './transport.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function serve(listener: RequestListener): Promise<{ url: string; pool: HttpPool; close(): Promise<void> }> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const close = async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	};
	closing.push(close);
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
	const pool = new HttpPool(new URL(url).origin);
	closing.push(() => pool.destroy());
	return { url, pool, close };
}

/** Sends request 1 and waits for its outcome: the answer's length, or the fault. */
function outcome(transport: Transport, headers: string[] = []): Promise<number | TransportFault> {
	closing.push(() => transport.close());
	const message = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call"}');
	return new Promise((resolve) => {
		transport.request({ id: 1, message, headers }, { message: ({ text }) => resolve(text.length), failed: resolve });
	});
}

const answer = (length: number) => {
	const text = '{"jsonrpc":"2.0","id":1,"result":""}';
	return text.replace('""', `"${'x'.repeat(length - text.length)}"`);
};

describe('the size of an answer', () => {
	const limit = 10_000;
	const tooMuch = { kind: 'io', reason: 'it sent more than 10000 bytes', remedy: '', answered: true };

	test.each(['application/json', 'text/event-stream'])('%s', async (type) => {
		let length = limit;
		const { url, pool } = await serve((_request, response) => {
			const body = answer(length);
			response.writeHead(200, { 'content-type': type });
			response.end(type === 'application/json' ? body : `data: ${body}\n\n`);
		});
		expect(await outcome(new StreamableHttpTransport(url, pool, limit))).toBe(limit);
		length++;
		expect(await outcome(new StreamableHttpTransport(url, pool, limit))).toEqual(tooMuch);
	});

	test('HTTP+SSE: the stream is over with it', async () => {
		let length = limit;
		const { url, pool } = await serve((request, response) => {
			if (request.method === 'GET') {
				response.writeHead(200, { 'content-type': 'text/event-stream' });
				response.write('event: endpoint\ndata: /post\n\n');
				stream = response;
			} else {
				response.writeHead(202).end();
				stream?.write(`data: ${answer(length)}\n\n`);
			}
		});
		let stream: Parameters<RequestListener>[1] | null = null;
		const open = () => new SseTransport({ url, pool, maximumAnswerBytes: limit, onJunk() {} });
		expect(await outcome(open())).toBe(limit);
		length++;
		expect(await outcome(open())).toEqual({ ...tooMuch, over: true });
	});
});

describe('whether a request may be sent again', () => {
	test('a refused connection: yes', async () => {
		const { url, pool, close } = await serve(() => {});
		await close();
		const fault = { kind: 'io', neverRan: true };
		expect(await outcome(new StreamableHttpTransport(url, pool))).toMatchObject(fault);
		expect(await outcome(new SseTransport({ url, pool, onJunk() {} }))).toMatchObject({ ...fault, over: true });
	});

	test('a session that is gone: yes', async () => {
		const { url, pool } = await serve((_request, response) => response.writeHead(404).end());
		expect(await outcome(new StreamableHttpTransport(url, pool), ['mcp-session-id', 's'])).toMatchObject({
			kind: 'http',
			status: 404,
			sessionLost: true,
			neverRan: true,
		});
		expect(await outcome(new StreamableHttpTransport(url, pool))).not.toHaveProperty('neverRan');
	});

	test('a connection that broke: no', async () => {
		const { url, pool } = await serve((_request, response) => response.destroy());
		expect(await outcome(new StreamableHttpTransport(url, pool))).not.toHaveProperty('neverRan');
	});

	test('a server that went away before the rest of an answer is fetched: no', async () => {
		const { url, pool, close } = await serve((_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end('id: 1\nretry: 100\ndata:\n\n', () => void close());
		});
		const fault = await outcome(new StreamableHttpTransport(url, pool));
		expect(fault).toMatchObject({ kind: 'io', reason: expect.stringContaining('was refused') });
		expect(fault).not.toHaveProperty('neverRan');
	});

	test('a session that is gone when the rest of an answer is fetched: no', async () => {
		const { url, pool } = await serve((request, response) => {
			if (request.method === 'GET') return response.writeHead(404).end();
			response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\nretry: 100\ndata:\n\n');
		});
		const lost = await outcome(new StreamableHttpTransport(url, pool), ['mcp-session-id', 's']);
		expect(lost).toMatchObject({ kind: 'http', sessionLost: true });
		expect(lost).not.toHaveProperty('neverRan');
	});
});

describe('a notification whose connection broke before anything came back', () => {
	const notice = Buffer.from('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');

	function post(url: string, pool: HttpPool): Promise<void> {
		const transport = new StreamableHttpTransport(url, pool);
		closing.push(() => transport.close());
		return new Promise((resolve) => transport.post({ message: notice, headers: [], settled: resolve }));
	}

	test('is sent once more', async () => {
		const heard: string[] = [];
		const { url, pool } = await serve((request, response) => {
			if (heard.push(request.method ?? '') === 1) request.socket.destroy();
			else response.writeHead(202).end();
		});
		await post(url, pool);
		expect(heard).toEqual(['POST', 'POST']);
	});

	test('and not a third time, nor after any answer', async () => {
		let heard = 0;
		let answers = 0;
		const { url, pool } = await serve((request, response) => {
			heard++;
			if (answers > 0) response.writeHead(500).end('no');
			else request.socket.destroy();
		});
		await post(url, pool);
		expect(heard).toBe(2);
		answers = 1;
		await post(url, pool);
		expect(heard).toBe(3);
	});
});

test('HTTP+SSE: a POST without a reply is waited for during its call, and 30 s after the answer came over the stream', async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
	onTestFinished(() => void vi.useRealTimers());
	let stream: Parameters<RequestListener>[1] | null = null;
	let held = 0;
	const { url, pool } = await serve((request, response) => {
		if (request.method === 'GET') {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write('event: endpoint\ndata: /post\n\n');
			stream = response;
		} else {
			held++;
			response.on('close', () => held--);
		}
	});
	const got = outcome(new SseTransport({ url, pool, onJunk() {} }));
	await expect.poll(() => held).toBe(1);
	await vi.advanceTimersByTimeAsync(3_000_000);
	expect(held).toBe(1);
	(stream as Parameters<RequestListener>[1] | null)?.write(`data: ${answer(100)}\n\n`);
	expect(await got).toBe(100);
	await vi.advanceTimersByTimeAsync(29_000);
	expect(held).toBe(1);
	await vi.advanceTimersByTimeAsync(2000);
	await expect.poll(() => held).toBe(0);
});

test('a DELETE without a reply is given up', async () => {
	let held = 0;
	const { url, pool } = await serve((_request, response) => {
		held++;
		response.on('close', () => held--);
	});
	await new StreamableHttpTransport(url, pool).end(['mcp-session-id', 's']);
	await expect.poll(() => held).toBe(0);
});
