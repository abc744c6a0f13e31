import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import type { StateSnapshot, TargetView } from '../../src/admin/state.ts';
import { childrenConfig, fixtureTarget } from '../processes/children.ts';
import { mcpConfig, type RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions } from '../support/http-mcp-server.ts';
import { ModernClient } from '../support/rpc-client.ts';
import { faultPerCall, httpFault } from './harness/http-faults.ts';
import { testGateway } from './harness/test-gateway.ts';

/** An HTTP server that ends with the test. */
async function serve(options: HttpMcpServerOptions, port = 0): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options, port);
	onTestFinished(() => server.close().catch(() => {}));
	return server;
}

/** What the admin API says of the targets. */
async function targetsOf(gateway: RunningGateway): Promise<TargetView[]> {
	const state = JSON.parse(await get(`${gateway.adminUrl}/api/state`)) as StateSnapshot;
	return state.binds[0]?.listeners[0]?.routes[0]?.backends[0]?.targets ?? [];
}

/** Over a connection that ends with the answer: what is left open afterwards is the gateway's. */
async function get(url: string): Promise<string> {
	return (await request(url, { reset: true })).body.text();
}

const http = (name: string, url: string, more = '') => `- name: ${name}\n  mcp: { host: "${url}"${more} }`;
const shortStart = (yaml: string, start: string) =>
	yaml.replace('targetStartTimeout: 10s', `targetStartTimeout: ${start}`);

test('a killed child: its callers are told at once and name it, the next call is served by a new one', async () => {
	const gateway = await testGateway(childrenConfig([fixtureTarget('one'), fixtureTarget('two')]));
	const client = await gateway.legacy();
	const started = performance.now();
	await client.tool('one_pid');
	const start = performance.now() - started;
	for (let round = 0; round < 3; round++) {
		const pid = Number(await client.tool('one_pid'));
		const open = Array.from({ length: 20 }, (_, n) =>
			client.request('tools/call', '{"name":"one_hang"}', `"h${round}-${n}"`),
		);
		// What comes after the end would wait for the next child.
		const arrived = async () => (await client.tool('one_lines')).split('\\"hang\\"').length - 1;
		await expect.poll(arrived, { timeout: 10_000 }).toBe(20);
		const killedAt = performance.now();
		process.kill(pid, 'SIGKILL');
		for (const { message } of await Promise.all(open)) {
			expect(message.error).toMatchObject({ code: -32603, message: expect.stringContaining('target "one"') });
		}
		// 100 ms on a machine of its own.
		expect(performance.now() - killedAt).toBeLessThan(1000);
		expect(Number(await client.tool('one_pid'))).not.toBe(pid);
		expect(performance.now() - killedAt).toBeLessThan(2000 + start + 3000);
		expect(await client.tool('two_echo', '{"text":"still"}')).toBe('still');
	}
}, 60_000);

test('a server that restarts: no list fails, calls wait for it, and none is sent twice', async () => {
	const first = await serve({ eras: ['legacy'] });
	const { port } = first;
	const beside = await serve({ eras: ['legacy'] });
	const gateway = await testGateway(mcpConfig(`${http('a', first.url)}\n${http('b', beside.url)}`));
	const client = await gateway.legacy();
	await client.tool('a_echo');
	let over = false;
	const failed: string[] = [];
	let listed = 0;
	const listing = (async () => {
		while (!over) {
			const { message } = await client.request('tools/list', '{}');
			if (message.error !== undefined) failed.push(JSON.stringify(message));
			listed++;
			await sleep(20);
		}
	})();
	await sleep(100);
	await first.close();
	const waiting = client.request('tools/call', '{"name":"a_echo"}');
	await sleep(700);
	const second = await serve({ eras: ['legacy'] }, port);
	expect((await waiting).message.error).toBeUndefined();
	// What came in the session that it has forgotten was refused.
	const inSession = ({ headers }: { headers: Record<string, unknown> }) =>
		second.sessions.has(String(headers['mcp-session-id']));
	expect(second.of('tools/call').filter(inSession)).toHaveLength(1);
	await sleep(300);
	over = true;
	await listing;
	expect(failed).toEqual([]);
	expect(listed).toBeGreaterThan(10);
	expect((await client.toolNames()).filter((name) => name.startsWith('a_')).length).toBeGreaterThan(0);
}, 40_000);

