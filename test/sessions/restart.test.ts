import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mcpConfig, nodeTarget, type RunningGateway, runGateway, timeServer } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { freePort } from '../support/free-port.ts';
import { stateOf } from '../support/state.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

const key = '11'.repeat(32);

/** The gateway on the same port each time, as after an update or a crash. */
class Restarted {
	readonly url: string;
	private readonly port: number;
	/** As YAML; what it is at the next start. */
	targets: string;
	private readonly sessionKey: string | null;
	private gateway: RunningGateway | null = null;

	private constructor(port: number, targets: string, sessionKey: string | null) {
		this.port = port;
		this.url = `http://127.0.0.1:${port}/mcp`;
		this.targets = targets;
		this.sessionKey = sessionKey;
	}

	static async start(targets: string, sessionKey: string | null = key): Promise<Restarted> {
		const one = new Restarted(await freePort(), targets, sessionKey);
		closing.push(() => one.end('SIGTERM'));
		await one.again();
		return one;
	}

	/** Starts it and waits until its probe has met every target. */
	async again(): Promise<void> {
		const config = mcpConfig(this.targets).replace('- port: 0', `- port: ${this.port}`);
		this.gateway = await runGateway(config, { env: { SESSION_KEY: this.sessionKey ?? undefined } });
		const { gateway } = this;
		await vi.waitFor(
			async () => {
				const state = await stateOf(gateway);
				const targets = state.binds[0]?.listeners[0]?.routes[0]?.backends[0]?.targets ?? [];
				expect(targets.map(({ tools }) => tools)).not.toContain(null);
			},
			{ timeout: 10_000, interval: 50 },
		);
	}

	async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<string> {
		const { gateway } = this;
		this.gateway = null;
		if (gateway === null) return '';
		gateway.process.kill(signal);
		await gateway.exited;
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
		return gateway.log();
	}
}

async function httpServer(eras: readonly ('legacy' | 'modern')[]): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start({ eras });
	closing.push(() => server.close());
	return server;
}

const http = (server: HttpMcpServer, name = 'a') => `- name: ${name}\n  mcp: { host: "${server.url}" }`;
const sessionOf = (server: HttpMcpServer) => server.of('tools/call').at(-1)?.headers['mcp-session-id'];

describe.each(['SIGKILL', 'SIGTERM'] as const)('after %s', (signal) => {
	test('a session of the official client goes on in the same session at the server', async () => {
		const server = await httpServer(['legacy']);
		const gateway = await Restarted.start(http(server));
		const client = new Client({ name: 'old', version: '1' });
		const changed = vi.fn();
		client.setNotificationHandler(ToolListChangedNotificationSchema, changed);
		const transport = new StreamableHTTPClientTransport(new URL(gateway.url));
		await client.connect(transport);
		await client.callTool({ name: 'echo', arguments: { n: 1 } });
		const id = transport.sessionId;
		const upstream = sessionOf(server);
		expect(upstream).toMatch(/^session-\d+$/);

		await gateway.end(signal);
		expect(server.sessions).toContain(upstream);
		await gateway.again();
		const opened = server.of('initialize').length;
		await client.callTool({ name: 'echo', arguments: { n: 2 } });
		expect([transport.sessionId, sessionOf(server)]).toEqual([id, upstream]);
		expect(server.of('initialize')).toHaveLength(opened);

		// The client has taken up its own stream again, too.
		await vi.waitFor(
			() => {
				server.toolsChanged();
				expect(changed).toHaveBeenCalled();
			},
			{ timeout: 8000, interval: 200 },
		);
		await transport.terminateSession();
		await client.close();
		await vi.waitFor(() => expect(server.sessions).not.toContain(upstream));
		expect(await gateway.end('SIGTERM')).not.toContain(id);
	}, 40_000);

	test('a session to servers of the new era goes on, too', async () => {
		const [modern, old] = [await httpServer(['modern']), await httpServer(['legacy'])];
		const gateway = await Restarted.start(`${http(modern)}\n${http(old, 'b')}`);
		const client = await LegacyClient.open(gateway.url);
		expect(JSON.parse(await client.tool('a_echo'))).toMatchObject({ params: { name: 'echo' } });
		await client.tool('b_echo');
		const upstream = sessionOf(old);
		await gateway.end(signal);
		await gateway.again();
		expect(await client.toolNames()).toContain('b_echo');
		await client.tool('a_echo');
		await client.tool('b_echo');
		expect(sessionOf(old)).toBe(upstream);
		expect(modern.of('initialize').every(({ id }) => id !== undefined)).toBe(true);
		expect(await client.end()).toBe(204);
		expect((await client.request('ping', '{}')).status).toBe(404);
	}, 40_000);
});

test('a session whose key was random ends with the gateway, also at the server', async () => {
	const server = await httpServer(['legacy']);
	const gateway = await Restarted.start(http(server), null);
	const client = await LegacyClient.open(gateway.url);
	const log = await gateway.end('SIGTERM');
	expect(log).toContain('session ids are sealed with a random key');
	expect(server.sessions.size).toBe(0);
	await gateway.again();
	const before = server.received.length;
	expect((await client.request('ping', '{}')).status).toBe(404);
	expect(server.received).toHaveLength(before);
}, 40_000);

