import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TestEndpoint } from '../support/endpoint.ts';
import { FakeExchange } from '../support/fake-exchange.ts';
import { HeldServer } from './held-server.ts';
import { hostileAnswers, type ListedMethod } from './hostile-answers.ts';

const size = 4 * 1024 ** 2 - 1024;
/** Milliseconds of processor time that one turn of the event loop may take, and times its size in memory. */
/** Milliseconds. The aim is 50; the rest is for machines that do something else, too. `TURN_MS=50` is strict. */
const maximumTurn = Number(process.env['TURN_MS'] ?? 150);
const maximumMemory = 32;

/** An exchange that keeps no more of a reply than how long it is: making text of it would be the test's own work. */
class CountingExchange extends FakeExchange {
	bytes = 0;

	override respond(status: number, headers: readonly string[], body: Parameters<FakeExchange['respond']>[2]): void {
		const parts = Array.isArray(body) ? (body as readonly Buffer[]) : [(body as Buffer | string | null) ?? ''];
		this.bytes = parts.reduce((sum, part) => sum + part.length, 0);
		super.respond(status, headers, this.bytes < 2_000 ? body : '');
	}
}

/** Client and server of different kinds with one target, and with two, whose results are rewritten. */
const sides = [
	{ client: 'legacy', modern: true, two: true },
	{ client: 'legacy', modern: true, two: false },
	{ client: 'modern', modern: false, two: false },
] as const;
type Side = (typeof sides)[number];

describe.each(hostileAnswers(size))('%s', (_name, method, text) => {
	test.each(sides)('is passed on or refused without holding the others up: %j', async (side) => {
		let best: Cost = { turn: Number.POSITIVE_INFINITY, memory: 0, settled: false };
		// The first ones run before the code is compiled, and on a busy machine.
		for (let round = 0; round < 4 && best.turn >= 50; round++) {
			const cost = await answered(side, method, text);
			if (cost.turn < best.turn) best = cost;
		}
		expect.soft(best.turn, 'milliseconds of one turn').toBeLessThan(maximumTurn);
		expect.soft(best.memory, 'times its size').toBeLessThan(maximumMemory);
		expect(best.settled, 'answered, or asked on').toBe(true);
	});
});

interface Cost {
	turn: number;
	memory: number;
	settled: boolean;
}

async function answered(side: Side, method: ListedMethod, text: string): Promise<Cost> {
	const server = new HeldServer('a', side.modern);
	const other = new HeldServer('b', side.modern);
	const endpoint = new TestEndpoint((side.two ? [server, other] : [server]).map((one) => one.target()));
	try {
		const exchange = await ask(endpoint, side, method);
		for (let turn = 0; turn < 500 && !server.waits(method); turn++) await nextTurn();
		for (let turn = 0; side.two && method === 'tools/list' && turn < 500 && !other.waits(method); turn++)
			await nextTurn();
		if (other.waits(method)) other.send(other.frame(method, noTools));
		return await costOf(server, server.frame(method, `{"jsonrpc":"2.0","id":$id,"result":${text}}`), () => {
			return exchange.ended || server.waits(method);
		});
	} finally {
		await endpoint.close();
	}
}

/** Lets a server send a message, and measures turn by turn until all is done with it. */
async function costOf(server: HeldServer, message: Buffer, settled: () => boolean): Promise<Cost> {
	const before = process.memoryUsage();
	let from = process.cpuUsage();
	server.send(message);
	let turn = milliseconds(from);
	const after = process.memoryUsage();
	// A server that wants nothing but another try is asked again a quarter of a second later.
	for (const end = performance.now() + 2_000; performance.now() < end && !settled(); ) {
		from = process.cpuUsage();
		await nextTurn();
		turn = Math.max(turn, milliseconds(from));
	}
	const memory = (after.heapUsed + after.external - before.heapUsed - before.external) / message.length;
	return { turn, memory, settled: settled() };
}

function milliseconds(from: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(from);
	return (user + system) / 1000;
}

async function ask(endpoint: TestEndpoint, side: Side, method: ListedMethod): Promise<CountingExchange> {
	const tool = side.two ? 'a_echo' : 'echo';
	const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
	const named = method === 'tools/call' ? { ...modern, 'mcp-name': tool } : modern;
	const headers = side.client === 'legacy' ? await endpoint.open() : named;
	const meta =
		'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
	const members = [
		...(method === 'tools/call' ? [`"name":"${tool}"`] : []),
		...(side.client === 'modern' ? [meta] : []),
	];
	const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${members.join(',')}}}`;
	const exchange = new CountingExchange('POST', headers, body);
	endpoint.mcp.handle(exchange);
	return exchange;
}

const noTools = '{"jsonrpc":"2.0","id":$id,"result":{"resultType":"complete","tools":[]}}';
