import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../facts/facts.ts';
import { accessLog } from './access-log.ts';
import { jsonFormat } from './json-log.ts';
import { LineLog, LogCore } from './line-log.ts';
import { parseLogFilter } from './log-filter.ts';
import type { LineFormat } from './log-line.ts';
import { textFormat } from './text-log.ts';
import { Timestamps, wallClock } from './timestamp.ts';
import { type LineWriter, StreamWriter } from './write-log.ts';

const now = () => Date.UTC(2026, 10, 24, 12, 0, 5) * 1000 + 42;

function capture(format: LineFormat, filter = 'info', secrets: string[] = []) {
	const lines: string[] = [];
	const writer: LineWriter = {
		write: (line) => void lines.push(line),
		drain: async () => true,
		flush: () => undefined,
		dropped: 0,
	};
	const core = new LogCore({ format, filter: parseLogFilter(filter), writer, now, secrets });
	return { lines, core, log: new LineLog(core) };
}

describe('text', () => {
	test('the start line of the tutorial', () => {
		const { lines, log } = capture(textFormat(false));
		log.info('Listening on 0.0.0.0:3000');
		expect(lines).toEqual(['2026-11-24T12:00:05.000042Z INFO agentgateway: Listening on 0.0.0.0:3000\n']);
	});

	test('fields follow as k=v, quoted where they are not one word, left out when undefined', () => {
		const { lines, log } = capture(textFormat(false));
		log
			.scoped('agentgateway::mcp')
			.warn('target failed', { target: 'time', code: 1, ok: false, why: 'not "found"', gone: undefined, empty: '' });
		expect(lines[0]).toMatch(
			/ WARN agentgateway::mcp: target failed target=time code=1 ok=false why="not \\"found\\"" empty=""\n$/,
		);
	});

	test('nothing from outside makes a second line or speaks to the terminal', () => {
		const { lines, log } = capture(textFormat(false));
		log.error('a\nb\u001b[31m', { x: 'c\r\nINFO fake: line', y: '\u202eevil\u0000\u009b' });
		expect(lines[0]).toMatch(
			/ERROR agentgateway: a\\nb\\u001b\[31m x="c\\r\\nINFO fake: line" y="\\u202eevil\\u0000\\u009b"\n$/,
		);
	});

	test('colours only where they are wanted', () => {
		const { lines, log } = capture(textFormat(true));
		log.info('x');
		expect(lines[0]).toContain('\u001b[32mINFO\u001b[0m');
	});
});

describe('json', () => {
	test('is one object per line with its members in order', () => {
		const { lines, log } = capture(jsonFormat);
		log.info('a "b"\n', { n: 1, s: 'x\u2028\u001b', b: true, u: undefined, bad: Number.NaN });
		expect(lines[0]).toBe(
			'{"level":"info","time":"2026-11-24T12:00:05.000042Z","scope":"agentgateway","message":"a \\"b\\"\\n","n":1,"s":"x\\u2028\\u001b","b":true,"bad":null}\n',
		);
		expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'a "b"\n', s: 'x\u2028\u001b' });
	});
});

describe('secrets', () => {
	test('are replaced wherever they stand; short ones are left alone', () => {
		const { lines, log } = capture(textFormat(false), 'info', ['hunter2hunter2', 'a']);
		log.info('token hunter2hunter2', { url: 'http://x/?k=hunter2hunter2' });
		expect(lines[0]).toContain('token *** url="http://x/?k=***"');
	});

	test('are found in their escaped form too', () => {
		const { lines, log } = capture(jsonFormat, 'info', ['hunter2"\nhunter2']);
		log.info('token hunter2"\nhunter2');
		expect(lines[0]).toContain('"message":"token ***"');
	});
});

