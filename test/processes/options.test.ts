import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { childrenConfig, fixtureTarget, isAlive, Scratch, until } from './children.ts';
import { stateOf, targetOf } from '../support/state.ts';

let scratch: Scratch;
let gateway: RunningGateway;

beforeEach(() => {
	scratch = new Scratch();
});

afterEach(async () => {
	expect(await gateway.stop()).toBe(0);
	const left = scratch.living();
	scratch.remove();
	expect(left).toEqual([]);
});

/** The misbehaving server as `one`, with further keys of its `stdio` section. */
function one(keys: Record<string, string | number | boolean>, ...flags: string[]): string {
	const more = Object.entries(keys).map(([key, value]) => `\n    ${key}: ${value}`);
	return fixtureTarget('one', `--pids=${scratch.pidFile}`, ...flags) + more.join('');
}

/** A gateway before these targets, once the first look at them is over, and the URL of its endpoint. */
async function run(targets: string[], settings: Record<string, string> = {}): Promise<string> {
	gateway = await runGateway(childrenConfig(targets, settings));
	await until('the first look is over', 10_000, async () => {
		const { state, connections, tools } = await targetOf(gateway, 'one');
		return (state === 'ready' && connections === 0 && tools !== null) || state === 'failed';
	});
	return `${gateway.url()}/mcp`;
}

async function processes(): Promise<number> {
	return (await targetOf(gateway, 'one')).processes;
}

/** So many processes, once what the first look has left behind is gone. */
async function untilProcesses(count: number): Promise<void> {
	await until(`${count} processes`, 10_000, async () => (await processes()) === count);
}

async function initialize(url: string): Promise<Response> {
	const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
	return fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
		body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
	});
}

describe('cwd', () => {
	test('is where the process runs', async () => {
		const cwd = join(scratch.folder, 'here');
		mkdirSync(cwd);
		const client = await LegacyClient.open(await run([one({ cwd })]));
		expect(await client.tool('cwd')).toBe(cwd);
	});

	test('a folder that is not there is named', async () => {
		await run([one({ cwd: '/no/such/folder' })]);
		const { state, reason, remedy } = await targetOf(gateway, 'one');
		expect({ state, reason }).toEqual({
			state: 'failed',
			reason: 'the folder `/no/such/folder` of `cwd` does not exist',
		});
		expect(remedy).toContain('cwd');
		const { warnings } = await stateOf(gateway);
		expect(warnings).toEqual([
			expect.stringMatching(/stdio\.cwd: the folder `\/no\/such\/folder` .*; make the folder, or/),
		]);
	});
});

describe('startTimeout', () => {
	test('ends a process that does not answer the handshake, and says how to give it longer', async () => {
		await run([one({ startTimeout: '700ms' }, '--silent')]);
		const { reason, remedy } = await targetOf(gateway, 'one');
		expect(reason).toBe('it did not answer within 0.7 s');
		expect(remedy).toContain('startTimeout');
		await until('the process has ended', 3000, () => scratch.living().length < scratch.pids().length);
	});

	test('shows what the process has printed until then, without secrets', async () => {
		const env = '{ API_TOKEN: canary-secret-start1234 }';
		await run([one({ startTimeout: '1500ms', env }, '--silent', '--prints', '--banner')]);
		const { reason, remedy, stderr } = await targetOf(gateway, 'one');
		expect(reason).toBe('it did not answer within 1.5 s; it had written to stdout what is no message');
		expect(remedy).toMatch(/let it log to stderr\. .*startTimeout/);
		expect(stderr).toEqual([
			'reading settings',
			'waiting for the database',
			'token <redacted>? ',
			'stdout: Server is running on stdio',
		]);
		expect(gateway.log()).toMatch(
			/target "one" failed: .*waiting for the database.*stdout: Server is running on stdio/,
		);
	});
});

test('a banner on stdout is told of a process that ends at its start, too', async () => {
	await run([one({}, '--banner', '--fail')]);
	const { reason, stderr } = await targetOf(gateway, 'one');
	expect(reason).toMatch(/^it exited with code 3 .*; it had written to stdout what is no message$/);
	expect(stderr).toEqual(['reading settings', 'no such database', 'stdout: Server is running on stdio']);
});

test('what a process prints on stdout later is no news of its start', async () => {
	const client = await LegacyClient.open(await run([one({}, '--banner')]));
	await client.request('tools/call', '{"name":"crash"}');
	const { reason, stderr } = await targetOf(gateway, 'one');
	expect({ reason, stderr }).toEqual({ reason: 'it exited with code 5', stderr: ['about to crash', 'last words'] });
});