test('a session with a child process ends with it', async () => {
	const server = await httpServer(['legacy']);
	const gateway = await Restarted.start(`${http(server)}\n${nodeTarget('time', timeServer)}`);
	const client = await LegacyClient.open(gateway.url);
	await client.tool('a_echo');
	await gateway.end('SIGTERM');
	expect(server.sessions.size).toBe(0);
	await gateway.again();
	expect((await client.request('ping', '{}')).status).toBe(404);
}, 40_000);

test('a session is not taken up when another server stands behind its target', async () => {
	const [server, other] = [await httpServer(['legacy']), await httpServer(['legacy'])];
	const gateway = await Restarted.start(http(server));
	const client = await LegacyClient.open(gateway.url);
	await gateway.end('SIGKILL');
	gateway.targets = http(other);
	await gateway.again();
	const before = other.received.length;
	expect((await client.request('ping', '{}')).status).toBe(404);
	expect(other.received).toHaveLength(before);
}, 40_000);

test('a session is good only at its own backend', async () => {
	const [left, right] = [await httpServer(['legacy']), await httpServer(['legacy'])];
	const route = (path: string, server: HttpMcpServer) =>
		`    - matches: [{ path: { pathPrefix: ${path} } }]
      backends: [{ mcp: { targets: [{ name: a, mcp: { host: "${server.url}" } }] } }]`;
	const config = `binds:\n- port: 0\n  listeners:\n  - routes:\n${route('/left', left)}\n${route('/right', right)}\n`;
	const gateway = await runGateway(config, { env: { SESSION_KEY: key } });
	closing.push(() => gateway.stop());
	const client = await LegacyClient.open(`${gateway.url()}/left`);
	const ask = async (path: string) => {
		const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
		const headers = { 'content-type': 'application/json', 'mcp-session-id': client.session };
		return (await fetch(`${gateway.url()}${path}`, { method: 'POST', headers, body })).status;
	};
	await vi.waitFor(() => expect(right.of('tools/list')).toHaveLength(1));
	expect([await ask('/left'), await ask('/right')]).toEqual([200, 404]);
	expect(right.of('tools/list')).toHaveLength(1);
}, 40_000);

test('a session ends after the time without use, at the server, too', async () => {
	const server = await httpServer(['legacy']);
	const config = mcpConfig(http(server)).replace('  mcp:\n', '  mcp:\n    sessionTtl: 1s\n');
	const gateway = await runGateway(config, { env: { SESSION_KEY: key } });
	closing.push(() => gateway.stop());
	const client = await LegacyClient.open(`${gateway.url()}/mcp`);
	await client.tool('echo');
	const upstream = sessionOf(server);
	for (let step = 0; step < 5; step++) {
		await new Promise((resolve) => setTimeout(resolve, 400));
		expect((await client.request('ping', '{}')).status).toBe(200);
	}
	await vi.waitFor(() => expect(server.sessions).not.toContain(upstream), { timeout: 5000 });
	expect((await client.request('ping', '{}')).status).toBe(404);
}, 40_000);

test('what is no session id is told so, and what is a forged one is not known', async () => {
	const server = await httpServer(['legacy']);
	const gateway = await runGateway(mcpConfig(http(server)), { env: { SESSION_KEY: key } });
	closing.push(() => gateway.stop());
	const client = await LegacyClient.open(`${gateway.url()}/mcp`);
	await client.tool('echo');
	const upstream = sessionOf(server);
	const before = server.received.length;
	const ask = async (session: string | null) => {
		const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
		const headers: Record<string, string> = { 'content-type': 'application/json' };
		if (session !== null) headers['mcp-session-id'] = session;
		const response = await fetch(`${gateway.url()}/mcp`, { method: 'POST', headers, body });
		return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
	};
	const { session } = client;
	const flipped = `${session.slice(0, -2)}${session.endsWith('AA') ? 'BA' : 'AA'}`;
	expect(await ask(null)).toEqual([400, 'the Mcp-Session-Id header is missing; send initialize first']);
	expect(await ask('made-up')).toEqual([400, 'the Mcp-Session-Id header holds no id that this gateway gave']);
	expect(await ask('A'.repeat(5000))).toEqual([400, 'the Mcp-Session-Id header holds no id that this gateway gave']);
	expect(await ask(flipped)).toEqual([404, 'the session is unknown or has ended; send initialize again']);
	expect(await ask(Buffer.from(session, 'base64url').fill(7, 20, 25).toString('base64url'))).toEqual([
		404,
		'the session is unknown or has ended; send initialize again',
	]);
	const since = server.received.slice(before);
	expect(since.filter(({ headers }) => headers['mcp-session-id'] === upstream)).toEqual([]);
	expect(gateway.log()).not.toContain(session);
}, 40_000);
