import { EventEmitter } from 'node:events';
import type net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { CallPool } from './call-pool.ts';
import { HttpPool } from './http-pool.ts';
import { StreamableHttpTransport } from './streamable-http.ts';
import type { TransportFault } from './transport.ts';

/** A connection whose bytes come as the test cuts them. */
class CutSocket extends EventEmitter {
	writable = true;
	destroyed = false;
	readonly writableLength = 0;

	write(): boolean {
		return true;
	}

	cork(): void {}

	uncork(): void {}

	readonly flow: string[] = [];

	pause(): void {
		this.flow.push('pause');
	}

	resume(): void {
		this.flow.push('resume');
	}

	destroy(): void {
		if (this.destroyed) return;
		this.destroyed = true;
		this.writable = false;
		queueMicrotask(() => this.emit('close'));
	}

	/** Hands over what is read, as far as somebody still reads. */
	feed(pieces: readonly Buffer[]): void {
		for (const piece of pieces) if (!this.destroyed) this.emit('data', piece);
		if (!this.destroyed) this.emit('end');
	}
}

const sockets: CutSocket[] = [];

vi.mock('node:net', async (original) => ({
	...(await original<typeof net>()),
	connect: () => {
		const socket = new CutSocket();
		sockets.push(socket);
		return socket;
	},
}));

const pools: HttpPool[] = [];
afterEach(async () => {
	for (const pool of pools.splice(0)) await pool.destroy();
	sockets.length = 0;
});

/** What a request hears when the reply comes in these pieces, and how often it was told that it is over. */
async function outcome(pieces: readonly Buffer[]): Promise<string> {
	const pool = new HttpPool('http://127.0.0.1:1');
	pools.push(pool);
	const transport = new StreamableHttpTransport('http://127.0.0.1:1/mcp', pool, 5000);
	const heard: string[] = [];
	const message = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call"}');
	await new Promise<void>((resolve) => {
		transport.request(
			{ id: 1, message, headers: ['mcp-session-id', 's'] },
			{
				message: (scanned) => {
					heard.push(scanned.text.toString('latin1', scanned.start, scanned.end));
					if (heard.at(-1)?.includes('"id"') === true) resolve();
				},
				failed: (fault: TransportFault) => {
					heard.push(
						`failed: ${fault.kind === 'http' ? `${fault.status} ${fault.body.toString()}` : Reflect.get(fault, 'reason')}`,
					);
					resolve();
				},
			},
		);
		const socket = sockets.at(-1);
		socket?.emit('connect');
		socket?.feed(pieces);
	});
	await new Promise((resolve) => setImmediate(resolve));
	return heard.join('\n');
}

const json = '{"jsonrpc":"2.0","id":1,"result":{"text":"héllo \\r\\n\\r\\n"}}';
const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}';
const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const chunked = (text: string, size: number) => {
	let out = '';
	for (let at = 0; at < text.length; at += size) {
		const piece = text.slice(at, at + size);
		out += `${Buffer.byteLength(piece).toString(16)};a="b;c"\r\n${piece}\r\n`;
	}
	return `${out}0\r\nx-trailer: 1\r\n\r\n`;
};
const events = `: hi\n\ndata: ${note}\r\n\r\nid: 7\nevent: message\ndata: ${json}\n\n`;
const stream = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
const zipped = gzipSync(json);