describe('idleTimeout', () => {
	test('ends a process that nobody calls; the next call starts it again, in the same session', async () => {
		const client = await LegacyClient.open(await run([one({ idleTimeout: '500ms' })]));
		const pid = Number(await client.tool('pid'));
		await until('the process has ended', 5000, () => !isAlive(pid));
		await untilProcesses(0);
		expect((await targetOf(gateway, 'one')).process).toMatchObject({ state: 'stopped', reason: '', ends: 0 });
		const [again, same] = await Promise.all([client.tool('pid'), client.tool('pid')]);
		expect(Number(again)).not.toBe(pid);
		expect(same).toBe(again);
	});

	test('what it lists is asked for anew when it has been away', async () => {
		const client = await LegacyClient.open(await run([one({ idleTimeout: '500ms' })]));
		const pid = Number(await client.tool('pid'));
		await client.tool('grow');
		expect(await client.toolNames()).toContain('extra1');
		await until('the process has ended', 5000, () => !isAlive(pid));
		expect(Number(await client.tool('pid'))).not.toBe(pid);
		expect(await client.toolNames()).not.toContain('extra1');
	});

	test('a call under way keeps it', async () => {
		const client = await LegacyClient.open(await run([one({ idleTimeout: '300ms' })]));
		const pid = await client.tool('pid');
		expect(await client.tool('late', '{"ms":1200}')).toBe('late');
		expect(await client.tool('pid')).toBe(pid);
	});

	test('a subscription keeps it, for as long as it lasts', async () => {
		const taken = '--on=resources/subscribe:"result":{}';
		const client = await LegacyClient.open(await run([one({ idleTimeout: '500ms' }, taken)]));
		const stream = await client.listen();
		// The time runs since the last call; it must not run out.
		await client.tool('pid');
		expect((await client.request('resources/subscribe', '{"uri":"x://a"}')).message.result).toEqual({});
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect(await processes()).toBe(1);
		await client.tool('touch', '{"uri":"x://a"}');
		await until('it is told', 5000, () => stream.seen.some((one) => one.includes('resources/updated')));
		await client.request('resources/unsubscribe', '{"uri":"x://a"}');
		await untilProcesses(0);
		stream.close();
	});
});

describe('prewarm', () => {
	test('a session takes the process in reserve, and another takes its place', async () => {
		const url = await run([one({ prewarm: true })]);
		await until('it is up', 10_000, () => scratch.living().length === 1 && scratch.pids().length === 2);
		const spare = scratch.living();
		const client = await LegacyClient.open(url);
		expect(spare).toContain(Number(await client.tool('pid')));
		await untilProcesses(2);
		await client.end();
		await untilProcesses(1);
	});

	test('so does a session that wakes', async () => {
		const client = await LegacyClient.open(await run([one({ prewarm: true, idleTimeout: '500ms' })]));
		await client.tool('pid');
		await until('the session sleeps', 10_000, () => scratch.pids().length === 3 && scratch.living().length === 1);
		const spare = scratch.living();
		expect(spare).toContain(Number(await client.tool('pid')));
		await until('the next is in reserve', 10_000, () => scratch.pids().length === 4);
	});

	test('is ready while it rests', async () => {
		await run([one({ prewarm: true })]);
		await until('it is up', 10_000, () => scratch.living().length === 1 && scratch.pids().length === 2);
		await until('it is ready', 5000, async () => (await targetOf(gateway, 'one')).process?.state === 'ready');
	});

	test('a server that exits on a request before its greeting is not asked again', async () => {
		const url = await run([one({ prewarm: true }, '--ping-exit')]);
		await until('one stays', 10_000, () => scratch.pids().length === 3 && scratch.living().length === 1);
		await new Promise((resolve) => setTimeout(resolve, 1500));
		const spare = scratch.living();
		expect(spare).toHaveLength(1);
		expect(spare).toContain(Number(await (await LegacyClient.open(url)).tool('pid')));
	});

	test('one that dies in reserve is replaced', async () => {
		const url = await run([one({ prewarm: true })]);
		await until('it is up', 10_000, () => scratch.living().length === 1 && scratch.pids().length === 2);
		const [spare = 0] = scratch.living();
		process.kill(spare, 'SIGKILL');
		await until('another is there', 5000, () => scratch.living().length === 1 && !scratch.living().includes(spare));
		expect(await (await LegacyClient.open(url)).tool('echo', '{"text":"hi"}')).toBe('hi');
	});
});

