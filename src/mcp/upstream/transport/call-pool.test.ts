import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { CallPool } from './call-pool.ts';
import type { ReplyHandler } from './http-request.ts';

let server: Server | null = null;
let pool: CallPool | null = null;

afterEach(async () => {
	await pool?.destroy();
	server?.close();
});

/** A server that answers each request on a connection with the next text; `null` closes the connection. */
async function answering(...texts: (string | Buffer | null)[]): Promise<{ connections: number; requests: string[] }> {
	const seen = { connections: 0, requests: [] as string[] };
	server = createServer((socket: Socket) => {
		seen.connections++;
		socket.on('error', () => {});
		socket.on('data', (chunk) => {
			seen.requests.push(chunk.toString('latin1'));
			const text = texts.shift();
			if (text === null) socket.destroy();
			else if (text !== undefined) socket.write(text);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	if (typeof address !== 'object' || address === null) throw new Error('no port');
	pool = new CallPool(`http://127.0.0.1:${address.port}`);
	return seen;
}

function post(
	headers: readonly string[] = [],
	body = '{}',
): Promise<{ status: number; body: string } | { error: string }> {
	return new Promise((resolve) => {
		let status = 0;
		let text = '';
		const handler: ReplyHandler = {
			onResponseStart: (_control, code) => void (status = code),
			onResponseData: (_control, chunk) => void (text += chunk.toString('latin1')),
			onResponseEnd: () => resolve({ status, body: text }),
			onResponseError: (_control, error) => resolve({ error: error.message }),
		};
		pool?.send('/mcp', { method: 'POST', headers, body: Buffer.from(body), lasting: false }, handler);
	});
}

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const answer = { status: 200, body: 'ok' };

test('one connection carries one request after the other', async () => {
	const seen = await answering(ok, ok);
	expect(await post(['x-a', '1'])).toEqual(answer);
	expect(await post(['x-a', '1'])).toEqual(answer);
	expect(seen.connections).toBe(1);
	expect(seen.requests[1]).toMatch(
		/^POST \/mcp HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: keep-alive\r\nx-a: 1\r\ncontent-length: 2\r\n\r\n\{\}$/,
	);
});

test('requests at the same time have connections of their own', async () => {
	const seen = await answering(ok, ok);
	expect(await Promise.all([post(), post()])).toEqual([answer, answer]);
	expect(seen.connections).toBe(2);
});

test('chunks, interim replies and bodies without length are read', async () => {
	await answering(
		'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nz: 1\r\n\r\n',
		ok,
	);
	expect(await post()).toEqual(answer);
	expect(await post()).toEqual(answer);
});

test('a reply in single bytes is the same', async () => {
	const seen = await answering();
	const reply = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
	server?.on('connection', (socket: Socket) => {
		socket.setNoDelay(true);
		const write = (at: number) => {
			socket.write(reply.slice(at, at + 1));
			if (at + 1 < reply.length) setTimeout(() => write(at + 1), 1);
		};
		socket.on('data', () => write(0));
	});
	expect(await post()).toEqual(answer);
	expect(seen.connections).toBe(1);
});

test('a body ends with its connection where nothing else says so', async () => {
	const seen = await answering();
	server?.on('connection', (socket: Socket) => {
		socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nok'));
	});
	expect(await post()).toEqual(answer);
	expect(await post()).toEqual(answer);
	expect(seen.connections).toBe(2);
});

test.each([
	['connection: close', `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok`],
	['a keep-alive that is over', `HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok`],
	['HTTP/1.0', `HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok`],
	['more than was asked for', `${ok}HTTP/1.1 200 OK\r\n`],
])('after %s the connection is not used again', async (_what, text) => {
	const seen = await answering(text, ok);
	expect(await post()).toEqual(answer);
	expect(await post()).toEqual(answer);
	expect(seen.connections).toBe(2);
});

test.each([
	['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'],
	['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok'],
	['another coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
	['a folded header', 'HTTP/1.1 200 OK\r\nx: 1\r\n 2\r\ncontent-length: 2\r\n\r\nok'],
	['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok'],
	['a bare line feed', 'HTTP/1.1 200 OK\r\nx: 1\ncontent-length: 2\r\n\r\nok'],
	['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok'],
	['a chunk size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n'],
	['a chunk that does not end', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n'],
	['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
	['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
	['endless headers', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4000)}`],
])('%s is refused, and the connection closed', async (_what, text) => {
	const seen = await answering(text, ok);
	expect(await post()).toHaveProperty('error');
	expect(await post()).toEqual(answer);
	expect(seen.connections).toBe(2);
});

test.each(['HTTP/1.1 200 OK\ncontent-length: 2\n\nok', 'SSH-2.0-OpenSSH_9.2\r\n', '\r\n', '{"error":"no"}'])(
	'what is no head is refused at once, not when its end does not come: %j',
	async (text) => {
		await answering(text, ok);
		expect(await post()).toEqual({ error: 'what it answered is not valid HTTP/1.1' });
		expect(await post()).toEqual(answer);
	},
);

test('a connection that breaks fails its request only', async () => {
	await answering(null, ok);
	expect(await post()).toEqual({ error: 'other side closed' });
	expect(await post()).toEqual(answer);
});

test('a request that is given up closes its connection, and no other', async () => {
	const seen = await answering(undefined as unknown as string, ok);
	const given = await new Promise<{ abort(reason: Error): void }>((resolve) => {
		const request = { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false } as const;
		pool?.send('/', request, { onRequestStart: resolve });
	});
	await expect.poll(() => seen.requests.length).toBe(1);
	given.abort(new Error('enough'));
	expect(await post()).toEqual(answer);
	given.abort(new Error('again'));
	expect(seen.connections).toBe(2);
});

test('a request that is given up before it was sent is not sent, and costs no connection that stands', async () => {
	const seen = await answering(ok, ok);
	expect(await post()).toEqual(answer);
	const request = { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false } as const;
	pool?.send('/', request, { onRequestStart: (control) => control.abort(new Error('at once')) });
	expect(await post()).toEqual(answer);
	expect(seen.connections).toBe(1);
});

test('those that wait for a connection are sent in their order; one that is given up is left out', async () => {
	const seen = await answering();
	const open: Socket[] = [];
	server?.on('connection', (socket: Socket) => open.push(socket));
	const held = Array.from({ length: 512 }, () => post([], 'held'));
	await expect.poll(() => seen.requests.length, { timeout: 10_000 }).toBe(512);
	const one = { method: 'POST', headers: [], body: Buffer.from('"given up"'), lasting: false } as const;
	const controls: { abort(reason: Error): void }[] = [];
	pool?.send('/', one, { onRequestStart: (control) => void controls.push(control) });
	const next = post([], '"next"');
	controls[0]?.abort(new Error('enough'));
	for (const socket of open) socket.write(ok);
	expect(await Promise.all(held)).toEqual(Array.from({ length: 512 }, () => answer));
	await expect.poll(() => seen.requests.length).toBe(513);
	expect(seen.requests[512]).toMatch(/"next"$/);
	for (const socket of open) socket.write(ok);
	expect(await next).toEqual(answer);
	expect(seen.connections).toBe(512);
}, 30_000);

test('10,000 calls wait for a connection, 30 s at most; one that is given up makes room', async () => {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
	onTestFinished(() => void vi.useRealTimers());
	await answering();
	const errors: (Error & { code?: string })[] = [];
	const controls: { abort(reason: Error): void }[] = [];
	const request = { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false } as const;
	const send = () =>
		pool?.send('/', request, {
			onRequestStart: (control) => void controls.push(control),
			onResponseError: (_control, error) => void errors.push(error),
		});
	for (let at = 0; at < 10_512; at++) send();
	expect(errors).toEqual([]);
	send();
	expect(errors.map(({ code }) => code)).toEqual(['ALL_BUSY']);
	for (const control of controls.slice(5000, 6000)) control.abort(new Error('enough'));
	for (let at = 0; at < 1000; at++) send();
	expect(errors).toHaveLength(1);
	vi.advanceTimersByTime(29_000);
	expect(errors).toHaveLength(1);
	vi.advanceTimersByTime(3000);
	expect(errors).toHaveLength(10_001);
}, 30_000);

test('an idle connection ends when its time is up, whatever the server does', async () => {
	await answering('HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok');
	let closed = 0;
	server?.on('connection', (socket: Socket) => socket.on('close', () => closed++));
	expect(await post()).toEqual(answer);
	expect(closed).toBe(0);
	await expect.poll(() => closed, { timeout: 5000 }).toBe(1);
});

test('a large body arrives whole', async () => {
	const seen = await answering();
	server?.on('connection', (socket: Socket) => {
		let size = 0;
		socket.on('data', (chunk) => {
			size += chunk.length;
			if (size > 1_000_000) socket.end(ok);
		});
	});
	expect(await post([], 'x'.repeat(1_000_000))).toEqual(answer);
	expect(seen.connections).toBe(1);
});

test.each([
	['x-a', '\u2603'],
	['x-a', 'a\r\nx-b: c'],
	['x a', 'b'],
])('the header %j: %j is not sent; who asked hears of it later, and nothing is thrown', async (name, value) => {
	const seen = await answering(ok);
	expect(await post([name, value])).toEqual({ error: `the header ${JSON.stringify(name)} cannot be sent` });
	const heard: string[] = [];
	const handler: ReplyHandler = {
		onRequestStart: (control) => setImmediate(() => control.abort(new Error('given up'))),
		onResponseError: () => heard.push('failed'),
	};
	const send = (own: ReplyHandler) =>
		pool?.send('/mcp', { method: 'DELETE', headers: [name, value], body: null, lasting: false }, own);
	send({ onResponseError: () => heard.push('later') });
	expect(heard).toEqual([]);
	// Taken back before it could be told.
	send(handler);
	expect(await post()).toEqual(answer);
	expect(heard).toEqual(['later']);
	expect(seen.requests).toHaveLength(1);
});

test('a bug that a reply brings to light is reported, even where nobody waits any more', async () => {
	const seen = await answering(ok);
	await pool?.destroy();
	const faults: unknown[] = [];
	const address = server?.address();
	if (address === null || typeof address !== 'object') throw new Error('no port');
	pool = new CallPool(`http://127.0.0.1:${address.port}`, (fault) => faults.push(fault));
	const bug = new Error('a bug');
	const handler: ReplyHandler = {
		onResponseEnd: () => {
			throw bug;
		},
	};
	pool.send('/mcp', { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false }, handler);
	await expect.poll(() => faults).toEqual([bug]);
	expect(seen.requests).toHaveLength(1);
});
