import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { childrenConfig, fixtureTarget, Scratch, until } from '../processes/children.ts';
import { stateOf, targetOf } from '../support/state.ts';

let scratch: Scratch;
let gateway: RunningGateway;

beforeEach(() => {
	scratch = new Scratch();
});

afterEach(async () => {
	const code = await gateway.stop();
	const log = gateway.log();
	const left = scratch.living();
	scratch.remove();
	expect(code).toBe(0);
	expect(left).toEqual([]);
	expect(log).not.toMatch(/\n\s+at .*:\d+:\d+|unhandled|uncaught/i);
});

/** A gateway with the target `good` and others, and the URL of its endpoint. */
async function run(others: string[], settings: Record<string, string> = {}): Promise<string> {
	const good = fixtureTarget('good', `--pids=${scratch.pidFile}`);
	gateway = await runGateway(childrenConfig([good, ...others], settings));
	return `${gateway.url()}/mcp`;
}

/** The fixture under the name `bad`. */
function bad(...flags: string[]): string {
	return fixtureTarget('bad', `--pids=${scratch.pidFile}`, ...flags);
}

describe('a target that does not come up leaves the others alone', () => {
	test('it exits at start: named with exit code and last stderr lines, and joins when it can', async () => {
		const ready = join(scratch.folder, 'ready');
		const url = await run([bad(`--fail-until=${ready}`)]);
		const client = await LegacyClient.open(url);
		const stream = await client.listen();
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
		expect((await client.toolNames()).every((name) => name.startsWith('good_'))).toBe(true);
		const target = await targetOf(gateway, 'bad');
		expect(target).toMatchObject({ state: 'failed', exitCode: 3, signal: null });
		expect(target.reason).toContain('exited with code 3');
		expect(target.stderr).toEqual(['reading settings', 'no such database']);
		expect(gateway.log()).toMatch(/bad.*exited with code 3|exited with code 3.*bad/);
		writeFileSync(ready, '');
		await until('list_changed', 10_000, () => stream.seen.some((one) => one.includes('tools/list_changed')));
		expect(await client.tool('bad_echo', '{"text":"late"}')).toBe('late');
		expect(await targetOf(gateway, 'bad')).toMatchObject({ state: 'ready', reason: '', exitCode: null });
		stream.close();
	});

	test.each([
		['a command that does not exist', '/does/not/exist', /was not found/, /PATH/],
		['a file that may not be executed', 'plain', /may not be executed/, /chmod/],
		['a script without its interpreter', 'script', /interpreter/, /first line/],
	])('%s: reason and remedy', async (_name, file, reason, remedy) => {
		writeFileSync(join(scratch.folder, 'plain'), 'text', { mode: 0o644 });
		writeFileSync(join(scratch.folder, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 });
		const cmd = file.startsWith('/') ? file : join(scratch.folder, file);
		const client = await LegacyClient.open(await run([`- name: bad\n  stdio:\n    cmd: ${JSON.stringify(cmd)}`]));
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
		const target = await targetOf(gateway, 'bad');
		expect(target).toMatchObject({ state: 'failed', exitCode: null });
		expect(target.reason).toMatch(reason);
		expect(target.remedy).toMatch(remedy);
	});

	test('arguments too long for the system do not end the gateway', async () => {
		const long = `- name: bad\n  stdio:\n    cmd: cat\n    args: ["${'x'.repeat(200_000)}"]`;
		const client = await LegacyClient.open(await run([long]));
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
		expect((await targetOf(gateway, 'bad')).reason).toContain('too long arguments');
	});

	test('it never answers: the session opens at its deadline with what is there', async () => {
		const url = await run([bad('--silent')], { targetStartTimeout: '1s' });
		const before = performance.now();
		const client = await LegacyClient.open(url);
		const took = performance.now() - before;
		expect(took).toBeGreaterThan(900);
		expect(took).toBeLessThan(2500);
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
		expect((await targetOf(gateway, 'bad')).state).toBe('starting');
		const reply = await client.request('tools/call', '{"name":"bad_echo","arguments":{}}');
		expect(reply.message.error).toBeDefined();
	});

	test('it exits on the probe: a fresh one is asked in the old way', async () => {
		const client = await LegacyClient.open(await run([bad('--probe-exit')]));
		expect(await client.tool('bad_echo', '{"text":"hi"}')).toBe('hi');
	});
});

