import { describe, expect, test } from 'vitest';
import { eventually, start } from './fixture.ts';
import { RawClient } from './raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const large = Buffer.alloc(64 * 1024 * 1024, 'x');

describe('a client that does not read its reply', () => {
	test.each(['whole', 'stream'])('is given up after a while: %s', async (form) => {
		const { server, port, ended } = await start(
			(exchange) => {
				if (form === 'whole') return exchange.respond(200, [], large);
				const stream = exchange.stream(200, []);
				stream.write(large);
				stream.end();
			},
			{ stallTimeout: 300 },
		);
		const client = new RawClient(port);
		client.pause();
		client.send(get);
		await eventually(() => server.connections === 1);
		await eventually(() => server.connections === 0, 5_000);
		expect(ended).toHaveLength(1);
		client.destroy();
		await server.close(100);
	});

	test('but reads it slowly gets all of it', async () => {
		const { server, port } = await start((exchange) => exchange.respond(200, ['connection', 'close'], large), {
			stallTimeout: 400,
		});
		const client = new RawClient(port);
		client.send(get);
		for (let at = 0; at < 12; at++) {
			client.pause();
			await new Promise((resolve) => setTimeout(resolve, 100));
			client.resume();
			await new Promise((resolve) => setTimeout(resolve, 2));
		}
		const text = await client.untilClosed(15_000);
		expect(text.length).toBeGreaterThan(large.length);
		await server.close(100);
	});

	test('holds up no request that it sends after', async () => {
		const { server, port, ended } = await start(
			(exchange) => {
				if (exchange.path === '/large') return exchange.respond(200, [], large.subarray(0, 8 * 1024 * 1024));
				setTimeout(() => exchange.respond(200, [], 'late'), 900);
			},
			{ stallTimeout: 300 },
		);
		const client = new RawClient(port);
		client.send(get.replace('/ ', '/large ') + get);
		client.pause();
		await new Promise((resolve) => setTimeout(resolve, 150));
		client.resume();
		await eventually(() => ended.length === 2 || client.closed, 10_000);
		expect(ended.map(({ path, responseBytes }) => [path, responseBytes])).toEqual([
			['/large', 8 * 1024 * 1024],
			['/', 4],
		]);
		client.destroy();
		await server.close(100);
	});
});
