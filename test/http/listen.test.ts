import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listen, type ListenOptions } from '../../src/http/server.ts';
import { echo, eventually, start } from './fixture.ts';
import { once, RawClient, statusOf } from './raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const options = (address: ListenOptions['address']): ListenOptions => ({
	address,
	bind: 'b',
	handler: echo,
	onError: () => undefined,
});

describe('listening', () => {
	test('on :: serves IPv4 too, and says so in words that people know', async () => {
		const server = await listen(options({ kind: 'tcp', host: '::', port: 0 }));
		if ('fault' in server) throw new Error(server.message);
		expect(server.addresses[0]).toBe(`0.0.0.0:${server.port}`);
		expect(statusOf(await once(server.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))).toBe(200);
		await server.close(100, 0);
	});

	test('without IPv6 binds 0.0.0.0 only', async () => {
		const server = await listen({ ...options({ kind: 'tcp', host: '::', port: 0 }), ipv6: false });
		if ('fault' in server) throw new Error(server.message);
		expect(server.addresses).toEqual([`0.0.0.0:${server.port}`]);
		await server.close(100, 0);
	});

	test('on localhost is not reachable under other addresses', async () => {
		const server = await listen(options({ kind: 'tcp', host: 'localhost', port: 0 }));
		if ('fault' in server) throw new Error(server.message);
		expect(server.addresses[0]).toBe(`127.0.0.1:${server.port}`);
		expect(server.addresses.every((address) => /^(127\.0\.0\.1|\[::1\]):/.test(address))).toBe(true);
		const outside = Object.values(networkInterfaces())
			.flat()
			.find((one) => one?.family === 'IPv4' && !one.internal);
		if (outside !== undefined) {
			const client = new RawClient(server.port, outside.address);
			client.send(get);
			expect(await client.untilClosed()).toBe('');
		}
		await server.close(100, 0);
	});
});

describe('what came in', () => {
	test('knows loopback from other ways in', async () => {
		const seen: boolean[] = [];
		const server = await listen({
			...options({ kind: 'tcp', host: '::', port: 0 }),
			handler: (exchange) => {
				seen.push(exchange.overLoopback);
				exchange.respond(200, [], null);
			},
		});
		if ('fault' in server) throw new Error(server.message);
		const close = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
		await once(server.port, close);
		const outside = Object.values(networkInterfaces())
			.flat()
			.find((one) => one?.family === 'IPv4' && !one.internal);
		if (outside !== undefined) {
			const client = new RawClient(server.port, outside.address);
			client.send(close);
			await client.untilClosed();
		}
		expect(seen).toEqual(outside === undefined ? [true] : [true, false]);
		await server.close(100, 0);
	});
});

describe('an address that cannot be served', () => {
	test.each(['127.0.0.1', '::', 'localhost'])('with a port in use on %s is a value that says so', async (host) => {
		const other = createServer().listen(0, host === 'localhost' ? '127.0.0.1' : host);
		await new Promise((resolve) => other.once('listening', resolve));
		const { port } = other.address() as { port: number };
		expect(await listen(options({ kind: 'tcp', host, port }))).toMatchObject({
			fault: 'listen',
			code: 'EADDRINUSE',
			message: `port ${port} is in use by another program`,
			remedy: 'stop that program or choose another port',
		});
		other.close();
	});

	test('of another machine is a value that says so', async () => {
		const result = await listen(options({ kind: 'tcp', host: '192.0.2.1', port: 0 }));
		expect(result).toMatchObject({
			fault: 'listen',
			code: 'EADDRNOTAVAIL',
			message: '192.0.2.1 is not an address of this machine',
		});
	});
});

describe('a Unix socket', () => {
	test('takes over a file that a dead program left, not one in use', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'agw-http-'));
		const path = join(folder, 's');
		const server = await listen(options({ kind: 'unix', path }));
		if ('fault' in server) throw new Error(server.message);
		expect(await listen(options({ kind: 'unix', path }))).toMatchObject({ fault: 'listen', code: 'EADDRINUSE' });
		const status = await new Promise((resolve) =>
			request({ socketPath: path, path: '/x', headers: { host: 'localhost', connection: 'close' } }, (reply) => {
				reply.resume();
				resolve(reply.statusCode);
			}).end(),
		);
		expect(status).toBe(200);
		await server.close(100, 0);
		await rm(folder, { recursive: true });
	});
});

