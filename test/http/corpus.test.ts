import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mcpConfig, runGateway, type RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { type RawCase, rawCases, wholeCall } from './corpus.ts';
import { RawClient } from './raw-client.ts';
import { rawReplies } from './raw-replies.ts';

const cases = rawCases();
/** For a busy machine; nothing here takes longer than milliseconds. */
const patienceMs = 10_000;
let gateway: RunningGateway;
let upstream: HttpMcpServer;

beforeAll(async () => {
	upstream = await HttpMcpServer.start({ eras: ['modern'], tools: ['good', 'evil'] });
	upstream.override('tools/call', ({ id }, response) => {
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(`{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","content":[]}}`);
	});
	gateway = await runGateway(mcpConfig(`- name: a\n  mcp:\n    host: ${upstream.url}`));
	await callOnce();
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	await upstream.close();
});

const portOf = (url: string) => Number(new URL(url).port);
const calls = () => upstream.received.filter(({ method }) => method === 'tools/call');

async function callOnce(): Promise<void> {
	const client = new RawClient(portOf(gateway.url()));
	client.send(wholeCall('good', -1));
	await client.until((text) => text.includes('"result"') || text.includes('"error"'), 20_000);
	client.destroy();
}

/** Sends a case and waits for what comes of it. */
async function play(port: number, one: RawCase): Promise<number[] | string> {
	const client = new RawClient(port);
	client.send(one.bytes);
	if (one.end) client.end();
	try {
		const text = await client.until((got, closed) => closed || (one.open && isWhole(got, one)), patienceMs);
		if (!one.open || client.closed) return rawReplies(text).map(({ status }) => status);
		// The connection is in order: what comes next is answered, and by one reply.
		client.send('GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
		const replies = rawReplies(await client.untilClosed(patienceMs)).map(({ status }) => status);
		return replies.slice(0, -1);
	} catch (fault) {
		return String(fault);
	} finally {
		client.destroy();
	}
}

function isWhole(text: string, { replies }: RawCase): boolean {
	try {
		return rawReplies(text).length >= replies.length;
	} catch {
		return false;
	}
}

/** Plays cases, some at a time. */
async function inRows<T>(rows: readonly RawCase[], one: (each: RawCase) => Promise<T>): Promise<T[]> {
	const got: T[] = [];
	for (let at = 0; at < rows.length; at += 10) got.push(...(await Promise.all(rows.slice(at, at + 10).map(one))));
	return got;
}

test('there are enough cases, each with a name of its own', () => {
	expect(cases.length).toBeGreaterThanOrEqual(150);
	const names = cases.map(({ file, name }) => `${file}: ${name}`);
	expect(new Set(names).size).toBe(names.length);
});

describe.each([...new Set(cases.map(({ file }) => file))])('%s', (file) => {
	const own = cases.filter((one) => one.file === file);

	test('on the port of a listener', async () => {
		const port = portOf(gateway.url());
		const got = await inRows(own, async (one) => {
			const replies = await play(port, one);
			const seen = calls().filter(({ params }) => (params['arguments'] as { case?: number }).case === one.number);
			const tools = seen.map(({ params }) => params['name']);
			const fits = isDeepStrictEqual(replies, one.replies) && isDeepStrictEqual(tools, Array(one.calls).fill('good'));
			return fits ? null : { name: one.name, replies, tools };
		});
		expect(got.filter((one) => one !== null)).toEqual([]);
	});

	test.each(['admin', 'metrics', 'readiness'] as const)('on the %s port', async (where) => {
		const urls = { admin: gateway.adminUrl, metrics: gateway.statsUrl, readiness: gateway.readinessUrl };
		const got = await inRows(own, async (one) => {
			const replies = await play(portOf(urls[where]), { ...one, open: false, end: true });
			const framing = one.calls === 0 && !one.elsewhere && !one.end;
			// What can be read is answered there as it is for any path.
			const fits = framing ? isDeepStrictEqual(replies, one.replies) : replies.length <= one.replies.length + 1;
			return typeof replies === 'string' || !fits ? { name: one.name, replies } : null;
		});
		expect(got.filter((one) => one !== null)).toEqual([]);
	});
});

test('the gateway serves as before, and has logged no fault', async () => {
	await callOnce();
	expect(calls().every(({ params }) => params['name'] === 'good')).toBe(true);
	expect(gateway.log()).not.toMatch(/internal error|uncaught|unhandled/i);
	expect(gateway.process.exitCode).toBeNull();
});
