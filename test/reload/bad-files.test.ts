import { spawnSync } from 'node:child_process';
import { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixtureTarget, until } from '../processes/children.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { type EditedGateway, editGateway, fileOf, routeTo } from './edited-gateway.ts';
import { stateOf } from '../support/state.ts';

let gateway: EditedGateway;
let client: LegacyClient;
let pid: string;
const good = fileOf([routeTo('/a', [fixtureTarget('kept')])]);

beforeAll(async () => {
	gateway = await editGateway(good);
	client = await LegacyClient.open(`${gateway.url()}/a`);
	pid = await client.tool('pid');
}, 30_000);

afterAll(async () => {
	expect(gateway.log()).not.toContain('internal error');
	await gateway.end();
});

async function metric(): Promise<string> {
	const text = await (await fetch(`${gateway.statsUrl}/metrics`)).text();
	return /^agentgateway_config_synchronized (\d)/m.exec(text)?.[1] ?? text;
}

/** Nothing has changed for clients. */
async function goesOn(): Promise<void> {
	expect(await client.tool('pid')).toBe(pid);
}

async function recovers(): Promise<void> {
	const view = await gateway.after(() => {
		unlinkSync(gateway.file);
		writeFileSync(gateway.file, good);
	});
	expect(view).toMatchObject({ synchronized: true, errors: [] });
	expect(await metric()).toBe('1');
	await goesOn();
}

test('a file with errors is told with all of them, and changes nothing', async () => {
	const bad = good.replace('port: 0', 'port: zero').replace('matches:', 'matchez:');
	const view = await gateway.edit(bad);
	expect(view.synchronized).toBe(false);
	const lineOf = (part: string) => bad.split('\n').findIndex((line) => line.includes(part)) + 1;
	expect(view.errors.map(({ line, path }) => [line, path])).toEqual([
		[lineOf('port: zero'), 'binds[0].port'],
		[lineOf('matchez:'), 'binds[0].listeners[0].routes[0]'],
	]);
	expect(view.errors[1]?.remedy).toContain('matches');
	expect(await metric()).toBe('0');
	expect(gateway.log()).toMatch(new RegExp(`Failed to reload config: \\S*config\\.yaml:${lineOf('port: zero')}:`));
	await goesOn();
	await recovers();
});

test('half a file is no file', async () => {
	const view = await gateway.edit(good.slice(0, good.lastIndexOf('"')));
	expect(view.synchronized).toBe(false);
	expect(view.errors[0]?.line).toBeGreaterThan(0);
	await goesOn();
	await recovers();
});

test('an empty file, and one that is too large', async () => {
	expect((await gateway.edit('')).errors[0]?.message).toBe('the file is empty');
	expect((await gateway.edit(`# ${'x'.repeat(6_000_000)}\n${good}`)).errors[0]?.message).toBe('larger than 5 MB');
	await goesOn();
	await recovers();
});

test('a file that is gone, or leads to itself', async () => {
	expect((await gateway.after(() => unlinkSync(gateway.file))).errors[0]?.message).toBe('there is no such file');
	const view = await gateway.after(() => symlinkSync(gateway.file, gateway.file));
	expect(view.errors[0]?.message).toContain('ELOOP');
	await goesOn();
	await recovers();
});

test('a pipe in the place of the file blocks neither what is read next, nor writing, nor the end', async () => {
	const view = await gateway.after(() => {
		unlinkSync(gateway.file);
		spawnSync('mkfifo', [gateway.file]);
	});
	expect(view.errors[0]?.message).toBe('is no file any more');
	const written = await fetch(`${gateway.adminUrl}/api/config`, {
		method: 'PUT',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(good),
	});
	expect(written.status).toBe(403);
	expect(await written.text()).toContain('cannot be read');
	await recovers();
	// That it ends is seen by the end of this file.
});

test('settings that are read at the start are named; the rest is in effect', async () => {
	const view = await gateway.edit(
		`config: { logging: { level: debug }, mcp: { limits: { maxSessions: 5 } } }\n${fileOf([
			routeTo('/a', [fixtureTarget('kept')]),
			routeTo('/b', [fixtureTarget('other')]),
		])}`,
	);
	expect(view).toMatchObject({
		synchronized: true,
		needsRestart: ['config.logging.level', 'config.mcp.limits.maxSessions'],
	});
	expect(gateway.log()).toContain('config.mcp.limits.maxSessions');
	await (await LegacyClient.open(`${gateway.url()}/b`)).tool('echo', '{"text":"x"}');
	await recovers();
});

test('an editor that writes beside the file and renames', async () => {
	const next = fileOf([routeTo('/a', [fixtureTarget('kept')]), routeTo('/c', [fixtureTarget('other')])]);
	const view = await gateway.after(() => {
		writeFileSync(`${gateway.file}~`, next);
		renameSync(`${gateway.file}~`, gateway.file);
	});
	expect(view.synchronized).toBe(true);
	expect((await stateOf(gateway)).binds[0]?.listeners[0]?.routes).toHaveLength(2);
	await goesOn();
});

test('SIGHUP reads it at once', async () => {
	const before = gateway.log().length;
	writeFileSync(gateway.file, good);
	gateway.process.kill('SIGHUP');
	await until('it is read', 5000, () => /loaded config from .*reason="?asked to/.test(gateway.log().slice(before)));
	await goesOn();
});
