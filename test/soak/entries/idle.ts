import { RawClient } from '../../http/raw-client.ts';
import type { Measured, WatchedGateway } from '../../faults/harness/watched-gateway.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { percentile } from '../figures.ts';
import { Load } from '../load.ts';
import { ownCore } from '../own-core.ts';
import { endSessions, many, openSessions } from '../sessions.ts';
import { atMost, none, type Row, type Scope, sleep, type Soak } from '../soak.ts';
import { cheapServer, echoServer, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** Sessions that nobody uses, then a stream of each: what they take, and what they cost those who work. */
export const idle: Soak = {
	name: 'idle',
	async run(scope) {
		const count = scope.short ? 200 : 10_000;
		const core = ownCore(scope);
		const gateway = await startGateway(scope, await config(scope), core);
		const url = `${gateway.url()}/mcp`;
		await warm(scope, gateway, ['echo'], 1);
		await warmUp(url);
		const empty = await gateway.measure(true);
		const sessions = await openSessions(url, count);
		await sleep(500);
		const withSessions = await gateway.measure(true);
		scope.say(`${count} sessions are open`);
		const rows = [
			memory('idle HTTP session', 6, empty, withSessions, count),
			...(await withStreams(scope, gateway, sessions, withSessions)),
			none('idle sessions: not there in the end', await endSessions(url, sessions)),
		];
		return [...rows, ...(await endRows(scope, gateway))];
	},
};

/** The sessions' target is the first, those who work use the second bind, so that no session holds more than itself. */
async function config(scope: Scope): Promise<string> {
	const yaml = mcpConfig(httpTarget('one', await cheapServer(scope)));
	const working = mcpConfig(httpTarget('echo', await echoServer(scope))).split('binds:\n')[1] ?? '';
	return `${yaml.replace('  mcp:\n', '  mcp:\n    limits: { maxSessions: 20000 }\n')}${working}`;
}

async function warmUp(url: string): Promise<void> {
	await endSessions(url, await openSessions(url, 200));
	await sleep(1000);
}

async function withStreams(
	scope: Scope,
	gateway: WatchedGateway,
	sessions: readonly string[],
	before: Measured,
): Promise<Row[]> {
	const seconds = scope.short ? 1 : 40;
	const working = () => new Load({ url: `${gateway.url(1)}/mcp`, tools: ['echo'], clients: 4, rate: 100 }).start();
	const first = await working();
	await sleep(1000);
	first.take();
	await sleep(seconds * 500);
	const alone = percentile(first.take(), 0.99);
	await first.stop();
	const streams = await many(sessions.length, 64, (index) => openStream(gateway, sessions[index] ?? ''));
	scope.say(`${streams.length} streams are open`);
	await sleep(1000);
	const after = await gateway.measure(true);
	// Only now: a forced collection is a stall that the gateway would refuse calls for.
	await sleep(scope.short ? 0 : 5000);
	const load = await working();
	await sleep(1000);
	load.take();
	await gateway.measure();
	await sleep(seconds * 1000);
	const { stall } = await gateway.measure();
	const among = percentile(load.take(), 0.99);
	await load.stop();
	const lost = streams.filter((one) => one.closed).map(() => 'a stream was closed');
	for (const one of streams) one.destroy();
	return [
		memory('idle SSE stream', 25, before, after, sessions.length),
		atMost(`${sessions.length} idle SSE streams: longest stall of the event loop`, 20, stall, ' ms'),
		atMost(`${sessions.length} idle SSE streams: p99 of calls beside them`, 5, among - alone, ' ms more'),
		none('idle SSE streams: lost', lost),
		none(
			'idle SSE streams: calls beside them that failed',
			load.failures.map(({ text }) => text),
		),
	];
}

async function openStream(gateway: WatchedGateway, session: string): Promise<RawClient> {
	const { port } = new URL(gateway.url());
	const client = new RawClient(Number(port));
	client.send(
		`GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n` +
			`mcp-protocol-version: 2025-11-25\r\nmcp-session-id: ${session}\r\n\r\n`,
	);
	await client.until((text) => text.startsWith('HTTP/1.1 200'), 30_000);
	return client;
}

/** Resident memory is what counts; the heap says how much of it is no rest of the allocator's. */
function memory(what: string, limit: number, before: Measured, after: Measured, count: number): Row {
	const each = (bytes: number) => bytes / count / 1024;
	const used = each(after.heap + after.external - before.heap - before.external);
	const row = atMost(`${what}, resident memory`, limit, each(after.rss - before.rss), ' KB');
	return { ...row, measured: `${row.measured} (heap and buffers ${used.toFixed(1)} KB)` };
}
