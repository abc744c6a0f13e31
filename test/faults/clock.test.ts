import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { childrenConfig, fixtureTarget } from '../processes/children.ts';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { callOnce, pause } from './under-load.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function start(...nodeArgs: string[]): Promise<RunningGateway> {
	const gateway = await runGateway(childrenConfig([fixtureTarget('a')], { sessionTtl: '10m' }), {
		nodeArgs,
		ipc: nodeArgs.length > 0,
	});
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	return gateway;
}

/** Seconds of processor time that a process has used (proc(5): ticks of 10 ms). */
function processorTime(pid: number | undefined): number {
	const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The share of a processor that the gateway uses over a while. */
async function load(gateway: RunningGateway, ms: number): Promise<number> {
	const before = processorTime(gateway.process.pid);
	await pause(ms);
	return (processorTime(gateway.process.pid) - before) / (ms / 1000);
}

/** Moves the wall clock of the gateway, and nothing else. */
const shiftClock = `data:text/javascript,${encodeURIComponent(`
	const Real = Date;
	let offset = 0;
	globalThis.Date = class extends Real {
		constructor(...given) {
			if (given.length === 0) super(Real.now() + offset);
			else super(...given);
		}
		static now() {
			return Real.now() + offset;
		}
	};
	process.on('message', (ms) => (offset = ms));
	process.channel.unref();
`)}`;

// The processor time is read from /proc.
describe.skipIf(process.platform !== 'linux')('a wall clock that jumps', () => {
	test.each([
		['forward by an hour', 3_600_000],
		['back by an hour', -3_600_000],
	])('%s ends no session and no stream, and makes no work', { timeout: 60_000 }, async (_name, jump) => {
		const gateway = await start('--import', shiftClock);
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		const stream = await client.listen();
		closing.push(() => stream.close());
		expect(await client.tool('echo', '{"text":"before"}')).toBe('before');
		const calling = client.tool('late', '{"ms":1500}');
		gateway.process.send(jump);
		expect(await load(gateway, 2500)).toBeLessThan(0.1);
		expect(await calling).toBe('late');
		expect(await client.tool('echo', '{"text":"after"}')).toBe('after');
		expect((await (await fetch(`${gateway.adminUrl}/api/state`)).json()) as object).toMatchObject({ sessions: 1 });
		const shown = new Date(gateway.log().trim().split('\n').at(-1)?.split(' ')[0] ?? '').getTime();
		expect(Math.abs(shown - Date.now() - jump)).toBeLessThan(60_000);
		gateway.process.send(0);
		expect(await client.tool('echo', '{"text":"again"}')).toBe('again');
	});
});

describe.skipIf(process.platform !== 'linux')('load that ends', () => {
	test('leaves the processor alone', { timeout: 90_000 }, async () => {
		const gateway = await start();
		for (let round = 0; round < 2; round++) {
			const agent = new Agent({ keepAlive: true, maxSockets: 500 });
			const calls = Array.from({ length: 600 }, (_, id) => callOnce(`${gateway.url()}/mcp`, agent, 'late', id));
			expect((await Promise.all(calls)).filter((outcome) => outcome !== 'answered')).toEqual([]);
			const client = await LegacyClient.open(`${gateway.url()}/mcp`);
			const stream = await client.listen();
			agent.destroy();
			stream.close();
			await pause(2000);
			// One per cent, and one tick of what the kernel counts by.
			expect(await load(gateway, 3000)).toBeLessThanOrEqual(0.01 + 0.01 / 3);
		}
	});
});