test('a call without sign of life ends at callTimeout and is taken back; progress keeps one alive', async () => {
	const server = await serve({ eras: ['legacy'] });
	server.override('tools/call', (message, response) => {
		if (message.params['name'] !== 'progress') return;
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		let step = 0;
		const timer = setInterval(() => {
			step++;
			const { progressToken } = message.params['_meta'] as { progressToken: number };
			const params = JSON.stringify({ progressToken, progress: step });
			if (step < 5) response.write(`data: {"jsonrpc":"2.0","method":"notifications/progress","params":${params}}\n\n`);
			else {
				clearInterval(timer);
				response.end(
					`data: {"jsonrpc":"2.0","id":${message.id},"result":{"content":[{"type":"text","text":"done"}]}}\n\n`,
				);
			}
		}, 600);
	});
	const gateway = await testGateway(mcpConfig(http('a', server.url, ', callTimeout: 1s')));
	const client = await gateway.legacy();
	const before = performance.now();
	const hung = client.request('tools/call', '{"name":"slow"}');
	const lively = client.request('tools/call', '{"name":"progress","_meta":{"progressToken":"p"}}');
	expect((await hung).message.error).toMatchObject({
		code: -32603,
		message: 'target "a" did not answer: it gave no sign of life for 1 s (callTimeout)',
	});
	const took = performance.now() - before;
	expect(took).toBeGreaterThan(750);
	// 1.25 s on a machine of its own.
	expect(took).toBeLessThan(2500);
	await expect.poll(() => server.of('notifications/cancelled').length).toBe(1);
	expect(JSON.stringify((await lively).message)).toContain('done');
	expect(server.of('notifications/cancelled')).toHaveLength(1);
}, 30_000);

test('a hung server delays no list beyond two seconds, and is shown once it answers', async () => {
	const [good, hung] = [await serve({ eras: ['legacy'] }), await serve({ eras: ['legacy'] })];
	const gateway = await testGateway(mcpConfig(`${http('good', good.url)}\n${http('hung', hung.url)}`));
	const client = await gateway.legacy();
	const stream = await client.listen();
	let answer: (() => void)[] = [];
	hung.override('tools/list', (message, response) => {
		answer.push(() => {
			const tools = [{ name: 'late', inputSchema: { type: 'object' } }];
			const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { tools } });
			response.writeHead(200, { 'content-type': 'application/json' }).end(text);
		});
	});
	const before = performance.now();
	const names = await client.toolNames();
	expect(performance.now() - before).toBeLessThan(4000);
	expect(names.every((name) => name.startsWith('good_'))).toBe(true);
	const missing = async () => (await targetsOf(gateway)).map(({ missingLists }) => missingLists);
	expect(await missing()).toEqual([
		[],
		[{ list: 'tools', reason: 'the server has not answered tools/list in time; it is waited for' }],
	]);
	for (const one of answer) one();
	answer = [];
	await expect
		.poll(() => stream.seen.filter((one) => one.includes('tools/list_changed')).length, { timeout: 5000 })
		.toBe(1);
	expect(await client.toolNames()).toContain('hung_late');
	expect(await missing()).toEqual([[], []]);
	stream.close();
}, 30_000);

test('a target that hung is looked at until it answers, without a client that asks, and clients are told', async () => {
	const [good, hung] = [await serve({ eras: ['legacy'] }), await serve({ eras: ['legacy'] })];
	const slow = http('hung', hung.url, ', callTimeout: 500ms');
	const gateway = await testGateway(mcpConfig(`${http('good', good.url)}\n${slow}`));
	const client = await gateway.legacy();
	const stream = await client.listen();
	const told = () => stream.seen.filter((one) => one.includes('tools/list_changed')).length;
	const methods = ['tools/call', 'tools/list', 'ping'];
	for (const method of methods) hung.override(method, () => {});
	const circuit = async () => (await targetsOf(gateway))[1]?.circuit;
	while ((await circuit()) === 'closed') await client.request('tools/call', '{"name":"hung_echo"}');
	await expect.poll(told, { timeout: 5000 }).toBe(1);
	for (const method of methods) hung.override(method, null);
	await expect.poll(told, { timeout: 15_000 }).toBe(2);
	expect(await circuit()).toBe('closed');
	expect((await client.toolNames()).some((name) => name.startsWith('hung_'))).toBe(true);
	stream.close();
}, 60_000);