describe('closing', () => {
	test('lets a request in flight finish, with Connection: close, and takes no new ones', async () => {
		let reply: () => void = () => undefined;
		const { server, port } = await start((exchange) => {
			reply = () => exchange.respond(200, [], 'done');
		});
		const client = new RawClient(port);
		client.send(get);
		await eventually(() => reply.toString() !== '() => undefined');
		const closing = server.close(5_000);
		await new Promise((resolve) => setTimeout(resolve, 150));
		const late = new RawClient(port);
		expect(await late.untilClosed()).toBe('');
		reply();
		const text = await client.untilClosed();
		expect(text).toMatch(/Connection: close[^]*done$/);
		await closing;
		expect(server.connections).toBe(0);
	});

	test('answers a request that comes on an idle connection just after it began', async () => {
		const { server, port } = await start(echo);
		const client = new RawClient(port);
		client.send(get);
		await client.until((text) => text.includes('"path"'));
		const closing = server.close(5_000);
		await new Promise((resolve) => setTimeout(resolve, 20));
		client.send(get);
		const text = await client.untilClosed();
		expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
		expect(text).toContain('Connection: close');
		await closing;
	});
});

describe('closing connections that do nothing or do not end', () => {
	test('ends idle connections soon, also those that never sent anything', async () => {
		const { server, port } = await start(echo);
		const silent = new RawClient(port);
		const idle = new RawClient(port);
		idle.send(get);
		await idle.until((text) => text.includes('"path"'));
		const began = Date.now();
		await server.close(5_000);
		expect(Date.now() - began).toBeLessThan(1_000);
		await silent.untilClosed();
		await idle.untilClosed();
	});

	test('ends a connection whose stream began before, when the stream ends', async () => {
		let end: () => void = () => undefined;
		const { server, port } = await start((exchange) => {
			const stream = exchange.stream(200, []);
			end = () => stream.end();
		});
		const client = new RawClient(port);
		client.send(get);
		await client.until((text) => text.includes('200'));
		const began = Date.now();
		const closing = server.close(5_000, 0);
		await new Promise((resolve) => setTimeout(resolve, 100));
		end();
		await closing;
		expect(Date.now() - began).toBeLessThan(2_000);
	});

	test('refuses what is left at the deadline, and says so to who works on it', async () => {
		let gone = 0;
		const { server, port, ended } = await start((exchange) => exchange.onGone(() => gone++));
		const client = new RawClient(port);
		client.send(get);
		await eventually(() => server.connections === 1);
		await new Promise((resolve) => setTimeout(resolve, 30));
		const began = Date.now();
		await server.close(200);
		expect(Date.now() - began).toBeGreaterThanOrEqual(190);
		expect(Date.now() - began).toBeLessThan(1_000);
		expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 5\r\n[^]*the gateway is stopping$/);
		await eventually(() => gone === 1);
		expect(ended).toHaveLength(1);
	});

	test('cuts a client that does not read what is left', async () => {
		const { server, port } = await start((exchange) => {
			const stream = exchange.stream(200, []);
			for (let at = 0; at < 64; at++) stream.write(Buffer.alloc(1024 * 1024));
		});
		const client = new RawClient(port);
		client.pause();
		client.send(get);
		await eventually(() => server.connections === 1);
		const began = Date.now();
		await server.close(200);
		expect(Date.now() - began).toBeLessThan(1_500);
		client.destroy();
	});

	test('waits for a request of which only a part has come', async () => {
		const { server, port } = await start(echo);
		const client = new RawClient(port);
		client.send(get.slice(0, 20));
		await eventually(() => server.connections === 1);
		await new Promise((resolve) => setTimeout(resolve, 30));
		const closing = server.close(5_000);
		await new Promise((resolve) => setTimeout(resolve, 200));
		client.send(get.slice(20));
		expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close/);
		await closing;
	});

	test('takes what had connected before it began', async () => {
		const { server, port } = await start(echo);
		const clients = Array.from({ length: 50 }, () => new RawClient(port));
		for (const client of clients) client.send(get);
		await eventually(() => clients.every(({ connected }) => connected));
		const closing = server.close(5_000);
		for (const client of clients) expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
		await closing;
	});
});