describe('the filter', () => {
	const levels = ['trace', 'debug', 'info', 'warn', 'error'];
	test.each([
		['', 'agentgateway', 'info'],
		['info', 'agentgateway', 'info'],
		['WARN', 'agentgateway', 'warn'],
		['warn,agentgateway::mcp=debug', 'agentgateway', 'warn'],
		['warn,agentgateway::mcp=debug', 'agentgateway::mcp', 'debug'],
		['warn,agentgateway::mcp=debug', 'agentgateway::mcp::upstream', 'debug'],
		['warn,agentgateway::mcp=debug', 'agentgateway::mcpx', 'warn'],
		['agentgateway=trace,agentgateway::mcp=error', 'agentgateway::mcp', 'error'],
		['agentgateway::mcp=debug', 'agentgateway', 'error'],
		['debug,request=off', 'request', undefined],
		['off', 'agentgateway', undefined],
		['request', 'request', 'trace'],
	])('%j lets %s through from %s', (text, scope, from) => {
		expect(levels[parseLogFilter(text).threshold(scope)]).toBe(from);
	});

	test('names what it cannot read', () => {
		expect(parseLogFilter('info,a=loud,[span]=debug').unread).toEqual(['a=loud', '[span]=debug']);
	});

	test('decides what a logger writes and what it says about it', () => {
		const { lines, log } = capture(textFormat(false), 'warn');
		log.info('no');
		log.warn('yes');
		expect(lines).toHaveLength(1);
		expect([log.enabled('info'), log.enabled('warn')]).toEqual([false, true]);
	});
});

describe('the access log', () => {
	const facts: Facts = {
		bind: 'bind/3000',
		gateway: 'default/default',
		listener: 'listener0',
		routeRule: 'rule one',
		route: 'default/route0',
		endpoint: 'localhost:9000',
		sourceAddress: '127.0.0.1:5000',
		method: 'POST',
		host: 'localhost:3000',
		path: '/mcp',
		httpVersion: 'HTTP/1.1',
		status: 200,
		protocol: 'mcp',
		mcpMethod: 'tools/call',
		mcpTarget: 'time',
		mcpResourceType: 'tool',
		mcpResource: 'get\ntime',
		mcpSession: 'abcdefgh',
		mcpErrorCode: -32602,
		mcpErrorMessage: 'Unknown tool: x',
		error: 'bad',
		reason: 'MCP',
		startedAt: 10,
	};

	test('has the fields in the order of the contract', () => {
		const { lines, core } = capture(textFormat(false));
		accessLog(core)?.(facts, 22.6);
		expect(lines).toEqual([
			'2026-11-24T12:00:05.000042Z INFO request: gateway=default/default listener=listener0 route_rule="rule one" route=default/route0 ' +
				'endpoint=localhost:9000 src.addr=127.0.0.1:5000 http.method=POST http.host=localhost:3000 http.path=/mcp http.version=HTTP/1.1 ' +
				'http.status=200 protocol=mcp mcp.method.name=tools/call mcp.target=time mcp.resource.type=tool gen_ai.tool.name="get\\ntime" ' +
				'mcp.session.id=abcdefgh mcp.error.code=-32602 mcp.error.message="Unknown tool: x" error="bad" reason=MCP duration=13ms\n',
		]);
	});

	test('leaves out what is absent, and the usual reason', () => {
		const { lines, core } = capture(textFormat(false));
		const { bind, sourceAddress, method, host, path, httpVersion, startedAt } = facts;
		accessLog(core)?.({ bind, sourceAddress, method, host, path, httpVersion, startedAt, reason: 'Upstream' }, 10);
		expect(lines[0]).toMatch(
			/request: src\.addr=127\.0\.0\.1:5000 http\.method=POST http\.host=localhost:3000 http\.path=\/mcp http\.version=HTTP\/1\.1 duration=0ms\n$/,
		);
	});

	test.each([textFormat(false), jsonFormat])('is short, whatever clients think up', (format) => {
		const { lines, core } = capture(format);
		const long = 'x'.repeat(100_000);
		const names = { mcpMethod: long, mcpResource: long, mcpErrorMessage: long, error: long };
		accessLog(core)?.({ ...facts, ...names, host: long, path: long }, 22.6);
		expect(lines[0]?.length).toBeLessThan(8000);
		expect(lines[0]?.match(/x{900,}… \(100000 characters\)"/g)).toHaveLength(6);
	});

	test('is JSON where the log is', () => {
		const { lines, core } = capture(jsonFormat);
		accessLog(core)?.(facts, 22.6);
		expect(JSON.parse(lines[0] ?? '')).toMatchObject({
			scope: 'request',
			'http.status': 200,
			'gen_ai.tool.name': 'get\ntime',
			duration: '13ms',
		});
	});

	test.each(['warn', 'info,request=warn', 'off'])('costs nothing with the filter %s', (filter) => {
		expect(accessLog(capture(textFormat(false), filter).core)).toBeNull();
	});
});

describe('times', () => {
	test('are RFC 3339 in UTC with six digits, across a second', () => {
		const timestamps = new Timestamps();
		const second = Date.UTC(2026, 11, 31, 23, 59, 59) * 1000;
		expect(timestamps.format(second + 999_999)).toBe('2026-12-31T23:59:59.999999Z');
		expect(timestamps.format(second + 1_000_000)).toBe('2027-01-01T00:00:00.000000Z');
		expect(timestamps.format(second)).toBe('2026-12-31T23:59:59.000000Z');
	});

	test('stay with the wall clock', () => {
		const clock = wallClock();
		for (let round = 0; round < 1_000; round++) {
			const before = Date.now() * 1000;
			const time = clock();
			expect(time).toBeGreaterThanOrEqual(before);
			expect(time).toBeLessThan((Date.now() + 1) * 1000);
		}
	});
});

/** A stream whose writes end when the test says so. */
class Slow extends Writable {
	chunks: string[] = [];
	release: (() => void)[] = [];

	override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
		this.chunks.push(chunk.toString());
		this.release.push(() => done());
	}
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the writer', () => {
	test('gathers the lines of one turn into one write', async () => {
		const stream = new Slow();
		const writer = new StreamWriter(stream);
		writer.write('a\n');
		writer.write('b\n');
		expect(stream.chunks).toEqual([]);
		await turn();
		expect(stream.chunks).toEqual(['a\nb\n']);
	});

	test('has one write under way, and drains', async () => {
		const stream = new Slow();
		const writer = new StreamWriter(stream);
		writer.write('a\n');
		await turn();
		writer.write('b\n');
		await new Promise((resolve) => setTimeout(resolve, 40));
		expect(stream.chunks).toEqual(['a\n']);
		let drained = false;
		const draining = writer.drain(5_000).then(() => (drained = true));
		stream.release.shift()?.();
		await new Promise((resolve) => setTimeout(resolve, 40));
		expect([stream.chunks, drained]).toEqual([['a\n', 'b\n'], false]);
		stream.release.shift()?.();
		await draining;
	});
});