describe('prewarm where there is room for one process', () => {
	test('clients without a handshake take the one in reserve, too', async () => {
		const url = await run([one({ prewarm: true, maxProcesses: 1 })]);
		await until('it is up', 10_000, () => scratch.living().length === 1 && scratch.pids().length === 2);
		const spare = scratch.living();
		expect(spare).toContain(Number(await new ModernClient(url).tool('pid')));
	});

	test('sessions of another target are not refused for the sake of what is in reserve', async () => {
		const other = fixtureTarget('other', `--pids=${scratch.pidFile}`);
		const url = await run([one({ prewarm: true }), other], { limits: '\n      maxProcesses: 2' });
		await until('it is up', 15_000, async () => {
			const { process, processes } = await targetOf(gateway, 'one');
			return process?.state === 'ready' && processes === 1 && scratch.pids().length === 3;
		});
		const first = await LegacyClient.open(url);
		expect(await first.tool('other_echo', '{"text":"hi"}')).toBe('hi');
		expect(await first.tool('one_echo', '{"text":"hi"}')).toBe('hi');
		await first.end();
	}, 40_000);
});

describe('sharing', () => {
	test.each(['principal', 'all'])('%s: sessions use one process, which ends with the last of them', async (sharing) => {
		const url = await run([one({ sharing })]);
		const clients = await Promise.all([1, 2, 3].map(() => LegacyClient.open(url)));
		const pids = await Promise.all(clients.map((client) => client.tool('pid')));
		expect(new Set(pids).size).toBe(1);
		const [first, second, third] = clients;
		await first?.end();
		await second?.end();
		expect(await third?.tool('pid')).toBe(pids[0]);
		await third?.end();
		await until('the process has ended', 5000, () => !isAlive(Number(pids[0])));
	});

	test('nobody gets the answers of another, and what the server says by itself goes to all', async () => {
		const url = await run([one({ sharing: 'all' })]);
		const clients = await Promise.all([1, 2, 3].map(() => LegacyClient.open(url)));
		const streams = await Promise.all(clients.map((client) => client.listen()));
		const calls = clients.flatMap((client, who) =>
			Array.from({ length: 50 }, async (_, n) => {
				const text = `${who} ${n}`;
				return (await client.tool('echo', JSON.stringify({ text }))) === text;
			}),
		);
		expect((await Promise.all(calls)).every(Boolean)).toBe(true);
		await clients[0]?.tool('grow');
		await until('all have heard', 5000, () =>
			streams.every(({ seen }) => seen.some((message) => message.includes('tools/list_changed'))),
		);
		for (const stream of streams) stream.close();
	});

	test('clients of other capabilities get another process: the handshake has told the server of theirs', async () => {
		const url = await run([one({ sharing: 'all' })]);
		const plain = await LegacyClient.open(url);
		const sampling = await LegacyClient.open(url, undefined, '{"sampling":{}}');
		expect(await plain.tool('pid')).not.toBe(await sampling.tool('pid'));
	});

	test('its end is told to all, and all go on with the next', async () => {
		const url = await run([one({ sharing: 'all' })]);
		const clients = await Promise.all([1, 2].map(() => LegacyClient.open(url)));
		const [first] = clients;
		const hanging = clients.map((client) => client.request('tools/call', '{"name":"hang","arguments":{}}'));
		const pid = Number(await first?.tool('pid'));
		process.kill(pid, 'SIGKILL');
		for (const { message } of await Promise.all(hanging)) expect(message.error?.message).toContain('"one"');
		await until('they go on', 10_000, async () => {
			const pids = await Promise.all(clients.map((client) => client.tool('pid').catch(() => null)));
			return pids[0] !== null && pids[0] === pids[1] && Number(pids[0]) !== pid;
		});
	});

	test('one that hangs is noticed, however many sessions begin, and another takes its place', async () => {
		const url = await run([one({ sharing: 'all', callTimeout: '500ms' })]);
		const client = await LegacyClient.open(url);
		const pid = await client.tool('pid');
		await client.tool('deaf');
		let opened = false;
		await until('another answers', 45_000, async () => {
			const next = await LegacyClient.open(url).catch(() => null);
			const answer = await next?.tool('pid').catch(() => null);
			opened ||= (await targetOf(gateway, 'one')).circuit === 'open';
			return typeof answer === 'string' && answer !== pid;
		});
		expect(opened).toBe(true);
		await until('it has ended', 5000, () => !isAlive(Number(pid)));
		await until('its session goes on', 5000, () => client.tool('echo', '{"text":"hi"}').then(Boolean, () => false));
	}, 60_000);

	test('a server without a handshake is shared by all, whatever is written', async () => {
		const url = await run([one({ sharing: 'session' }, '--modern')]);
		const first = await LegacyClient.open(url);
		const others = await Promise.all([1, 2].map(() => LegacyClient.open(url)));
		const pids = await Promise.all([first, ...others, new ModernClient(url)].map((client) => client.tool('pid')));
		expect(new Set(pids).size).toBe(1);
		await untilProcesses(1);
	});
});

