import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { RawClient } from '../http/raw-client.ts';
import { childrenConfig, fixtureTarget, until } from '../processes/children.ts';
import { mcpConfig, type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { guardsOf } from '../support/guards.ts';
import { stateOf } from '../support/state.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

function endLater(gateway: RunningGateway): RunningGateway {
	closing.push(async () => {
		if (gateway.process.exitCode === null) expect(await gateway.stop()).toBe(0);
	});
	return gateway;
}

async function metric(gateway: RunningGateway, name: string): Promise<number> {
	const text = await (await fetch(`${gateway.statsUrl}/metrics`)).text();
	return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Posts a body over a connection of its own; gives the status, or the code of what broke. */
function post(url: string, body: Buffer, headers: Record<string, string>): Promise<number | string> {
	return new Promise((resolve) => {
		const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers };
		const asked = request(url, { method: 'POST', agent: new Agent(), headers: all }, (response) => {
			response.resume();
			response.on('close', () => resolve(response.complete ? (response.statusCode ?? 0) : 'cut'));
		});
		asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
		asked.end(body);
	});
}

const meta =
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';

describe('a small heap', () => {
	test('under a flood of large calls sheds, serves on, and recovers', { timeout: 120_000 }, async () => {
		const server = await HttpMcpServer.start({ eras: ['modern'] });
		closing.push(() => server.close());
		server.override('tools/call', ({ id }, response) => {
			const text = JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', content: [] } });
			setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(text), 1000);
		});
		const gateway = endLater(
			await runGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`), {
				nodeArgs: ['--max-old-space-size=128'],
			}),
		);
		const bodies = [1, 3.9].map((mebibytes) => {
			const filling = 'x'.repeat(mebibytes * 1024 * 1024);
			const params = `{"name":"echo","arguments":{"a":"${filling}"},${meta}}`;
			return Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
		});
		const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
		const url = `${gateway.url()}/mcp`;
		const outcomes = new Map<number | string, number>();
		let most = 0;
		const watch = setInterval(() => {
			void stateOf(gateway).then(({ memoryBytes }) => {
				most = Math.max(most, memoryBytes);
			}, String);
		}, 200);
		const flood = Array.from({ length: 80 }, async (_, at) => {
			const outcome = await post(url, bodies[at % 2] as Buffer, headers);
			outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
		});
		await Promise.all(flood);
		clearInterval(watch);
		expect(gateway.process.exitCode).toBeNull();
		expect(Object.fromEntries(outcomes)).toMatchObject({ 200: expect.any(Number), 503: expect.any(Number) });
		// A client that still sends when it is refused may see its connection closed.
		const known = new Set<number | string>([200, 503, 'ECONNRESET', 'EPIPE']);
		expect([...outcomes.keys()].filter((outcome) => !known.has(outcome))).toEqual([]);
		expect(most).toBeLessThan(700 * 1024 * 1024);
		expect(await metric(gateway, 'agentgateway_requests_shed_total')).toBeGreaterThan(0);
		await until(
			'no body is held',
			10_000,
			async () => (await metric(gateway, 'agentgateway_request_bytes_held')) === 0,
		);
		await until('calls are served again', 15_000, async () => {
			const reply = await new ModernClient(url).request('tools/call', '{"name":"echo","arguments":{}}');
			return reply.status === 200;
		});
	});

	test('that sessions fill is noticed before it is full', { timeout: 120_000 }, async () => {
		const gateway = endLater(
			await runGateway(childrenConfig([fixtureTarget('a')], { targetStartTimeout: '1s' }), {
				nodeArgs: ['--max-old-space-size=64', '--import', fillHeap],
				ipc: true,
			}),
		);
		gateway.process.send('fill');
		await gateway.waitFor(/requests are refused: heap: \d+ of \d+ MiB are used.*max-old-space-size/, 30_000);
		const url = `${gateway.url()}/mcp`;
		expect(await post(url, Buffer.from('{}'), {})).toBe(503);
		expect((await stateOf(gateway)).pressure).toMatchObject([{ kind: 'heap', remedy: expect.any(String) }]);
		expect(await metric(gateway, 'agentgateway_pressure\\{kind="heap"\\}')).toBe(1);
		gateway.process.send('empty');
		// Nothing collects the garbage of an idle process but the guard.
		await gateway.waitFor(/no longer short of heap/, 30_000);
		expect(await post(url, Buffer.from('{}'), {})).toBe(400);
		expect(gateway.log().match(/requests are refused/g)).toHaveLength(1);
	});
});

/** Fills the heap of the gateway from inside, and empties it. */
const fillHeap = `data:text/javascript,${encodeURIComponent(`
	let kept = [];
	process.on('message', (what) => {
		if (what === 'empty') return void (kept = []);
		const more = setInterval(() => {
			// Large ones, so that what is used is what is kept, whatever room a Node has for young garbage.
			kept.push(Buffer.alloc(500_000, 'x').toString('latin1'));
			if (process.memoryUsage().heapUsed > 56e6) clearInterval(more);
		}, 5);
	});
	process.channel.unref();
`)}`;

test('a process that was stopped for seconds refuses nothing when it goes on', { timeout: 30_000 }, async () => {
	const server = await HttpMcpServer.start({ eras: ['modern'] });
	closing.push(() => server.close());
	const gateway = endLater(await runGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`)));
	gateway.process.kill('SIGSTOP');
	await sleep(6000);
	gateway.process.kill('SIGCONT');
	const client = new ModernClient(`${gateway.url()}/mcp`);
	for (const end = performance.now() + 1500; performance.now() < end; await sleep(20))
		expect(await client.toolNames()).not.toEqual([]);
	expect((await stateOf(gateway)).pressure).toEqual([]);
	expect(await metric(gateway, 'agentgateway_requests_shed_total')).toBe(0);
});