describe('a target that fails in mid-life', () => {
	test('it is silent on the probe: it is asked in the old way, too, in the same process', async () => {
		const url = await run([bad('--probe-silent')]);
		expect(await new ModernClient(url).tool('bad_echo', '{"text":"hi"}')).toBe('hi');
	});

	test('a crash fails the open calls at once, the others go on, and it comes back', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		const stream = await client.listen();
		const slow = client.request('tools/call', '{"name":"good_late","arguments":{"ms":400}}');
		const hanging = client.request('tools/call', '{"name":"bad_hang","arguments":{}}');
		const before = performance.now();
		const crashed = await client.request('tools/call', '{"name":"bad_crash","arguments":{"code":7}}');
		expect(performance.now() - before).toBeLessThan(1000);
		expect(crashed.message.error?.message).toContain('bad');
		expect(crashed.message.error?.message).toContain('exited with code 7');
		expect((await hanging).message.error?.message).toContain('bad');
		const target = await targetOf(gateway, 'bad');
		expect(target).toMatchObject({ state: 'failed', exitCode: 7 });
		expect(target.stderr.slice(-2)).toEqual(['about to crash', 'last words']);
		expect((await slow).message.result?.content?.[0]?.text).toBe('late');
		await until('it is back', 5000, async () => (await targetOf(gateway, 'bad')).state === 'ready');
		expect(await client.tool('bad_echo', '{"text":"again"}')).toBe('again');
		await until('list_changed', 1000, () => stream.seen.some((one) => one.includes('tools/list_changed')));
		stream.close();
	});

	test('one that answers and dies, again and again, is started again after growing pauses', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		const ends = async () => (await targetOf(gateway, 'bad')).process?.ends ?? 0;
		const crash = async () => {
			await client.tool('bad_echo', '{"text":"served"}').catch(() => '');
			await client.request('tools/call', '{"name":"bad_crash","arguments":{"code":7}}');
		};
		while ((await ends()) < 21) await crash();
		// After about 0.5, 1 and 2 s.
		for (const end = performance.now() + 3000; performance.now() < end; ) await crash();
		expect(await ends()).toBeLessThan(21 + 6);
	});

	test('kill -9 of a child fails its 50 open calls at once', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		const pid = Number(await client.tool('bad_pid'));
		const hang = '{"name":"bad_hang","arguments":{}}';
		const open = Array.from({ length: 50 }, () => client.request('tools/call', hang));
		await until('the calls have arrived', 2000, async () => {
			return (
				(JSON.parse(await client.tool('bad_lines')) as string[]).filter((one) => one.includes('"hang"')).length >= 50
			);
		});
		const before = performance.now();
		process.kill(pid, 'SIGKILL');
		const replies = await Promise.all(open);
		expect(performance.now() - before).toBeLessThan(500);
		for (const { message } of replies) expect(message.error?.message).toContain('ended by SIGKILL');
		expect(await targetOf(gateway, 'bad')).toMatchObject({ state: 'failed', exitCode: null, signal: 'SIGKILL' });
		await until('it is back', 3000, async () => (await targetOf(gateway, 'bad')).state === 'ready');
	});

	test('an answer written with the last breath arrives', async () => {
		const client = await LegacyClient.open(await run([bad('--grandchild=group')]));
		expect(await client.tool('bad_lastWords')).toBe('said at last');
	});

	test('a call that hangs holds up nobody', async () => {
		const url = await run([bad()]);
		const client = await LegacyClient.open(url);
		const modern = new ModernClient(url);
		const open: Promise<unknown>[] = [];
		for (let one = 0; one < 20; one++) {
			open.push(client.request('tools/call', '{"name":"bad_hang","arguments":{}}').catch(() => {}));
		}
		expect(await client.tool('bad_echo', '{"text":"same child"}')).toBe('same child');
		expect(await client.tool('good_echo', '{"text":"other child"}')).toBe('other child');
		expect(await modern.tool('bad_echo', '{"text":"other client"}')).toBe('other client');
		await client.end();
		await Promise.all(open);
	});

	test('junk on stdout is dropped', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		expect(await client.tool('bad_junk')).toBe('after the junk');
		expect(await client.tool('bad_echo', '{"text":"hi"}')).toBe('hi');
	});

	test('a line without end ends the child, not the memory', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		const reply = await client.request('tools/call', '{"name":"bad_endless","arguments":{}}');
		expect(reply.message.error?.message).toMatch(/line of more than \d+ bytes/);
		expect((await stateOf(gateway)).memoryBytes).toBeLessThan(300 * 1024 * 1024);
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
	});

	test('maxLineSize holds for lines', async () => {
		const client = await LegacyClient.open(await run([bad()], { limits: '{ maxLineSize: 2MiB }' }));
		const params = (mib: number) => `{"name":"bad_echo","arguments":{"text":"${'x'.repeat(mib * 1024 * 1024)}"}}`;
		const reply = await client.request('tools/call', params(3));
		expect(reply.message.error?.message).toContain('line of more than 2097152 bytes');
		await until('the next child', 5000, async () => (await targetOf(gateway, 'bad')).state === 'ready');
		expect((await client.request('tools/call', params(1))).message.result).toBeDefined();
	});

	test('a child that reads nothing any more does not make the gateway grow', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		await client.tool('bad_deaf');
		const params = `{"name":"bad_echo","arguments":{"text":"${'x'.repeat(512 * 1024)}"}}`;
		const replies = await Promise.all(Array.from({ length: 40 }, () => client.request('tools/call', params)));
		// What comes late may find the next process.
		const failed = replies.filter(({ message }) => message.error !== undefined);
		expect(failed.length).toBeGreaterThanOrEqual(16);
		expect(failed[0]?.message.error?.message).toContain('does not read');
		expect((await stateOf(gateway)).memoryBytes).toBeLessThan(300 * 1024 * 1024);
		expect(await client.tool('good_echo', '{"text":"hi"}')).toBe('hi');
	});

	test('one large message is no reason to end a child', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		const pid = await client.tool('bad_pid');
		const text = 'x'.repeat(3 * 1024 * 1024);
		const large = Array.from({ length: 2 }, () => client.tool('bad_echo', `{"text":"${text}"}`));
		for (const one of await Promise.all(large)) expect(one.length).toBe(text.length);
		expect(await client.tool('bad_pid')).toBe(pid);
	});

	test('64 MiB on stderr pass by, the last lines stay', async () => {
		const client = await LegacyClient.open(await run([bad()]));
		expect(await client.tool('bad_stderr', '{"mib":64}')).toBe('written');
		expect((await stateOf(gateway)).memoryBytes).toBeLessThan(300 * 1024 * 1024);
		await client.request('tools/call', '{"name":"bad_crash","arguments":{}}');
		const { stderr } = await targetOf(gateway, 'bad');
		expect(stderr.slice(-3)).toEqual(['the very last line', 'about to crash', 'last words']);
		expect(stderr.length).toBeLessThanOrEqual(50);
	});

	test.each([['--name=old'], ['--modern']])('a longer list is announced to the client (%s)', async (flag) => {
		const client = await LegacyClient.open(await run([bad(flag)]));
		const stream = await client.listen();
		expect(await client.toolNames()).not.toContain('bad_extra1');
		expect(await client.tool('bad_grow')).toBe('grown');
		await until('list_changed', 2000, () => stream.seen.some((one) => one.includes('tools/list_changed')));
		expect(await client.toolNames()).toContain('bad_extra1');
		stream.close();
	});
});
