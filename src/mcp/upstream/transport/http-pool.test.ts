import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HttpPool } from './http-pool.ts';
import { StreamableHttpTransport } from './streamable-http.ts';
import type { TransportFault } from './transport.ts';

/** A server that never answers. */
async function hung(): Promise<string> {
	const server = createServer(() => {});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('calls over a line whose other end is gone fail once the host takes no connection either', async () => {
	const origin = await hung();
	const dialled: (() => void)[] = [];
	const pool = new HttpPool(origin, undefined, (_origin, dead) => dialled.push(dead));
	onTestFinished(() => pool.destroy());
	const transport = new StreamableHttpTransport(`${origin}/mcp`, pool);
	const failed = new Promise<TransportFault>((resolve) => {
		const message = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call"}');
		transport.request({ id: 1, message, headers: [] }, { message() {}, failed: resolve });
	});
	await new Promise((resolve) => setTimeout(resolve, 50));
	transport.suspect();
	transport.suspect();
	expect(dialled).toHaveLength(1);
	const before = pool.calls;
	dialled[0]?.();
	expect(await failed).toMatchObject({ kind: 'io', reason: 'the connection broke: the host does not answer any more' });
	expect(await failed).not.toHaveProperty('neverRan');
	expect(pool.calls).not.toBe(before);
});

test('a server that only takes long is left alone', async () => {
	const origin = await hung();
	const pool = new HttpPool(origin);
	onTestFinished(() => pool.destroy());
	const before = pool.calls;
	pool.suspect();
	await new Promise((resolve) => setTimeout(resolve, 100));
	expect(pool.calls).toBe(before);
});

test('over TLS, too, calls beyond 10,000 that wait for a connection are refused', async () => {
	const sockets = new Set<Socket>();
	// Takes connections, and never greets.
	const server = createTcpServer((socket) => sockets.add(socket.on('error', () => {})));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const pool = new HttpPool(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
	onTestFinished(async () => {
		await pool.destroy();
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	const refused: string[] = [];
	for (let at = 0; at < 10_522; at++) {
		const request = { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false } as const;
		pool.send('/mcp', request, {
			onRequestStart() {},
			onResponseStart() {},
			onResponseData() {},
			onResponseEnd() {},
			onResponseError: (_control, error) => void refused.push(error.message),
		});
	}
	expect(refused).toEqual([]);
	await new Promise((resolve) => setImmediate(resolve));
	expect(refused).toEqual(Array.from({ length: 10 }, () => 'all connections are busy'));
});
