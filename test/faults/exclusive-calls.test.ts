import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { childrenConfig, fixtureTarget, Scratch } from '../processes/children.ts';
import { testGateway } from './harness/test-gateway.ts';

/** More calls than as many frames of the stack hold when each starts the next. */
const many = 900;
/** One connection beside the first. */
const yaml = childrenConfig([fixtureTarget('one')], { limits: '{ maxPooledSessions: 2 }' });

test('calls that wait for a connection of their own are answered after the end of the one that all waited for', async () => {
	const gateway = await testGateway(yaml);
	const client = gateway.modern('{"elicitation":{}}');
	const pid = Number(await client.tool('pid'));
	const hung = client.request('tools/call', '{"name":"hang"}');
	await sleep(300);
	const beside = client.tool('late', '{"ms":4000}');
	await sleep(500);
	const waiting = Array.from({ length: many }, () => client.tool('pid'));
	await sleep(1000);
	process.kill(pid, 'SIGKILL');
	expect((await hung).message.error?.message).toContain('SIGKILL');
	const pids = new Set(await Promise.all(waiting));
	expect(pids.has(String(pid))).toBe(false);
	expect(await beside).toBe('late');
}, 60_000);

test('calls that are refused at their turn are all answered, however many wait', async () => {
	const gateway = await testGateway(yaml);
	const client = gateway.modern('{"elicitation":{}}');
	const late = Array.from({ length: 2 }, () => client.tool('late', '{"ms":2500}'));
	await sleep(500);
	const refused = Array.from({ length: many }, () => client.request('tools/call', '{"name":"pid","requestState":"x"}'));
	expect(await Promise.all(late)).toEqual(['late', 'late']);
	for (const { message } of await Promise.all(refused)) expect(message.error?.message).toContain('requestState');
	await client.tool('pid');
}, 60_000);

test('calls that wait for a connection of their own are told why when the server does not come back', async () => {
	const scratch = new Scratch();
	onTestFinished(() => scratch.remove());
	const good = join(scratch.folder, 'good');
	writeFileSync(good, '');
	const target = fixtureTarget('one', `--pids=${scratch.pidFile}`, `--fail-until=${good}`);
	const limits = '{ maxPooledSessions: 2 }';
	const gateway = await testGateway(childrenConfig([target], { targetStartTimeout: '2s', limits }));
	const client = gateway.modern('{"elicitation":{}}');
	await client.tool('pid');
	const hung = Array.from({ length: 2 }, () => client.request('tools/call', '{"name":"hang"}'));
	await sleep(500);
	const waiting = Array.from({ length: 200 }, () => client.request('tools/call', '{"name":"pid"}'));
	await sleep(1000);
	rmSync(good);
	for (const pid of scratch.living()) process.kill(pid, 'SIGKILL');
	for (const { message } of await Promise.all(hung)) expect(message.error?.message).toContain('SIGKILL');
	for (const { message } of await Promise.all(waiting))
		expect(message.error?.message).toMatch(/"one" is not available: it exited with code 3/);
	writeFileSync(good, '');
	await expect.poll(() => client.tool('pid').catch(String), { timeout: 20_000 }).toMatch(/^\d+$/);
}, 60_000);