test.each([1, 2])(
	'why a list is missing stands in the state, of %i targets',
	async (count) => {
		const servers = await Promise.all(Array.from({ length: count }, () => serve({ eras: ['legacy'] })));
		const bad = servers[0] as HttpMcpServer;
		const refuse = () =>
			bad.override('tools/list', (message, response) => {
				const error = { code: -32603, message: 'the database is away, no canary-7f3a helps' };
				response
					.writeHead(200, { 'content-type': 'application/json' })
					.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
			});
		refuse();
		const gateway = await testGateway(
			mcpConfig(servers.map(({ url }, at) => http(`t${at}`, `${url}?token=canary-7f3a`)).join('\n')),
		);
		const missing = async () => (await targetsOf(gateway))[0]?.missingLists;
		const reason = 'the server failed tools/list: the database is away, no <redacted> helps';
		const fault = { list: 'tools', reason };
		// Before any client has asked.
		await expect.poll(missing, { timeout: 5000 }).toEqual([fault]);
		await expect
			.poll(() => gateway.log())
			.toContain('target "t0" failed tools/list: the database is away, no <redacted> helps');
		const client = await gateway.legacy();
		bad.override('tools/list', null);
		expect((await client.toolNames()).length).toBeGreaterThan(count);
		expect(await missing()).toEqual([]);
		refuse();
		bad.toolsChanged();
		await expect.poll(async () => (await client.request('tools/list', '{}'), await missing())).toEqual([fault]);
	},
	30_000,
);

test('a target that never comes up holds up the first session, not the next ones', async () => {
	const [good, hung] = [await serve({ eras: ['legacy'] }), await serve({ eras: ['legacy'] })];
	hung.override('initialize', () => {});
	hung.override('server/discover', () => {});
	const gateway = await testGateway(
		shortStart(mcpConfig(`${http('good', good.url)}\n${http('hung', hung.url)}`), '3s'),
	);
	const first = performance.now();
	await gateway.legacy();
	expect(performance.now() - first).toBeGreaterThan(2500);
	const second = performance.now();
	const client = await gateway.legacy();
	expect(await client.tool('good_echo')).toContain('echo');
	expect(performance.now() - second).toBeLessThan(2500);
}, 30_000);

test('nobody waits for a dead server: its circuit opens, the reason is shown, and it closes when the server is back', async () => {
	const good = await serve({ eras: ['legacy'] });
	const dead = await serve({ eras: ['legacy'] });
	const { port, url } = dead;
	const gateway = await testGateway(mcpConfig(`${http('good', good.url)}\n${http('dead', url)}`));
	const client = await gateway.legacy();
	expect(await client.tool('dead_echo')).toContain('echo');
	await dead.close();
	const told = await client.request('tools/call', '{"name":"dead_echo"}');
	expect(told.message.error?.message).toMatch(/target "dead"/);
	await expect.poll(async () => (await targetsOf(gateway))[1]?.circuit, { timeout: 15_000 }).toBe('open');
	expect((await targetsOf(gateway))[1]).toMatchObject({ state: 'failed', reason: expect.stringMatching(/refused/) });
	const before = performance.now();
	const refused = await client.request('tools/call', '{"name":"dead_echo"}');
	expect(refused.message.error?.message).toMatch(/target "dead" is not available: .*since .*Z/);
	expect(refused.text).not.toContain(String(port));
	expect(performance.now() - before).toBeLessThan(1000);
	expect(gateway.log()).toMatch(/target "dead" failed: the connection was refused.*address=\S*127\.0\.0\.1/);
	const metrics = await get(`${gateway.statsUrl}/metrics`);
	expect(metrics).toMatch(/agentgateway_mcp_target_circuit\{[^}]*target="dead",state="(open|half-open)"\} 1/);
	expect(metrics).toMatch(/agentgateway_mcp_target_failures_total\{[^}]*target="dead",kind="unreachable"\} [1-9]/);
	await serve({ eras: ['legacy'] }, port);
	await expect
		.poll(() => client.tool('dead_echo').catch(() => ''), { timeout: 40_000, interval: 300 })
		.toContain('echo');
	await expect.poll(async () => (await targetsOf(gateway))[1]?.circuit).toBe('closed');
	expect((await targetsOf(gateway))[1]).toMatchObject({ failures: 0, retryAt: null });
}, 80_000);