describe('128 file descriptors', () => {
	const few = { shell: 'ulimit -n 128' };

	test('refuse connections too many, keep the admin port, and are enough again at once', {
		timeout: 60_000,
	}, async () => {
		const gateway = endLater(await runGateway(childrenConfig([fixtureTarget('a')]), few));
		const port = Number(new URL(gateway.url()).port);
		const clients = Array.from({ length: 500 }, () => new RawClient(port));
		await until('connections are refused', 10_000, async () => {
			return (await metric(gateway, 'agentgateway_connections_refused_total')) > 400;
		});
		const { memoryBytes } = await stateOf(gateway);
		expect(memoryBytes).toBeGreaterThan(0);
		expect(await metric(gateway, 'process_open_fds')).toBeLessThan(112);
		await gateway.waitFor(/connections were refused: \d+ are open descriptor_limit=128 remedy=/);
		const told = clients.filter(({ text }) => /^HTTP\/1\.1 503 [^]*retry-after: 5/.test(text));
		expect(told.length).toBeGreaterThan(300);
		for (const client of clients) client.destroy();
		await until('the gateway has seen them go', 10_000, async () => {
			return (await metric(gateway, 'process_open_fds')) < 64;
		});
		expect(await post(`${gateway.url()}/mcp`, Buffer.from('{}'), {})).toBe(400);
	});

	test('that run out altogether fail children and calls clearly, and heal', { timeout: 60_000 }, async () => {
		const server = await HttpMcpServer.start({ eras: ['modern'] });
		closing.push(() => server.close());
		const targets = `- name: web\n  mcp: { host: "${server.url}" }\n${fixtureTarget('own')}`;
		const gateway = endLater(
			await runGateway(mcpConfig(targets), { ...few, nodeArgs: ['--import', takeDescriptors], ipc: true }),
		);
		await gateway.waitFor(/Admin UI/);
		gateway.process.send('take');
		await gateway.waitFor(/requests are refused: descriptors: \d+ of 128 are open.*ulimit -n/, 10_000);
		expect((await stateOf(gateway)).pressure).toMatchObject([{ kind: 'descriptors' }]);
		gateway.process.send('give');
		await gateway.waitFor(/no longer short of descriptors/);
		const client = new ModernClient(`${gateway.url()}/mcp`);
		await until('both targets answer', 20_000, async () => {
			const names = await client.toolNames().catch(() => []);
			return names.some((name) => name.startsWith('web_')) && names.some((name) => name.startsWith('own_'));
		});
	});

	test('of which none is left end neither the gateway nor its guard for long', { timeout: 60_000 }, async () => {
		const gateway = endLater(
			await runGateway(mcpConfig(fixtureTarget('own')), {
				...few,
				nodeArgs: ['--import', takeDescriptors],
				ipc: true,
			}),
		);
		// Once all descriptors are taken there is no other connection than these.
		const kept = { connections: 1, pipelining: 1, keepAliveTimeout: 60_000 };
		const agent = new Pool(gateway.url(), kept);
		const admin = new Pool(gateway.adminUrl, kept);
		const metrics = new Pool(gateway.statsUrl, kept);
		closing.push(() => Promise.all([agent.close(), admin.close(), metrics.close()]));
		const client = await opened(`${gateway.url()}/mcp`, agent);
		const status = async (pool: Pool, path: string) => {
			const reply = await pool.request({ method: 'GET', path });
			await reply.body.dump();
			return reply.statusCode;
		};
		expect(await status(admin, '/api/state')).toBe(200);
		expect(await status(metrics, '/metrics')).toBe(200);
		const own = gateway.process.pid ?? 0;
		const guard = () => guardsOf(own).at(0);
		await until('the guard stands', 20_000, () => guard() !== undefined);
		// The gateway's own look at the target ends in its time, and gives descriptors back.
		await until('one process is left', 20_000, async () => {
			const { body } = await admin.request({ method: 'GET', path: '/api/state' });
			return /"processes": ?1\b/.test(await body.text());
		});

		gateway.process.send('take all');
		await gateway.waitFor(/requests are refused: descriptors: /, 10_000);
		// 503 where no UI was built.
		expect([500, 503]).toContain(await status(admin, '/ui/'));
		process.kill(guard() ?? 0, 'SIGKILL');
		expect(await status(admin, '/api/state')).toBe(200);
		expect(await status(metrics, '/metrics')).toBe(200);
		await new Promise((resolve) => setTimeout(resolve, 1000));
		expect(gateway.process.exitCode).toBeNull();

		gateway.process.send('give');
		await gateway.waitFor(/no longer short of descriptors/);
		expect(await client.tool('echo', '{"text":"still here"}')).toBe('still here');
		expect(await status(admin, '/ui/')).not.toBe(500);
		await until('a guard stands again', 10_000, () => guard() !== undefined);
	});
});

/** A session, however long a busy machine takes for the target's start, and however late the gateway is meanwhile. */
async function opened(url: string, dispatcher: Dispatcher): Promise<LegacyClient> {
	for (const end = performance.now() + 30_000; ; await sleep(100)) {
		try {
			return await LegacyClient.open(url, dispatcher);
		} catch (error) {
			if (performance.now() > end) throw error;
		}
	}
}

/** Opens descriptors inside the gateway until four are left, or none, and closes them. */
const takeDescriptors = `data:text/javascript,${encodeURIComponent(`
	const fs = process.getBuiltinModule('node:fs');
	const taken = [];
	process.on('message', (what) => {
		if (what === 'give') for (const fd of taken.splice(0)) fs.closeSync(fd);
		else try {
			while (what === 'take all' || fs.statSync('/proc/self/fd').size < 120) taken.push(fs.openSync('/dev/null'));
		} catch {}
	});
	process.channel.unref();
`)}`;
