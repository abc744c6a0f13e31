import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RawClient } from '../http/raw-client.ts';
import { mcpConfig, type RunningGateway } from '../support/gateway.ts';
import type { HttpMcpServer } from '../support/http-mcp-server.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import {
	call,
	type Gateway,
	held,
	httpServer,
	Kept,
	none,
	of,
	pad,
	post,
	size,
	start,
	stays,
	target,
	tell,
} from './holding.ts';

const cancel = (id: number) =>
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"${pad}"}}`;

/** Hangs up, and waits until the gateway has noticed. */
async function hangUp(gateway: RunningGateway, client: RawClient): Promise<void> {
	client.destroy();
	await gateway.waitFor(/the client went away/);
}

describe('a call whose client has hung up holds its body', () => {
	interface Held {
		readonly gateway: Gateway;
		readonly kept: Kept;
		readonly client: LegacyClient;
		readonly other: HttpMcpServer;
	}
	const ways: Record<string, (one: Held) => unknown> = {
		'it is answered': ({ kept }) => kept.answer(),
		'its client takes it back': ({ gateway, client }) => tell(gateway, cancel(7), '/mcp', of(client)),
		'its session ends': ({ client }) => client.end(),
		'its server breaks off': ({ kept }) => kept.breakOff(),
		'a reload drops its target': ({ gateway, other }) => writeFileSync(gateway.file, mcpConfig(target(other, 'b'))),
	};

	test.each(Object.keys(ways))('until %s', async (way) => {
		const [server, other] = [await httpServer('legacy'), await httpServer('legacy')];
		const kept = new Kept(server, 'tools/call');
		const yaml = mcpConfig([target(server), target(other, 'b')].join('\n'));
		const gateway = await start(yaml, { CONNECTION_TERMINATION_DEADLINE: '500ms' });
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		const asked = post(gateway, call(7, 'a_slow'), '/mcp', of(client));
		await expect.poll(() => kept.all.length).toBe(1);
		await hangUp(gateway, asked);
		await stays(gateway);
		await ways[way]?.({ gateway, kept, client, other });
		await none(gateway);
	});

	test.each(['it is answered', 'its server is given up', 'the time of its server is over'])(
		'while it waits for a server, until %s',
		async (way) => {
			const server = await httpServer('legacy');
			const kept = new Kept(server, 'initialize');
			const yaml = mcpConfig(target(server), 'statefulMode: stateless');
			const gateway = await start(yaml.replace('targetStartTimeout: 10s', 'targetStartTimeout: 3s'));
			const asked = post(gateway, call(7, 'echo'));
			await expect.poll(() => held(gateway)).toBeGreaterThan(size);
			await hangUp(gateway, asked);
			await stays(gateway);
			server.override('initialize', null);
			const greeting = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'late' } };
			// The gateway's own look waits, too, and ends its session when it has seen enough.
			const session = (at: number) => {
				server.sessions.add(`late-${at}`);
				return { 'mcp-session-id': `late-${at}` };
			};
			if (way === 'it is answered') kept.answer(JSON.stringify(greeting), session);
			if (way === 'its server is given up') kept.breakOff();
			await none(gateway);
			if (way === 'it is answered') expect(server.of('tools/call')).toHaveLength(1);
		},
	);

	test('as a batch, until the last of its calls is answered', async () => {
		const server = await httpServer('legacy');
		const kept = new Kept(server, 'tools/call');
		const gateway = await start(mcpConfig(target(server)));
		const initialize = '{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"old","version":"1"}}';
		const opening = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${initialize}}`;
		const opened = await post(gateway, opening, '/mcp', ['Connection: close']).untilClosed(10_000);
		const session = /mcp-session-id: (\S+)/i.exec(opened)?.[1] ?? '';
		const small = '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"slow"}}';
		const asked = post(gateway, `[${call(7)},${small}]`, '/mcp', [`Mcp-Session-Id: ${session}`]);
		await expect.poll(() => kept.all.length).toBe(2);
		await hangUp(gateway, asked);
		const last = kept.all.pop();
		kept.answer();
		await stays(gateway);
		if (last !== undefined) kept.all.push(last);
		kept.answer();
		await none(gateway);
	});

	test.each(['tools/call', 'subscriptions/listen'])('no longer where that takes %s back', async (method) => {
		const server = await httpServer('modern');
		const gateway = await start(mcpConfig(target(server)));
		const meta =
			'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
		const own = method === 'tools/call' ? '"name":"slow"' : '"notifications":{"toolsListChanged":true}';
		const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${own},"pad":"${pad}",${meta}}}`;
		const headers = ['MCP-Protocol-Version: 2026-07-28', `Mcp-Method: ${method}`];
		if (method === 'tools/call') headers.push('Mcp-Name: slow');
		const asked = post(gateway, body, '/mcp', headers);
		if (method === 'tools/call') await expect.poll(() => server.of(method).length).toBe(1);
		else await asked.until((text) => text.includes('acknowledged'), 10_000);
		await stays(gateway);
		await hangUp(gateway, asked);
		await none(gateway);
	});
});

/** A client of HTTP+SSE with a session; gives its stream, and where it posts to. */
async function overSse(gateway: RunningGateway): Promise<{ stream: RawClient; path: string }> {
	const stream = new RawClient(Number(new URL(gateway.url()).port));
	stream.send('GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
	const path = /data: (\S+)\n/.exec(await stream.until((text) => text.includes('data: '), 10_000))?.[1] ?? '';
	const params = '{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}';
	await tell(gateway, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${params}}`, path, []);
	await stream.until((text) => text.includes('serverInfo'), 10_000);
	await tell(gateway, '{"jsonrpc":"2.0","method":"notifications/initialized"}', path, []);
	return { stream, path };
}

describe('a call over HTTP+SSE holds its body', () => {
	test.each(['it is answered', 'its client takes it back', 'its stream closes', 'its server breaks off'])(
		'until %s',
		async (way) => {
			const server = await httpServer('legacy');
			const kept = new Kept(server, 'tools/call');
			const gateway = await start(mcpConfig(target(server)));
			const { stream, path } = await overSse(gateway);
			await tell(gateway, call(7), path, []);
			await expect.poll(() => kept.all.length).toBe(1);
			await stays(gateway);
			if (way === 'it is answered') kept.answer();
			else if (way === 'its client takes it back') await tell(gateway, cancel(7), path, []);
			else if (way === 'its stream closes') stream.destroy();
			else kept.breakOff();
			await none(gateway);
			stream.destroy();
		},
	);

	test('so that a flood of them is shed', { timeout: 60_000 }, async () => {
		const server = await httpServer('legacy');
		const kept = new Kept(server, 'tools/call');
		const gateway = await start(mcpConfig(target(server)), {}, '--max-old-space-size=64');
		const { stream, path } = await overSse(gateway);
		const body = call(0).replace(pad, 'x'.repeat(3_500_000));
		const statuses: string[] = [];
		for (let at = 100; at < 120; at++) {
			const one = post(gateway, body.replace('"id":0', `"id":${at}`), path, ['Connection: close']);
			statuses.push(/^HTTP\/1\.1 (\d+)/.exec(await one.until((text) => text.includes('\r\n\r\n'), 20_000))?.[1] ?? '');
			one.destroy();
		}
		expect(statuses.filter((status) => status === '202').length).toBeLessThan(10);
		expect(new Set(statuses)).toEqual(new Set(['202', '503']));
		stream.destroy();
		await none(gateway);
		kept.breakOff();
	});
});
