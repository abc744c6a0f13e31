import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from 'undici';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient, type RpcReply } from '../support/rpc-client.ts';
import { childrenConfig, fixtureServer, fixtureTarget, isAlive, Scratch, until } from './children.ts';
import { environment, marked, markOf } from './marked.ts';
import { guardsOf } from '../support/guards.ts';
import { stateOf, targetOf } from '../support/state.ts';

/** Rounds of each test that does the same again and again: few here, more in a soak. */
const rounds = Number(process.env['ROUNDS'] ?? 10);
/** The machine may be busy with other tests; what is measured must not fail for that alone. */
const slack = 5;

let scratch: Scratch;
let gateway: RunningGateway;

beforeEach(() => {
	scratch = new Scratch();
});

afterEach(async () => {
	await gateway.stop();
	const left = scratch.living();
	scratch.remove();
	expect(left).toEqual([]);
});

function fixture(name: string, ...flags: string[]): string {
	return fixtureTarget(name, `--pids=${scratch.pidFile}`, ...flags);
}

async function run(targets: string[], settings: Record<string, string> = {}, env = {}): Promise<string> {
	gateway = await runGateway(childrenConfig(targets, settings), { env });
	return `${gateway.url()}/mcp`;
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('kill -9 of a child that 50 callers use', () => {
	test('each gets its own answer or one error, soon; the next call is served; nothing is run twice', async () => {
		const calls = join(scratch.folder, 'calls');
		const url = await run([fixture('one', `--calls=${calls}`)]);
		const agent = new Agent({ connections: 64 });
		const client = await LegacyClient.open(url, agent);
		const other = await LegacyClient.open(url, agent);
		const pid = async () => Number(await client.tool('pid'));
		let wrong = 0;
		let serial = 0;
		const late: number[] = [];
		const back: number[] = [];
		for (let round = 0; round < rounds; round++) {
			let killedAt = Number.POSITIVE_INFINITY;
			let over = false;
			const lane = async () => {
				while (!over) {
					const text = `call ${serial++}`;
					const reply = await client.request('tools/call', JSON.stringify({ name: 'echo', arguments: { text } }));
					const after = performance.now() - killedAt;
					if (isAnswer(reply, text)) continue;
					late.push(after);
					if (!/target "one"/.test(reply.message.error?.message ?? '')) wrong++;
				}
			};
			const victim = await pid();
			const callers = Array.from({ length: 50 }, lane);
			await pause(Math.random() * 200);
			killedAt = performance.now();
			process.kill(victim, 'SIGKILL');
			await until('a call is served again', 10_000 * slack, async () => (await pid().catch(() => victim)) !== victim);
			back.push(performance.now() - killedAt);
			expect(await other.tool('echo', `{"text":"other ${round}"}`)).toBe(`other ${round}`);
			over = true;
			await Promise.all(callers);
		}
		await agent.close();
		const ran = readFileSync(calls, 'utf8').trim().split('\n');
		expect(new Set(ran).size).toBe(ran.length);
		expect(wrong).toBe(0);
		const middle = late.sort((a, b) => a - b)[late.length >> 1] ?? 0;
		expect(middle).toBeLessThan(100 * slack);
		expect(late.at(-1)).toBeLessThan(2000);
		expect(Math.max(...back)).toBeLessThan(2000 * slack);
	}, 120_000);
});

function isAnswer(reply: RpcReply, text: string): boolean {
	return reply.message.result?.content?.[0]?.text === text;
}

describe('SIGSTOP of a child', () => {
	test('holds up nobody else, and 1,000 messages that it does not read take no memory to speak of', async () => {
		const url = await run([fixture('one'), fixture('other')]);
		const client = await LegacyClient.open(url);
		const pid = Number(await client.tool('one_pid'));
		const before = (await stateOf(gateway)).memoryBytes;
		process.kill(pid, 'SIGSTOP');
		const agent = new Agent({ connections: 64 });
		const many = await LegacyClient.open(url, agent);
		const stopped = Array.from({ length: 900 }, (_, n) =>
			client.request('tools/call', `{"name":"one_echo","arguments":{"text":"${n}"}}`),
		);
		for (let n = 0; n < 50; n++) expect(await many.tool('other_echo', `{"text":"${n}"}`)).toBe(String(n));
		expect((await stateOf(gateway)).memoryBytes - before).toBeLessThan(64 * 1024 * 1024);
		process.kill(pid, 'SIGCONT');
		const replies = await Promise.all(stopped);
		expect(replies.filter((reply, n) => !isAnswer(reply, String(n)))).toEqual([]);
		await agent.close();
	}, 60_000);

	test('is told to its callers when the time for a call is over', async () => {
		const url = await run([`${fixture('one')}\n    callTimeout: 1s`]);
		const client = await LegacyClient.open(url);
		const pid = Number(await client.tool('pid'));
		process.kill(pid, 'SIGSTOP');
		const before = performance.now();
		const { message } = await client.request('tools/call', '{"name":"echo","arguments":{"text":"hi"}}');
		const took = performance.now() - before;
		expect(message.error?.message).toContain('"one"');
		expect(took).toBeGreaterThan(750);
		expect(took).toBeLessThan(1000 + 250 * slack);
		process.kill(pid, 'SIGCONT');
	}, 30_000);
});

describe('a child that misbehaves', () => {
	test('junk is dropped and counted', async () => {
		const client = await LegacyClient.open(await run([fixture('one')]));
		expect(await client.tool('junk')).toBe('after the junk');
		// An array counts by what is in it.
		expect((await targetOf(gateway, 'one')).process?.junkLines).toBe(7);
		const metrics = await (await fetch(`${gateway.statsUrl}/metrics`)).text();
		expect(metrics).toMatch(/agentgateway_child_process_dropped_lines_total\{.*target="one"\} 7/);
	});

	test('a line of 100 MB ends it, and not the memory', async () => {
		const client = await LegacyClient.open(await run([fixture('one')]));
		expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
		const before = (await stateOf(gateway)).memoryBytes;
		let most = 0;
		const watch = setInterval(() => {
			void stateOf(gateway).then(({ memoryBytes }) => {
				most = Math.max(most, memoryBytes - before);
			});
		}, 20);
		const { message } = await client.request('tools/call', '{"name":"long","arguments":{"mib":100}}');
		await pause(200);
		clearInterval(watch);
		expect(message.error?.message).toContain('line of more than 16777216 bytes');
		expect(most).toBeLessThan(64 * 1024 * 1024);
		expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
	}, 30_000);

	test('half a line and an end: one error', async () => {
		const client = await LegacyClient.open(await run([fixture('one')]));
		const { message } = await client.request('tools/call', '{"name":"half","arguments":{}}');
		expect(message.error?.message).toContain('it exited with code 6');
		expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
	});

	test('ends again and again: told as a crash loop, with the reason, and the starts become rare', async () => {
		const url = await run([fixture('good'), fixture('one', '--fail')]);
		const sessions = await Promise.all(Array.from({ length: 5 }, () => LegacyClient.open(url)));
		await until('the loop is seen', 15_000, async () => {
			return (await targetOf(gateway, 'one')).process?.state === 'crash-looping';
		});
		expect((await targetOf(gateway, 'one')).process?.reason).toBe('it exited with code 3');
		expect(await sessions[0]?.tool('good_echo', '{"text":"hi"}')).toBe('hi');
		await pause(3000);
		const starts = scratch.pids().length;
		await pause(3000);
		expect(scratch.pids().length - starts).toBeLessThan(10);
		const metrics = await (await fetch(`${gateway.statsUrl}/metrics`)).text();
		expect(metrics).toMatch(/agentgateway_child_process_state\{.*target="one",state="crash-looping"\} 1/);
	}, 40_000);

	test('one that ignores the end of stdin and SIGTERM is gone with all its group after 3 s', async () => {
		const url = await run([fixture('one', '--ignore-term', '--grandchild=group')]);
		const client = await LegacyClient.open(url);
		const pid = Number(await client.tool('pid'));
		await until('only the session has processes', 10_000, () => scratch.living().length === 2);
		await client.end();
		const before = performance.now();
		await until('all are gone', 3000 * slack, () => scratch.living().length === 0);
		const took = performance.now() - before;
		// One that is being ended has lost its name before it is gone.
		await until('it is gone, too', 200 * slack, () => !isAlive(pid));
		expect(took).toBeGreaterThan(2000);
		expect(took).toBeLessThan(3000 + 200 * slack);
	}, 30_000);
});

describe.skipIf(process.platform !== 'linux')('a tree of processes, as npx makes it', () => {
	/** A shell that runs the server, which starts another in a session of its own. */
	function tree(name: string): string {
		const flags = `--pids=${scratch.pidFile} --ignore-term --grandchild=setsid`;
		const line = `${process.execPath} ${fixtureServer} ${flags}; exit $?`;
		return `- name: ${name}\n  stdio:\n    cmd: sh\n    args: ["-c", ${JSON.stringify(line)}]`;
	}

	test('what has left the group ends with the session', async () => {
		const url = await run([tree('one')]);
		const client = await LegacyClient.open(url);
		const mark = markOf(Number(await client.tool('pid')));
		const other = await LegacyClient.open(url);
		const [pid, grandchild] = [Number(await other.tool('pid')), scratch.pids().at(-1) ?? 0];
		expect(isAlive(grandchild)).toBe(true);
		await other.end();
		await until('the group is gone', 10_000, () => !isAlive(pid));
		await until('who left it, too', 10_000, () => !isAlive(grandchild));
		expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
		expect(marked(mark).length).toBeGreaterThanOrEqual(3);
	}, 40_000);

	test.each(['SIGTERM', 'SIGKILL'] as const)(
		'%s of the gateway amid churn leaves nobody',
		async (signal) => {
			for (let round = 0; round < Math.ceil(rounds / 5); round++) {
				const url = await run([tree('one')], {}, { SESSION_KEY: 'ab'.repeat(32), ADMIN_TOKEN: 'canary-token' });
				const client = await LegacyClient.open(url);
				const pid = Number(await client.tool('pid'));
				const mark = markOf(pid);
				expect(environment(String(pid)).filter((one) => /canary-token|(ab){32}/.test(one))).toEqual([]);
				let over = false;
				const churn = async () => {
					while (!over) await (await LegacyClient.open(url)).end();
				};
				const churning = Array.from({ length: 4 }, () => churn().catch(() => {}));
				await pause(300 + Math.random() * 500);
				gateway.process.kill(signal);
				await gateway.exited;
				over = true;
				const before = performance.now();
				await until('nobody carries the mark', 2000 * slack, () => marked(mark).length === 0);
				expect(performance.now() - before).toBeLessThan(2000 + 200 * slack);
				await Promise.all(churning);
			}
		},
		90_000,
	);

	test('the guard outlives signals to it, and not its job', async () => {
		const url = await run([tree('one')]);
		const client = await LegacyClient.open(url);
		const mark = markOf(Number(await client.tool('pid')));
		const [guard = 0] = guardsOf(gateway.process.pid ?? 0);
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(guard, signal);
		await pause(300);
		expect(isAlive(guard)).toBe(true);
		gateway.process.kill('SIGKILL');
		await gateway.exited;
		await until('all have ended, the guard last', 2000 * slack, () => marked(mark).length === 0 && !isAlive(guard));
	}, 30_000);

	test('a guard that is killed soon after its start has a successor at once', async () => {
		const url = await run([tree('one')]);
		const client = await LegacyClient.open(url);
		const mark = markOf(Number(await client.tool('pid')));
		const pid = gateway.process.pid ?? 0;
		const [guard = 0] = guardsOf(pid);
		process.kill(guard, 'SIGKILL');
		await until('another guard', 1000 * slack, () => guardsOf(pid).some((one) => one !== guard));
		gateway.process.kill('SIGKILL');
		await gateway.exited;
		await until('all have ended', 2500 * slack, () => marked(mark).length === 0);
	}, 30_000);
});
