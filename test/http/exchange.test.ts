import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ReplyStream } from '../../src/http/exchange.ts';
import type { ListenOptions } from '../../src/http/server.ts';
import type { PolicyExchange } from '../../src/http/policy.ts';
import { echo, eventually, type Running, start } from './fixture.ts';
import { once, RawClient, statusOf } from './raw-client.ts';

const servers: Running[] = [];
async function run(handler: (exchange: PolicyExchange) => void, more: Partial<ListenOptions> = {}): Promise<Running> {
	const running = await start(handler, more);
	servers.push(running);
	return running;
}
afterEach(async () => {
	for (const { server } of servers.splice(0)) await server.close(50, 0);
});

const post = (length: number, more = '') =>
	`POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n${more}\r\n`;

const limited = (limit: number) => (exchange: PolicyExchange) =>
	exchange.body(limit, (body) => {
		const refused = !Buffer.isBuffer(body);
		exchange.respond(refused ? body.status : 200, [], refused ? body.message : body);
	});

describe('the body', () => {
	test('is given whole', async () => {
		const { port } = await run(limited(10));
		expect(await once(port, `${post(10, 'Connection: close\r\n')}0123456789`)).toMatch(/\r\n\r\n0123456789$/);
	});

	test('is empty without length and coding', async () => {
		const { port } = await run(echo);
		const reply = await once(port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(reply).toContain('"body":""');
	});
});

describe('a body over the limit', () => {
	test('over the limit by its length is refused before it comes', async () => {
		const { port } = await run(limited(10));
		const client = new RawClient(port);
		client.send(post(11));
		const reply = await client.until((text) => text.includes('larger than 10 bytes'));
		expect(statusOf(reply)).toBe(413);
	});

	test('over the limit while streaming is refused, and the reply is not lost in a reset', async () => {
		const { port } = await run(limited(100_000));
		const client = new RawClient(port);
		client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
		const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
		for (let at = 0; at < 40; at++) client.send(chunk);
		expect(statusOf(await client.untilClosed())).toBe(413);
	});

	test('that turns to garbage after a 413 gets no second reply', async () => {
		const { port } = await run(limited(4));
		const client = new RawClient(port);
		client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n');
		await client.until((text) => text.includes('larger than 4 bytes'));
		client.send('zz\r\n');
		expect((await client.untilClosed()).match(/HTTP\/1\.1/g)).toHaveLength(1);
	});

	test('an honest client may go on after 413 on the same connection', async () => {
		const { port } = await run(limited(4));
		const client = new RawClient(port);
		client.send(`${post(5)}abcde${post(2)}ok`);
		const text = await client.until((now) => now.endsWith('ok'));
		expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
	});
});

describe('a body that cannot be read', () => {
	test.each(['gzip', 'br', 'identity, gzip', 'deflate'])('with content-encoding %s is 415', async (encoding) => {
		const { port } = await run(limited(100));
		const reply = await once(port, `${post(2, `Content-Encoding: ${encoding}\r\nConnection: close\r\n`)}ab`);
		expect(statusOf(reply)).toBe(415);
	});

	test('with content-encoding identity is read', async () => {
		const { port } = await run(limited(100));
		expect(statusOf(await once(port, `${post(2, 'Content-Encoding: Identity\r\nConnection: close\r\n')}ab`))).toBe(200);
	});

	test('with broken chunks reaches the handler as a 400', async () => {
		const { port, ended } = await run(echo);
		const client = new RawClient(port);
		client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
		await new Promise((resolve) => setTimeout(resolve, 30));
		client.send('zz\r\n');
		expect(statusOf(await client.untilClosed())).toBe(400);
		await eventually(() => ended.length === 1);
		expect(ended[0]?.status).toBe(400);
	});

	test('that stops coming is 408', async () => {
		const { port } = await run(echo, { headersTimeout: 150, bodyTimeout: 100 });
		const client = new RawClient(port);
		client.send(`${post(10)}abc`);
		expect(statusOf(await client.untilClosed())).toBe(408);
	});

	test('is settled when the client goes away in the middle', async () => {
		const bodies: unknown[] = [];
		const { port, ended } = await run((exchange) => exchange.body(100, (body) => bodies.push(body)));
		const client = new RawClient(port);
		client.send(`${post(10)}abc`);
		await new Promise((resolve) => setTimeout(resolve, 30));
		client.destroy();
		await eventually(() => ended.length === 1);
		expect(bodies).toMatchObject([{ refused: true }]);
		expect(ended[0]).toMatchObject({ status: 499, error: 'the client went away' });
	});
});

describe('headers', () => {
	test('that ask for an upgrade are answered as if they did not (RFC 9110 §7.8)', async () => {
		const { port } = await run(echo);
		const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
		const client = new RawClient(port);
		client.send(`GET /ws HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
		expect(statusOf(await client.until((text) => text.includes('"/ws"')))).toBe(200);
		client.destroy();
	});

	test('of a refused request show no query in the facts', async () => {
		const { port, ended } = await run(echo);
		await once(port, 'GET /a?token=s3cret HTTP/1.1\r\n\r\n');
		await eventually(() => ended.length === 1);
		expect(ended[0]).toMatchObject({ path: '/a', status: 400, reason: 'InvalidRequest' });
	});

	test('that stop coming are 408', async () => {
		const { port } = await run(echo, { headersTimeout: 150 });
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Slow');
		expect(statusOf(await client.untilClosed())).toBe(408);
	});
});

describe('the reply', () => {
	test('has exactly the headers given, a length and a date', async () => {
		const { port } = await run((exchange) => exchange.respond(201, ['x-a', '1', 'x-a', '2'], 'hä'));
		const reply = await once(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(reply.replace(/Date: [^\r]+/, 'Date: now')).toBe(
			'HTTP/1.1 201 Created\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 3\r\nDate: now\r\nConnection: close\r\n\r\nhÃ¤',
		);
	});

	test('204 and 304 have no length, an empty 200 has one', async () => {
		const { port } = await run((exchange) => exchange.respond(Number(exchange.path.slice(1)), [], null));
		const get = (path: string) => once(port, `GET /${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
		expect(await get('204')).not.toContain('content-length');
		expect(await get('304')).not.toContain('content-length');
		expect(await get('200')).toContain('content-length: 0');
	});

	test('to HEAD has the length and no body', async () => {
		const { port } = await run((exchange) => exchange.respond(200, [], 'hello'));
		const reply = await once(port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(reply).toMatch(/content-length: 5[^]*\r\n\r\n$/);
	});
});

describe('what goes wrong with a reply', () => {
	test('given twice is a fault, and the first stands', async () => {
		const { port, faults } = await run((exchange) => {
			exchange.respond(200, [], 'one');
			exchange.respond(200, [], 'two');
		});
		expect(await once(port, 'GET /twice HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/one$/);
		expect(faults).toMatchObject([{ message: 'second reply to GET /twice' }]);
	});

	test('to what a handler throws is 500 without its text', async () => {
		const { port, faults, ended } = await run(() => {
			throw new Error('password hunter2');
		});
		const reply = await once(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(statusOf(reply)).toBe(500);
		expect(reply).toMatch(/internal error$/);
		expect(reply).not.toContain('hunter2');
		expect(faults).toMatchObject([{ message: 'password hunter2' }]);
		await eventually(() => ended.length === 1);
		expect(ended[0]).toMatchObject({ status: 500, reason: 'Internal' });
	});

	test('to what a body callback throws is 500', async () => {
		const { port, faults } = await run((exchange) =>
			exchange.body(100, () => {
				throw new Error('late');
			}),
		);
		expect(statusOf(await once(port, `${post(2, 'Connection: close\r\n')}ab`))).toBe(500);
		expect(faults).toHaveLength(1);
	});

	test('with a line break in a header is a fault, not a second header', async () => {
		const { port, faults } = await run((exchange) => exchange.respond(200, ['x-a', 'b\r\nx-evil: 1'], 'x'));
		const reply = await once(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(statusOf(reply)).toBe(500);
		expect(reply).not.toContain('x-evil');
		expect(faults).toHaveLength(1);
	});

	test('runs hooks in reverse, on refusals of the server too', async () => {
		const { port } = await run((exchange) => {
			exchange.onReply((status, headers) => headers.push('x-order', `first ${status}`));
			exchange.onReply((_status, headers) => headers.push('x-order', 'second'));
			throw new Error('x');
		});
		const reply = await once(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
		expect(reply.match(/x-order: .*/g)).toEqual(['x-order: second', 'x-order: first 500']);
	});
});

describe('a stream', () => {
	test('sends its headers at once and its chunks as they come', async () => {
		let send: (text: string | null) => void = () => undefined;
		const { port, ended } = await run((exchange) => {
			const stream = exchange.stream(200, ['content-type', 'text/event-stream']);
			send = (text) => (text === null ? stream.end() : void stream.write(text));
		});
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
		await client.until((text) => text.includes('text/event-stream'));
		send('data: 1\n\n');
		await client.until((text) => text.includes('data: 1'));
		expect(ended).toHaveLength(0);
		send(null);
		await eventually(() => ended.length === 1);
		expect(ended[0]).toMatchObject({ status: 200, responseBytes: 9 });
		client.destroy();
	});

	test('reports what a slow reader leaves, and when it has been taken', async () => {
		let drained = 0;
		let opened: (stream: ReplyStream) => void = () => undefined;
		const opening = new Promise<ReplyStream>((resolve) => (opened = resolve));
		const { port } = await run((exchange) => {
			const stream = exchange.stream(200, []);
			stream.onDrain(() => drained++);
			opened(stream);
		});
		const client = new RawClient(port);
		client.pause();
		client.send('GET / HTTP/1.0\r\n\r\n');
		const stream = await opening;
		await fill(stream);
		const before = drained;
		expect(stream.write('x')).toBe(false);
		await delay(50);
		expect(drained).toBe(before);
		client.resume();
		await eventually(() => drained > before);
		expect(stream.buffered).toBe(0);
		client.destroy();
	});
});

/** Writes until a megabyte stays in the stream. How much the sockets take before differs by an order between kernels. */
async function fill(stream: ReplyStream): Promise<void> {
	for (let quiet = 0; quiet < 30; quiet++) {
		if (stream.buffered < 1_000_000) quiet = 0;
		while (stream.buffered < 1_000_000) stream.write('x'.repeat(100_000));
		await delay(10);
	}
}

describe('a stream and its client', () => {
	test('tells once that the client has gone, and survives writes after that', async () => {
		let gone = 0;
		const { port, ended, faults } = await run((exchange) => {
			const stream = exchange.stream(200, []);
			stream.write('x');
			exchange.onGone(() => {
				gone++;
				stream.write('y');
				stream.end();
			});
		});
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
		await client.until((text) => text.includes('x\r\n'));
		client.destroy();
		await eventually(() => ended.length === 1);
		expect(gone).toBe(1);
		expect(faults).toEqual([]);
		expect(ended[0]).toMatchObject({ status: 200, error: 'the client went away' });
	});

	test('lives longer than the time limits for requests', async () => {
		let end: () => void = () => undefined;
		const { port } = await run(
			(exchange) => {
				const stream = exchange.stream(200, []);
				end = () => {
					stream.write('late');
					stream.end();
				};
			},
			{ headersTimeout: 100, bodyTimeout: 50, idleTimeout: 100 },
		);
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
		await new Promise((resolve) => setTimeout(resolve, 500));
		expect(client.closed).toBe(false);
		end();
		await client.until((text) => text.includes('late'));
	});
});

describe('a client that goes away', () => {
	test('before the reply is told, and the late reply is thrown away', async () => {
		let gone = 0;
		let reply: () => void = () => undefined;
		const { port, ended, faults } = await run((exchange) => {
			exchange.onGone(() => gone++);
			exchange.onGone(() => gone++);
			reply = () => exchange.respond(200, [], 'late');
		});
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
		await eventually(() => gone === 0 && servers[0]?.seen.length === 1);
		client.destroy();
		await eventually(() => ended.length === 1);
		expect(gone).toBe(2);
		reply();
		expect(faults).toEqual([]);
		expect(ended).toMatchObject([{ status: 499 }]);
	});

	test('after the reply is no news', async () => {
		let gone = 0;
		const { port, ended } = await run((exchange) => {
			exchange.onGone(() => gone++);
			exchange.respond(200, [], 'x');
		});
		const client = new RawClient(port);
		client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
		await eventually(() => ended.length === 1);
		client.destroy();
		await new Promise((resolve) => setTimeout(resolve, 30));
		expect(gone).toBe(0);
	});
});

describe('the facts', () => {
	test('say where a request came from and what became of it', async () => {
		const { port, ended } = await run((exchange) => exchange.respond(200, [], 'hello'));
		await once(port, 'GET /a/b?secret=1 HTTP/1.1\r\nHost: Name:81\r\nConnection: close\r\n\r\n');
		await eventually(() => ended.length === 1);
		expect(ended[0]).toMatchObject({ bind: 'bind/test', method: 'GET', path: '/a/b', host: 'name:81', status: 200 });
		expect(ended[0]).toMatchObject({ httpVersion: 'HTTP/1.1', responseBytes: 5 });
		expect(ended[0]?.sourceAddress).toMatch(/^127\.0\.0\.1:\d+$/);
	});
});
