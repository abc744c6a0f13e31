import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
