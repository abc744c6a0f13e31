import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from 'undici';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { childrenConfig, fixtureTarget, isAlive, Scratch, until } from './children.ts';
import { stateOf } from '../support/state.ts';

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

describe('the end of a session is the end of its children', () => {
	test('DELETE', async () => {
		const running = await run(['--grandchild=group']);
		const client = await open(running);
		const pid = Number(await client.tool('pid'));
		expect(await client.end()).toBeLessThan(300);
		await until('the child has ended', 4000, () => !isAlive(pid));
		await until('no child is left', 4000, () => scratch.living().length === 0);
		await until('the gateway knows', 1000, async () => (await stateOf(running)).childProcesses === 0);
	});

	test('DELETE, with a child that ignores SIGTERM', async () => {
		const running = await run(['--ignore-term', '--grandchild=group']);
		const client = await open(running);
		await client.end();
		await until('no child is left', 6000, () => scratch.living().length === 0);
	});

	test('an idle session ends after its TTL, one with an open stream stays', async () => {
		const running = await run([], { sessionTtl: '1s' });
		const idle = await open(running);
		const listening = await LegacyClient.open(`${running.url()}/mcp`);
		const stream = await listening.listen();
		const idlePid = Number(await idle.tool('pid'));
		const pid = Number(await listening.tool('pid'));
		await until('the idle child has ended', 5000, () => !isAlive(idlePid));
		expect((await idle.request('ping', '{}')).status).toBe(404);
		expect(isAlive(pid)).toBe(true);
		stream.close();
		await until('the other child has ended, too', 5000, () => !isAlive(pid));
	});

	test('200 sessions opened and abandoned leave no child', async () => {
		const running = await run(['--grandchild=group'], { sessionTtl: '2s' });
		const agent = new Agent({ connections: 8 });
		let left = 200;
		const lane = async () => {
			while (left-- > 0) {
				await LegacyClient.open(`${running.url()}/mcp`, agent).catch(async () => {
					// On a machine that is busy with other things, the gateway may refuse what it cannot serve in time.
					left++;
					await new Promise((resolve) => setTimeout(resolve, 200));
				});
			}
		};
		await Promise.all(Array.from({ length: 8 }, lane));
		await agent.destroy();
		expect(scratch.pids().length).toBeGreaterThanOrEqual(400);
		await until('no child is left', 8000, () => scratch.living().length === 0);
		await until('the gateway knows', 1000, async () => {
			const state = await stateOf(running);
			return state.sessions === 0 && state.childProcesses === 0;
		});
	}, 60_000);
});