/** Replies, and what comes of them. */
const replies: Record<string, readonly [string | Buffer, RegExp]> = {
	length: [`${ok}content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`, /^{.*"id":1.*}$/s],
	chunks: [`${ok}transfer-encoding: chunked\r\n\r\n${chunked(json, 7)}`, /^{.*"id":1.*}$/s],
	'until the end': [`${ok}\r\n${json}`, /^{.*"id":1.*}$/s],
	interim: [
		`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
		/^{.*}$/s,
	],
	events: [`${stream}transfer-encoding: chunked\r\n\r\n${chunked(events, 11)}`, /message.*\n{.*"id":1/s],
	'events until the end': [`${stream}connection: close\r\n\r\n${events}`, /message.*\n{.*"id":1/s],
	gzip: [
		Buffer.concat([Buffer.from(`${ok}content-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`), zipped]),
		/^{.*}$/s,
	],
	'two replies': [
		`${ok}content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}${ok}content-length: 2\r\n\r\n{}`,
		/^{.*}$/s,
	],
	'204 with a body': [
		`HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello`,
		/^failed: it answered HTTP 204 without/,
	],
	'304 with a body': [`HTTP/1.1 304 Not Modified\r\n\r\nhello`, /^failed: 304/],
	'500 with HTML': [
		'HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<h1>x</h1>',
		/^failed: 500 <h1>/,
	],
	'wrong type': [
		`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi`,
		/^failed: it answered text\/html/,
	],
	'no type': [`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi`, /^failed: it answered HTTP 200 without/],
	'too short': [`${ok}content-length: 500\r\n\r\n${json}`, /^failed: the connection broke/],
	'too long': [`${ok}content-length: 10\r\n\r\n${json}`, /^failed: it sent what is not acceptable JSON/],
	'cut events': [
		`${stream}transfer-encoding: chunked\r\n\r\n${chunked(events, 11).slice(0, 120)}`,
		/failed: the connection broke/,
	],
	'events without the answer': [`${stream}content-length: 6\r\n\r\n: hi\n\n`, /^failed: its event stream ended/],
	'an error page without end': [`HTTP/1.1 502 Bad\r\n\r\n${'x'.repeat(80_000)}`, /^failed: 502 x+$/],
	'nothing without end': [
		`HTTP/1.1 202 Accepted\r\n\r\n${'x'.repeat(80_000)}`,
		/^failed: it answered HTTP 202 with more/,
	],
	'length and chunks': [
		`${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${chunked(json, 7)}`,
		/^failed: .*not valid HTTP/,
	],
	'negative length': [`${ok}content-length: -5\r\n\r\n${json}`, /^failed: .*not valid HTTP/],
	'a folded header': [`${ok}x: 1\r\n 2\r\ncontent-length: 5\r\n\r\n${json}`, /^failed: .*not valid HTTP/],
	'a NUL': [`${ok}x: a\0b\r\ncontent-length: 5\r\n\r\n${json}`, /^failed: .*not valid HTTP/],
	'a bad chunk': [`${ok}transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`, /^failed: .*chunks are not valid/],
	'endless interim replies': ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(40), /^failed: .*too many interim/],
	'a huge head': [`${ok}${'x: y\r\n'.repeat(5000)}\r\n`, /^failed: .*headers are too large/],
	nothing: ['', /^failed: the connection broke: other side closed$/],
};

test.each(Object.entries(replies))(
	'%s: the same wherever the reply is cut',
	async (_name, [text, expected]) => {
		const whole = Buffer.from(text as string);
		const once = await outcome([whole]);
		expect(once).toMatch(expected);
		const cuts =
			whole.length > 3000
				? [1, 2, 16_383, 16_384, 16_385, 65_536].filter((at) => at < whole.length)
				: Array.from({ length: whole.length }, (_, at) => at);
		for (const at of cuts)
			expect(await outcome([whole.subarray(0, at), whole.subarray(at)].filter(({ length }) => length > 0))).toBe(once);
		if (whole.length > 3000) return;
		expect(await outcome(Array.from(whole, (_, at) => whole.subarray(at, at + 1)))).toBe(once);
		await fc.assert(
			fc.asyncProperty(
				fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, whole.length - 1) }), { maxLength: 6 }),
				async (at) => {
					const edges = [0, ...at.sort((a, b) => a - b), whole.length];
					const pieces = edges.slice(1).map((edge, n) => whole.subarray(edges[n], edge));
					expect(await outcome(pieces.filter(({ length }) => length > 0))).toBe(once);
				},
			),
			{ numRuns: 40 },
		);
	},
	60_000,
);

test('a piece that was work for long is followed by the turn of others before the next one is read', async () => {
	const pool = new CallPool('http://127.0.0.1:1');
	let work = 0;
	const handler = {
		onResponseData() {
			const until = performance.now() + work;
			while (performance.now() < until);
		},
	};
	pool.send('/mcp', { method: 'POST', headers: [], body: Buffer.from('{}'), lasting: false }, handler);
	const [socket] = sockets;
	if (socket === undefined) throw new Error('no connection was opened');
	socket.emit('connect');
	socket.emit('data', Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'));
	expect(socket.flow).toEqual([]);
	work = 5;
	socket.emit('data', Buffer.alloc(8192));
	expect(socket.flow).toEqual(['pause']);
	await turn();
	expect(socket.flow).toEqual(['pause', 'resume']);
	await pool.destroy();
});
