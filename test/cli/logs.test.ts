import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
	everythingServer,
	mcpConfig,
	nodeTarget,
	type RunningGateway,
	runGateway,
	spawnGateway,
	timeServer,
} from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';

const two = mcpConfig(`${nodeTarget('time', timeServer)}\n${nodeTarget('everything', everythingServer)}`);
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;

let gateway: RunningGateway;
beforeAll(async () => {
	gateway = await runGateway(two);
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
});

const lines = (of: RunningGateway) => of.log().trim().split('\n');

describe('the log', () => {
	test('has the start lines of the tutorial behind a time, without colours', () => {
		const text = gateway.log();
		expect(text).toMatch(/^\S+ INFO agentgateway: Listening on 0\.0\.0\.0:\d+$/m);
		expect(text).toMatch(/^\S+ INFO agentgateway: Admin UI available at http:\/\/localhost:\d+\/ui\/$/m);
		expect(lines(gateway).filter((line) => !time.test(line))).toEqual([]);
		expect(text).not.toContain('\u001b[');
	});

	test('has one line per request, with the names of the contract', async () => {
		const client = await LegacyClient.open(`${gateway.url()}/mcp?token=canary-7`);
		await client.tool('time_get_current_time', '{"timezone":"UTC"}');
		await gateway.waitFor(/mcp\.method\.name=tools\/call/);
		const [line = ''] = lines(gateway).filter((one) => one.includes('mcp.method.name=tools/call'));
		expect(line).toMatch(/ INFO request: /);
		for (const field of [
			/ gateway=\S+/,
			/ listener=\S+/,
			/ route=\S+/,
			/ src\.addr=127\.0\.0\.1:\d+/,
			/ http\.method=POST/,
			/ http\.host=127\.0\.0\.1:\d+/,
			/ http\.path=\/mcp /,
			/ http\.version=HTTP\/1\.1/,
			/ http\.status=200/,
			/ protocol=mcp/,
			/ mcp\.target=time/,
			/ mcp\.resource\.type=tool/,
			/ gen_ai\.tool\.name=get_current_time/,
			/ mcp\.session\.id=\S+/,
			/ duration=\d+ms$/,
		])
			expect(line).toMatch(field);
		// Neither what the query carries nor a whole session id.
		expect(gateway.log()).not.toContain('canary-7');
		expect(gateway.log()).not.toContain(client.session);

		await client.request('tools/call', '{"name":"nope_x"}');
		await gateway.waitFor(/mcp\.error\.code=-32602/);
	});

	test('as JSON, each line is an object', async () => {
		const other = await runGatewayAs({ LOG_FORMAT: 'json' });
		await new ModernClient(`${other.url()}/mcp`).tool('time_get_current_time', '{"timezone":"UTC"}');
		await other.waitFor(/"mcp\.method\.name":"tools\/call"/);
		await other.stop();
		const parsed = lines(other).map((line) => JSON.parse(line) as Record<string, unknown>);
		expect(
			parsed.every(({ level, time: at, scope }) => level !== undefined && time.test(String(at)) && scope !== undefined),
		).toBe(true);
		const request = parsed.find((line) => line['mcp.method.name'] === 'tools/call');
		expect(request).toMatchObject({
			level: 'info',
			scope: 'request',
			'http.status': 200,
			'gen_ai.tool.name': 'get_current_time',
		});
	});

	test('listens to RUST_LOG', async () => {
		const quiet = await spawnAndWait({ RUST_LOG: 'error' });
		expect(quiet.log()).not.toMatch(/INFO|DEBUG/);
		await quiet.stop();
		const loud = await runGatewayAs({ RUST_LOG: 'info,request=error,agentgateway::mcp=debug' });
		await new ModernClient(`${loud.url()}/mcp`).toolNames();
		expect(loud.log()).not.toContain(' request: ');
		await loud.stop();
	});

	test('has colours on a terminal', () => {
		const script = `timeout 3 ${process.execPath} bin/agentgateway.mjs -c 'binds: []'`;
		const env = { ...process.env, ADMIN_ADDR: '127.0.0.1:0', STATS_ADDR: '127.0.0.1:0', READINESS_ADDR: '127.0.0.1:0' };
		delete (env as Record<string, unknown>)['NO_COLOR'];
		let text = '';
		try {
			text = execFileSync('script', ['-qec', script, '/dev/null'], { env, encoding: 'utf8' });
		} catch (error) {
			text = String((error as { stdout?: unknown }).stdout);
		}
		expect(text).toContain('\u001b[32mINFO');
	}, 15_000);
});