describe('the writer without a reader', () => {
	test('does not wait for ever', async () => {
		const writer = new StreamWriter(new Slow());
		writer.write('a\n');
		await writer.drain(20);
	});

	test('drops and counts what a stopped reader leaves, and says so when it reads again', async () => {
		const stream = new Slow();
		const writer = new StreamWriter(stream);
		writer.write('a\n');
		await turn();
		for (let at = 0; at < 10; at++) writer.write(`${'x'.repeat(1024 * 1024)}\n`);
		expect(writer.dropped).toBe(3);
		stream.release.shift()?.();
		await new Promise((resolve) => setTimeout(resolve, 40));
		expect(stream.chunks[1]?.endsWith('\n3 log lines were dropped because they could not be written\n')).toBe(true);
	});

	test('writes to files without the stream, which a full disk would end', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'agw-log-'));
		const fd = openSync(join(folder, 'log'), 'w');
		const stream = Object.assign(new Slow(), { fd });
		const writer = new StreamWriter(stream);
		writer.write('a\n');
		await turn();
		expect([stream.chunks, readFileSync(join(folder, 'log'), 'utf8')]).toEqual([[], 'a\n']);
		closeSync(fd);
		writer.write('lost\n');
		await writer.drain(100);
		expect(writer.dropped).toBe(1);
		rmSync(folder, { recursive: true });
	});

	test('falls silent when the reader has gone', async () => {
		const stream = new Slow();
		const writer = new StreamWriter(stream);
		writer.write('a\n');
		await turn();
		stream.destroy(new Error('EPIPE'));
		await turn();
		writer.write('b\n');
		await writer.drain(1_000);
		writer.flush();
		expect(stream.chunks).toEqual(['a\n']);
	});
});
