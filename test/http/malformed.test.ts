import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echo, type Running, start } from './fixture.ts';
import { once, RawClient, statusOf } from './raw-client.ts';

let running: Running;
beforeAll(async () => {
	running = await start(echo);
});
afterAll(async () => {
	await running.server.close(100, 0);
});

const host = 'Host: localhost\r\n';
const many = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: y\r\n`).join('');

const refused: [string, number, string][] = [
	['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
	['two Hosts', 400, `GET / HTTP/1.1\r\n${host}Host: other\r\n\r\n`],
	['two equal Hosts', 400, `GET / HTTP/1.1\r\n${host}${host}\r\n`],
	['empty Host', 400, 'GET / HTTP/1.1\r\nHost: \r\n\r\n'],
	['Host with a path and user info', 400, 'GET / HTTP/1.1\r\nHost: localhost:15000/@evil.com\r\n\r\n'],
	['Host with user info', 400, 'GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n'],
	['Host with a space', 400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
	['Host list', 400, 'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n'],
	['Host with port 0', 400, 'GET / HTTP/1.1\r\nHost: a:0\r\n\r\n'],
	['Host with port 65536', 400, 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n'],
	['Host with an empty port', 400, 'GET / HTTP/1.1\r\nHost: a:\r\n\r\n'],
	['Host with two ports', 400, 'GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n'],
	['Host with a zone', 400, 'GET / HTTP/1.1\r\nHost: [fe80::1%eth0]\r\n\r\n'],
	['two Authorizations', 400, `GET / HTTP/1.1\r\n${host}Authorization: a\r\nauthorization: b\r\n\r\n`],
	['two Origins', 400, `GET / HTTP/1.1\r\n${host}Origin: http://a\r\nOrigin: http://b\r\n\r\n`],
	['two session ids', 400, `GET / HTTP/1.1\r\n${host}Mcp-Session-Id: a\r\nMcp-Session-Id: b\r\n\r\n`],
	[
		'two content types',
		400,
		`POST / HTTP/1.1\r\n${host}Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n`,
	],
	['two lengths', 400, `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`],
	['two equal lengths', 400, `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
	['length list', 400, `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\na`],
	['negative length', 400, `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`],
	['length with a sign', 400, `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`],
	[
		'length and chunked',
		400,
		`POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
	],
	['gzip, chunked', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
	[
		'chunked twice',
		400,
		`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
	],
	['chunked, gzip', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
	['identity coding', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`],
	['chunked in HTTP/1.0', 400, `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
	[
		'hexadecimal chunk prefix',
		400,
		`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`,
	],
	['chunk size with a space', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n`],
	['endless chunk size', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na`],
	['chunk without its line break', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\r\nab0\r\n\r\n`],
	['bare LF', 400, 'GET / HTTP/1.1\nHost: localhost\n\n'],
	['bare CR in a value', 400, `GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`],
	['NUL in a value', 400, `GET / HTTP/1.1\r\n${host}X: a\u0000b\r\n\r\n`],
	['folded header', 400, `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`],
	['space before the colon', 400, `GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`],
	['header without a name', 400, `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`],
	['header without a colon', 400, `GET / HTTP/1.1\r\n${host}abc\r\n\r\n`],
	['unknown method', 400, `FROBNICATE / HTTP/1.1\r\n${host}\r\n`],
	['small method', 400, `get / HTTP/1.1\r\n${host}\r\n`],
	['HTTP/2 preface', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
	['HTTP/3.0', 400, `GET / HTTP/3.0\r\n${host}\r\n`],
	['no version', 505, 'GET /\r\n\r\n'],
	['TLS hello', 400, '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
	['target without a slash', 400, `GET foo HTTP/1.1\r\n${host}\r\n`],
	['target *', 400, `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
	['fragment', 400, `GET /a#b HTTP/1.1\r\n${host}\r\n`],
	['raw byte in the path', 400, `GET /\u00e4 HTTP/1.1\r\n${host}\r\n`],
	['absolute form for another host', 400, `GET http://evil.com/ HTTP/1.1\r\n${host}\r\n`],
	['absolute form for another port', 400, `GET http://localhost:81/ HTTP/1.1\r\n${host}\r\n`],
	['absolute form with user info', 400, `GET http://localhost@evil.com/ HTTP/1.1\r\n${host}\r\n`],
	['absolute form of another scheme', 400, `GET ftp://localhost/ HTTP/1.1\r\n${host}\r\n`],
	['TRACE', 405, `TRACE / HTTP/1.1\r\n${host}\r\n`],
	['CONNECT', 405, 'CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n'],
	['101 headers', 431, `GET / HTTP/1.1\r\n${host}${many(100)}\r\n`],
	[
		'1,100 headers with the dangerous ones last',
		431,
		`GET / HTTP/1.1\r\n${host}${many(1100)}Origin: http://evil.com\r\n\r\n`,
	],
	['20 KiB of headers', 431, `GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(20_000)}\r\n\r\n`],
	['a long target', 431, `GET /${'y'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`],
	['unknown expectation', 417, `GET / HTTP/1.1\r\n${host}Expect: wonders\r\nConnection: close\r\n\r\n`],
];

describe('requests that two parties could read differently', () => {
	test.each(refused)('%s is answered with %i and the connection closed', async (_name, status, bytes) => {
		const reply = await once(running.port, bytes);
		expect(statusOf(reply)).toBe(status);
		expect(reply.match(/HTTP\/1\.1 /g)).toHaveLength(1);
		expect(reply.toLowerCase()).toContain('connection: close');
	});

	test('nothing behind a refused request on the same connection is executed', async () => {
		running.seen.length = 0;
		const smuggled = `POST /smuggled HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`;
		await once(running.port, `GET /first HTTP/1.1\r\n${host}${host}\r\n${smuggled}`);
		await once(
			running.port,
			`POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
		);
		expect(running.seen.map((exchange) => exchange.path)).not.toContain('/smuggled');
	});
});

const accepted: [string, string, Record<string, string>][] = [
	['a plain GET', `GET /a?b=c HTTP/1.1\r\n${host}`, { path: '/a', query: 'b=c', host: 'localhost' }],
	['Host in capitals with a trailing dot', 'GET / HTTP/1.1\r\nHost: LocalHost.:80\r\n', { host: 'localhost:80' }],
	['IPv6 Host', 'GET / HTTP/1.1\r\nHost: [0:0:0:0:0:0:0:1]:3000\r\n', { host: '[::1]:3000' }],
	['absolute form', `GET http://localhost/x?y HTTP/1.1\r\n${host}`, { path: '/x', query: 'y' }],
	['absolute form with the default port', `GET http://localhost:80/x HTTP/1.1\r\n${host}`, { path: '/x' }],
	['absolute form without a path', `GET http://localhost?y HTTP/1.1\r\n${host}`, { path: '/', query: 'y' }],
	['100 headers', `GET / HTTP/1.1\r\n${host}${many(98)}`, { path: '/' }],
	['a double slash', `GET //evil.com/ HTTP/1.1\r\n${host}`, { path: '//evil.com/' }],
];

describe('requests that are well-formed', () => {
	test.each(accepted)('%s', async (_name, head, expected) => {
		const reply = await once(running.port, `${head}Connection: close\r\n\r\n`);
		expect(statusOf(reply)).toBe(200);
		expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4))).toMatchObject(expected);
	});

	test('HTTP/1.0 without Host', async () => {
		const reply = await once(running.port, 'GET /old HTTP/1.0\r\n\r\n');
		expect(statusOf(reply)).toBe(200);
		expect(reply).toContain('"host":""');
	});

	test('a chunked body in slices', async () => {
		const client = new RawClient(running.port);
		const bytes = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`;
		for (const byte of bytes) {
			client.send(byte);
			await new Promise((resolve) => setImmediate(resolve));
		}
		expect(await client.untilClosed()).toContain('"body":"abcde"');
	});

	test('pipelined requests are answered in order', async () => {
		const one = (name: string, more = '') => `GET /${name} HTTP/1.1\r\n${host}${more}\r\n`;
		const reply = await once(running.port, one('1') + one('2') + one('3', 'Connection: close\r\n'));
		expect(reply.match(/"path":"\/\d"/g)).toEqual(['"path":"/1"', '"path":"/2"', '"path":"/3"']);
	});
});