test('of many calls at once a target gets as many as it may; the others wait, and too many are told to come again', async () => {
	const server = await serve({ eras: ['modern'] });
	const held: (() => void)[] = [];
	let open = 0;
	let most = 0;
	server.override('tools/call', (message, response) => {
		most = Math.max(most, ++open);
		held.push(() => {
			open--;
			const result = { content: [{ type: 'text', text: 'ok' }], resultType: 'complete' };
			response.writeHead(200, { 'content-type': 'application/json' });
			response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
		});
	});
	const gateway = await testGateway(mcpConfig(http('a', server.url, ', maxConcurrentCalls: 2')));
	const client = gateway.modern();
	await client.toolNames();
	let answered = 0;
	const calls = Array.from({ length: 14 }, async (_, n) => {
		const reply = await client.request('tools/call', '{"name":"echo"}', String(n + 1));
		answered++;
		return reply;
	});
	// Two run and eight wait: the other four are answered at once.
	await expect.poll(() => answered, { timeout: 10_000 }).toBe(4);
	const releasing = setInterval(() => held.shift()?.(), 20);
	const replies = await Promise.all(calls);
	clearInterval(releasing);
	expect(most).toBe(2);
	expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
	const refused = replies.filter(({ status }) => status === 429);
	expect(refused).toHaveLength(4);
	expect(refused[0]?.message.error?.message).toContain('maxConcurrentCalls');
}, 30_000);

test('an answer that is none settles its call once, and the next one works', async () => {
	const server = await serve({ eras: ['legacy'] });
	const gateway = await testGateway(mcpConfig(http('a', server.url, ', callTimeout: 3s')));
	const client = await gateway.legacy();
	faultPerCall(server);
	for (const fault of ['half', 'closeMidStream', 'reset', 'shortLength', 'longLength', 'wrongType', 'junk']) {
		const before = server.of('tools/call').length;
		const args = JSON.stringify({ name: 'echo', arguments: { fault } });
		const { message } = await client.request('tools/call', args, '"once"');
		const error = { code: -32603, message: expect.stringContaining('target "a"') };
		expect(message, fault).toMatchObject({ id: 'once', error });
		// What may have run is not run again.
		expect(server.of('tools/call').length - before, fault).toBe(1);
		expect(await client.tool('echo'), fault).toBeTypeOf('string');
	}
}, 60_000);

test('a list whose connection broke is asked for once more', async () => {
	const server = await serve({ eras: ['legacy'] });
	const gateway = await testGateway(mcpConfig(http('a', server.url)));
	const client = await gateway.legacy();
	const broken = httpFault(server, { fault: 'reset' });
	server.override('tools/list', (message, response) => {
		server.override('tools/list', null);
		broken(message, response);
	});
	expect((await client.toolNames()).length).toBeGreaterThan(0);
}, 30_000);

test('the calls of a client that vanishes are taken back at once', async () => {
	const server = await serve({ eras: ['modern'] });
	const gateway = await testGateway(mcpConfig(http('a', server.url)));
	const agent = new Agent();
	const client = new ModernClient(`${gateway.url()}/mcp`, agent);
	await client.toolNames();
	server.override('tools/call', () => {});
	const calls = Array.from({ length: 20 }, (_, n) =>
		client.request('tools/call', '{"name":"slow"}', String(n + 1)).catch(() => 'gone'),
	);
	await expect.poll(() => server.of('tools/call').length, { timeout: 10_000 }).toBe(20);
	// Streams that only listen end now and then, too.
	const already = server.aborted;
	const before = performance.now();
	await agent.destroy();
	await expect.poll(() => server.aborted - already, { interval: 10, timeout: 5000 }).toBeGreaterThanOrEqual(20);
	// 100 ms on a machine of its own.
	expect(performance.now() - before).toBeLessThan(1000);
	expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, () => 'gone'));
}, 30_000);

test('clients that vanish in any moment leave no connection behind, on either side', async () => {
	const [old, modern] = [await serve({ eras: ['legacy'] }), await serve({ eras: ['modern'] })];
	const gateway = await testGateway(mcpConfig(`${http('old', old.url)}\n${http('modern', modern.url)}`));
	for (let round = 0; round < 12; round++) {
		const agent = new Agent();
		const client = new ModernClient(`${gateway.url()}/mcp`, agent);
		const calls = Array.from({ length: 20 }, (_, n) => {
			const name = `${n % 2 === 0 ? 'old' : 'modern'}_${n % 5 === 0 ? 'slow' : 'echo'}`;
			return client.request('tools/call', `{"name":"${name}"}`, String(n + 1)).catch(() => 'gone');
		});
		await sleep(round * 7);
		await agent.destroy();
		await Promise.all(calls);
	}
}, 60_000);