describe('limits', () => {
	test('maxProcesses of a target: a session of nothing else is refused, with the limit and Retry-After', async () => {
		const url = await run([one({ maxProcesses: 1 })]);
		await untilProcesses(0);
		const client = await LegacyClient.open(url);
		const refused = await initialize(url);
		expect(refused.status).toBe(429);
		expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
		expect(await refused.text()).toMatch(/\\"one\\".*limit of 1 processes.*maxProcesses/);
		await client.end();
		await untilProcesses(0);
		expect(await (await LegacyClient.open(url)).tool('echo', '{"text":"hi"}')).toBe('hi');
	});

	test('the place of a process that is being ended is waited for, and there is never one too many', async () => {
		gateway = await runGateway(childrenConfig([one({ maxProcesses: 1 }, '--ignore-term')]));
		let most = 0;
		const watch = setInterval(() => (most = Math.max(most, scratch.living().length)), 10);
		// The gateway has begun to look at the target by itself, and the first one waits for that, too.
		for (let n = 0; n < 3; n++) {
			const client = await LegacyClient.open(`${gateway.url()}/mcp`);
			expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
			await client.end();
		}
		clearInterval(watch);
		expect(most).toBe(1);
	}, 30_000);

	test('a full target leaves the others of a session alone, and joins when there is room', async () => {
		const url = await run([one({ maxProcesses: 1 }), fixtureTarget('other', `--pids=${scratch.pidFile}`)]);
		await untilProcesses(0);
		const first = await LegacyClient.open(url);
		const before = performance.now();
		const second = await LegacyClient.open(url);
		expect(performance.now() - before).toBeLessThan(5000);
		expect(await second.tool('other_echo', '{"text":"hi"}')).toBe('hi');
		const refused = await second.request('tools/call', '{"name":"one_echo","arguments":{"text":"hi"}}');
		expect(refused.status).toBe(429);
		expect(refused.message.error?.message).toContain('limit of 1 processes');
		await first.end();
		await until('it has joined', 15_000, async () => {
			const reply = await second.request('tools/call', '{"name":"one_echo","arguments":{"text":"hi"}}');
			return reply.message.result?.content?.[0]?.text === 'hi';
		});
	}, 40_000);

	test('maxProcesses of all targets, and of one principal', async () => {
		const url = await run([one({})], { limits: '\n      maxProcesses: 2\n      maxProcessesPerPrincipal: 1' });
		await untilProcesses(0);
		const client = await LegacyClient.open(url);
		expect(await (await initialize(url)).text()).toContain('maxProcessesPerPrincipal');
		await client.end();
		await gateway.stop();
		const again = await run([one({})], { limits: '\n      maxProcesses: 1' });
		await untilProcesses(0);
		await LegacyClient.open(again);
		expect(await (await initialize(again)).text()).toContain('config.mcp.limits.maxProcesses');
	});
});

describe('a client that has vanished', () => {
	test('is known by its closed stream, and its session ends early; one that never had a stream stays', async () => {
		const url = await run([one({})], { limits: '\n      vanishedTimeout: 1s' });
		const gone = await LegacyClient.open(url);
		const quiet = await LegacyClient.open(url);
		const listening = await LegacyClient.open(url);
		const stream = await gone.listen();
		const lasting = await listening.listen();
		await new Promise((resolve) => setTimeout(resolve, 1500));
		const pid = Number(await gone.tool('pid'));
		stream.close();
		await until('its process has ended', 8000, () => !isAlive(pid));
		expect((await gone.request('ping', '{}')).status).toBe(404);
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect(await quiet.tool('echo', '{"text":"hi"}')).toBe('hi');
		expect(await listening.tool('echo', '{"text":"hi"}')).toBe('hi');
		expect((await stateOf(gateway)).sessions).toBe(2);
		lasting.close();
	}, 30_000);
});