describe('numbers', () => {
	test('count requests, calls, sessions, targets and processes', async () => {
		const before = await metrics();
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		for (let i = 0; i < 3; i++) await client.tool('time_get_current_time', '{"timezone":"UTC"}');
		const after = await metrics();
		const grown = (name: RegExp) => sum(after, name) - sum(before, name);
		expect(grown(/^agentgateway_mcp_requests_total\{[^}]*method="tools\/call"[^}]*server="time"/)).toBe(3);
		expect(grown(/^agentgateway_requests_total\{/)).toBeGreaterThanOrEqual(5);
		expect(grown(/^agentgateway_request_duration_seconds_count/)).toBeGreaterThanOrEqual(5);
		expect(grown(/^agentgateway_mcp_sessions/)).toBe(1);
		expect(grown(/^agentgateway_child_processes/)).toBe(2);
		expect(sum(after, /^agentgateway_downstream_connections_total/)).toBeGreaterThan(0);
		expect(sum(after, /^agentgateway_mcp_target_state\{[^}]*target="time"[^}]*state="ready"\}/)).toBe(1);
		expect(sum(after, /^agentgateway_config_synchronized/)).toBe(1);
		await client.end();
		await expect
			.poll(async () => sum(await metrics(), /^agentgateway_mcp_sessions/))
			.toBe(sum(before, /^agentgateway_mcp_sessions/));
	});

	test('readiness answers', async () => {
		const reply = await fetch(`${gateway.readinessUrl}/healthz/ready`);
		expect(reply.status).toBe(200);
	});
});

test('the environment wins over the file', async () => {
	const yaml = two.replace(
		'config:\n',
		'config:\n  adminAddr: 127.0.0.1:1\n  statsAddr: 127.0.0.1:1\n  readinessAddr: 127.0.0.1:1\n  logging: { format: text }\n',
	);
	const other = await runGateway(yaml, { env: { LOG_FORMAT: 'json' } });
	expect(other.log()).toContain('"message":"Admin UI available at');
	expect((await fetch(`${other.statsUrl}/metrics`)).status).toBe(200);
	expect(await other.stop()).toBe(0);
});

test('nobody who reads the log does not stop the gateway', async () => {
	const other = await runGateway(two);
	other.process.stdout?.destroy();
	other.process.stderr?.destroy();
	const client = new ModernClient(`${other.url()}/mcp`);
	for (let i = 0; i < 20; i++)
		expect(await client.tool('time_get_current_time', '{"timezone":"UTC"}')).toContain('UTC');
	expect(await other.stop()).toBe(0);
});

async function runGatewayAs(env: Record<string, string>): Promise<RunningGateway> {
	return runGateway(two, { env });
}

/** For a gateway that says nothing when it is ready. */
async function spawnAndWait(env: Record<string, string>): Promise<RunningGateway> {
	const one = spawnGateway(['-c', two], { env });
	await new Promise((resolve) => setTimeout(resolve, 1000));
	return one;
}

async function metrics(): Promise<string[]> {
	const reply = await fetch(`${gateway.statsUrl}/metrics`);
	expect(reply.headers.get('content-type')).toContain('text/plain');
	return (await reply.text()).split('\n');
}

function sum(samples: string[], name: RegExp): number {
	return samples.filter((line) => name.test(line)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}
