import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { childrenConfig, fixtureTarget, isAlive, Scratch, until } from './children.ts';
import { guardsOf } from '../support/guards.ts';

let scratch: Scratch;
let gateway: RunningGateway | null;

beforeEach(() => {
	scratch = new Scratch();
	gateway = null;
});

afterEach(async () => {
	gateway?.process.kill('SIGKILL');
	await gateway?.exited;
	scratch.remove();
});

async function run(flags: string[], settings: Record<string, string> = {}): Promise<RunningGateway> {
	gateway = await runGateway(childrenConfig([fixtureTarget('one', `--pids=${scratch.pidFile}`, ...flags)], settings));
	return gateway;
}

/** A session whose child has told its pid. */
async function open(running: RunningGateway): Promise<LegacyClient> {
	const client = await LegacyClient.open(`${running.url()}/mcp`);
	await until('the pid of the child is known', 5000, () => scratch.living().length > 0);
	return client;
}

describe('the end of the gateway is the end of its children', () => {
	test.each([['SIGTERM'], ['SIGINT']] as const)('%s ends the whole tree and exits with 0', async (signal) => {
		const running = await run(['--grandchild=group']);
		const client = await open(running);
		const pid = Number(await client.tool('pid'));
		expect(isAlive(pid)).toBe(true);
		running.process.kill(signal);
		expect(await running.exited).toBe(0);
		expect(scratch.living()).toEqual([]);
		expect(scratch.pids()).toContain(pid);
	});

	test('SIGTERM ends a child that ignores SIGTERM, and a grandchild that left the group', async () => {
		const running = await run(['--ignore-term', '--grandchild=setsid']);
		await open(running);
		running.process.kill('SIGTERM');
		expect(await running.exited).toBe(0);
		await until('no child is left', 2000, () => scratch.living().length === 0);
	});

	test.each(['SIGINT', 'SIGTERM'] as const)('a second %s right after the first is the same one', async (signal) => {
		const running = await run([]);
		const client = await open(running);
		const call = client.tool('late', '{"ms":1000}');
		await new Promise((resolve) => setTimeout(resolve, 200));
		running.process.kill(signal);
		await running.waitFor(/: draining/);
		running.process.kill(signal);
		expect(await call).toBe('late');
		expect(await running.exited).toBe(0);
	});

	test('a second SIGINT exits at once, and the children follow', async () => {
		const running = await run(['--ignore-term', '--grandchild=group']);
		await open(running);
		running.process.kill('SIGINT');
		await running.waitFor(/SIGINT: draining/);
		await anotherPress();
		const before = performance.now();
		running.process.kill('SIGINT');
		expect(await running.exited).toBe(130);
		expect(performance.now() - before).toBeLessThan(500);
		await until('no child is left', 2000, () => scratch.living().length === 0);
	});

	test.each([['group'], ['setsid']])('kill -9 leaves nobody after 2 s (grandchild: %s)', async (kind) => {
		const running = await run(['--ignore-term', `--grandchild=${kind}`]);
		await open(running);
		expect(scratch.living().length).toBeGreaterThanOrEqual(2);
		running.process.kill('SIGKILL');
		await until('no child is left', 2000, () => scratch.living().length === 0);
	});

	test.skipIf(process.platform !== 'linux')(
		'kill -9 leaves nobody even when the guard had been killed before',
		async () => {
			const running = await run(['--ignore-term']);
			await open(running);
			const guards = guardsOf(running.process.pid ?? 0);
			expect(guards).toHaveLength(1);
			// One that was ended right after its start is taken for one that cannot live.
			await new Promise((resolve) => setTimeout(resolve, 1100));
			for (const pid of guards) process.kill(pid, 'SIGKILL');
			await until('a new guard stands', 2000, () =>
				guardsOf(running.process.pid ?? 0).some((pid) => !guards.includes(pid)),
			);
			running.process.kill('SIGKILL');
			await until('no child is left', 2500, () => scratch.living().length === 0);
		},
	);
});

/** Signals within half a second are taken for one. */
function anotherPress(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 600));
}
