import { afterEach, describe, expect, test } from 'vitest';
import { childrenConfig, fixtureTarget, Scratch, until } from '../processes/children.ts';
import { RawClient } from '../http/raw-client.ts';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { StdioGateway } from '../support/stdio-gateway.ts';
import { endUnderLoad, pause } from './under-load.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

const meta =
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
const deadlineMs = 1500;

/** A gateway in front of the misbehaving server, with 1.5 s to drain. */
async function start(env: Record<string, string> = {}, ...flags: string[]): Promise<RunningGateway> {
	const gateway = await runGateway(childrenConfig([fixtureTarget('a', ...flags)]), {
		env: { CONNECTION_TERMINATION_DEADLINE: `${deadlineMs}ms`, ...env },
	});
	closing.push(() => gateway.process.kill('SIGKILL'));
	return gateway;
}

/** Sends a message over a connection of its own. `headers` are further lines. */
function post(gateway: RunningGateway, body: string, path = '/mcp', headers: string[] = []): RawClient {
	const client = new RawClient(Number(new URL(gateway.url()).port));
	client.send(httpPost(body, path, headers));
	return client;
}

function httpPost(body: string, path: string, headers: string[]): string {
	const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', ...headers];
	return [...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

function get(gateway: RunningGateway, path: string, headers: string[] = []): RawClient {
	const client = new RawClient(Number(new URL(gateway.url()).port));
	client.send(
		[`GET ${path} HTTP/1.1`, 'Host: localhost', 'Accept: text/event-stream', ...headers, '', ''].join('\r\n'),
	);
	return client;
}

const both = 'Accept: application/json, text/event-stream';
const modern = (method: string, name?: string) => [
	...['MCP-Protocol-Version: 2026-07-28', `Mcp-Method: ${method}`, both],
	...(name === undefined ? [] : [`Mcp-Name: ${name}`]),
];
const call = (name: string, id: number, more = '') =>
	`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{}${more}}}`;
const initialize =
	'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},' +
	'"clientInfo":{"name":"raw","version":"1"}}}';

/** Opens a session; gives the headers of its requests. */
async function session(gateway: RunningGateway): Promise<string[]> {
	const client = post(gateway, initialize, '/mcp', [both, 'Connection: close']);
	const id = /mcp-session-id: (\S+)/i.exec(await client.untilClosed(10_000))?.[1];
	return [both, `Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'];
}

/** Ends the gateway; gives how long it took. */
async function stop(gateway: RunningGateway): Promise<number> {
	const began = performance.now();
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	return performance.now() - began;
}

describe('SIGTERM', () => {
	test('under load fails no call that was sent, three times over', { timeout: 90_000 }, async () => {
		for (let round = 0; round < 3; round++) {
			const { answered, failed, tookMs, code, log } = await endUnderLoad();
			expect(failed).toEqual([]);
			expect(answered).toBeGreaterThan(99);
			expect(code).toBe(0);
			expect(tookMs).toBeLessThan(6_000);
			expect(log).not.toMatch(/internal error|Unhandled|uncaught/i);
		}
	});

	test('lets calls at the deadline end with an error that says why, in every form of reply', async () => {
		const gateway = await start();
		const headers = await session(gateway);
		const json = post(gateway, call('hang', 7, `,${meta}`), '/mcp', modern('tools/call', 'hang'));
		const streamed = post(gateway, call('hang', 8), '/mcp', headers);
		const sse = get(gateway, '/sse');
		const path = /data: (\S+)\n/.exec(await sse.until((text) => text.includes('data: '), 10_000))?.[1] ?? '';
		post(gateway, initialize, path);
		await sse.until((text) => text.includes('serverInfo'), 10_000);
		post(gateway, call('hang', 9), path);
		// A call of 2025-11-25 becomes a stream after a second of silence.
		await streamed.until((text) => text.includes('text/event-stream'), 10_000);

		const took = await stop(gateway);
		expect(took).toBeGreaterThan(deadlineMs - 50);
		expect(took).toBeLessThan(deadlineMs + 1000);
		const error = '"error":{"code":-32603,"message":"the gateway is stopping"}';
		const whole = await json.untilClosed();
		expect(whole).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 5/);
		expect(whole).toContain(`{"jsonrpc":"2.0","id":7,${error}}`);
		for (const [stream, id] of [
			[streamed, 8],
			[sse, 9],
		] as const) {
			const text = await stream.untilClosed();
			expect(text).toContain(`data: {"jsonrpc":"2.0","id":${id},${error}}\n\n`);
			// The end of a chunked body: nobody takes it for a broken connection.
			expect(text.endsWith('\r\n0\r\n\r\n')).toBe(true);
		}
	});

	test('ends streams that only listen at once, with what the era has for it', async () => {
		const gateway = await start();
		const headers = await session(gateway);
		const listening = get(gateway, '/mcp', headers);
		const sse = get(gateway, '/sse');
		const subscribe = `{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},${meta}}}`;
		const subscribed = post(gateway, subscribe, '/mcp', modern('subscriptions/listen'));
		await subscribed.until((text) => text.includes('acknowledged'), 10_000);
		await listening.until((text) => text.includes(': open'), 10_000);
		await sse.until((text) => text.includes('endpoint'), 10_000);

		expect(await stop(gateway)).toBeLessThan(deadlineMs);
		expect(await subscribed.untilClosed()).toMatch(/"id":3,"result":\{"resultType":"complete"[^]*\r\n0\r\n\r\n$/);
		for (const stream of [listening, sse]) expect(await stream.untilClosed()).toMatch(/\r\n0\r\n\r\n$/);
	});

	test('serves calls on open connections, and refuses streams that would not end', async () => {
		const gateway = await start({ CONNECTION_MIN_TERMINATION_DEADLINE: '1s' });
		const headers = await session(gateway);
		const ping = '{"jsonrpc":"2.0","id":5,"method":"ping"}';
		const kept = Array.from({ length: 4 }, () => post(gateway, ping, '/mcp', headers));
		for (const one of kept) await one.until((text) => text.includes('"id":5'), 10_000);
		gateway.process.kill('SIGTERM');
		await gateway.waitFor(/draining/);
		const [calls, listens, subscribes, opens] = kept as [RawClient, RawClient, RawClient, RawClient];
		calls.send(httpPost(ping.replace('5', '6'), '/mcp', headers));
		listens.send(['GET /mcp HTTP/1.1', 'Host: localhost', ...headers, '', ''].join('\r\n'));
		const subscribe = `{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"notifications":{},${meta}}}`;
		subscribes.send(httpPost(subscribe, '/mcp', modern('subscriptions/listen')));
		opens.send('GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
		expect(await calls.untilClosed()).toMatch(/HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*Connection: close[^]*"id":6/);
		for (const one of [listens, subscribes, opens]) {
			const text = await one.untilClosed();
			expect(text).toMatch(/HTTP\/1\.1 200 [^]*HTTP\/1\.1 503 [^]*retry-after: 5[^]*the gateway is stopping/);
			expect(text).toMatch(/Connection: close/);
		}
		expect(await gateway.exited).toBe(0);
	});
});

describe('whatever hangs', () => {
	test('children that ignore everything do not hold up the end, and are ended', async () => {
		const scratch = new Scratch();
		closing.push(() => scratch.remove());
		const gateway = await start({}, '--ignore-term', `--pids=${scratch.pidFile}`);
		const headers = await session(gateway);
		post(gateway, call('hang', 8), '/mcp', headers);
		await until('a child', 10_000, () => scratch.living().length > 0);
		await pause(200);
		expect(await stop(gateway)).toBeLessThan(deadlineMs + 1000);
		await until('no child', 3_000, () => scratch.living().length === 0);
	});

	test('a second signal ends it at once', async () => {
		const gateway = await start({ CONNECTION_TERMINATION_DEADLINE: '30s' });
		const hanging = post(gateway, call('hang', 8, `,${meta}`), '/mcp', modern('tools/call', 'hang'));
		await pause(300);
		gateway.process.kill('SIGTERM');
		await gateway.waitFor(/draining/);
		// What comes within half a second is taken for the same one.
		await pause(600);
		const began = performance.now();
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(143);
		expect(performance.now() - began).toBeLessThan(1000);
		await hanging.untilClosed();
	});

	test('over stdio, calls at the deadline end with an error, too', async () => {
		const gateway = new StdioGateway(childrenConfig([fixtureTarget('a', '--ignore-term')]), [], {
			CONNECTION_TERMINATION_DEADLINE: `${deadlineMs}ms`,
		});
		closing.push(() => gateway.process.kill('SIGKILL'));
		await gateway.initialize();
		gateway.write(call('hang', 8));
		await pause(100);
		const began = performance.now();
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
		expect(performance.now() - began).toBeLessThan(deadlineMs + 1000);
		expect(gateway.said().find(({ id }) => id === 8)?.error?.message).toBe('the gateway is stopping');
	});
});
