import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mcpConfig, nodeTarget, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions } from '../support/http-mcp-server.ts';
import { inFrontOf } from '../support/targets.ts';
import { WireClient } from '../support/wire-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

const eras = ['legacy', 'modern'] as const;
const echo = '{"name":"echo","arguments":{}}';
const slowly = { timeout: 15_000, interval: 100 };

async function serve(options: HttpMcpServerOptions, port = 0): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options, port);
	closing.push(() => server.close().catch(() => {}));
	return server;
}

/** Answers a request with members that need not make sense. */
function reply(response: ServerResponse, id: unknown, members: object): void {
	response.writeHead(200, { 'content-type': 'application/json' });
	response.end(JSON.stringify({ jsonrpc: '2.0', id, ...members }));
}

describe('a server that forgets its sessions while its client only listens', () => {
	test.each(eras)('is heard again by a %s client', async (era) => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await inFrontOf('mcp', server.url, closing);
		const notes: string[] = [];
		const client = await WireClient.open(`${gateway.url()}/mcp`, era, { onNote: ({ method }) => notes.push(method) });
		const stream = await client.listen('{"toolsListChanged":true}');
		await vi.waitFor(() => expect(server.streams.size).toBe(1), slowly);
		server.intercept = (request, response) => {
			if (request.method !== 'GET' || server.sessions.has(String(request.headers['mcp-session-id']))) return false;
			response.writeHead(404).end();
			return true;
		};
		server.sessions.clear();
		for (const { response } of server.streams) response.destroy();
		await vi.waitFor(() => expect(server.streams.size).toBe(0), slowly);
		await vi.waitFor(() => expect(server.streams.size).toBe(1), slowly);
		notes.length = 0;
		server.toolsChanged();
		await vi.waitFor(() => expect(notes).toContain('notifications/tools/list_changed'), slowly);
		stream.close();
	});

	test('is not greeted for ever when it never gave a stream', async () => {
		const server = await serve({ eras: ['legacy'] });
		server.intercept = (request, response) => {
			if (request.method !== 'GET') return false;
			response.writeHead(404).end();
			return true;
		};
		const gateway = await inFrontOf('mcp', server.url, closing);
		const client = await WireClient.open(`${gateway.url()}/mcp`, 'legacy');
		await client.request('tools/call', echo);
		const greetings = server.of('initialize').length;
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect(server.of('initialize').length).toBe(greetings);
	});
});

describe('a server without sessions that answers server/discover with', () => {
	const answers: Record<string, (id: unknown, response: ServerResponse) => void> = {
		'a null result': (id, response) => reply(response, id, { result: null }),
		'a null result beside an error': (id, response) =>
			reply(response, id, { result: null, error: { code: -32601, message: 'no' } }),
		'a null error': (id, response) => reply(response, id, { result: {}, error: null }),
		'an error for no id': (_id, response) => reply(response, null, { error: { code: -32600, message: 'no' } }),
		'a page for people': (_id, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
		nothing: (_id, response) => response.writeHead(202).end(),
		silence: () => {},
	};
	describe.each(Object.entries(answers))('%s', (_name, answer) => {
		test.each(eras)('serves a %s client', { timeout: 20_000 }, async (era) => {
			const server = await serve({ eras: ['legacy'] });
			server.override('server/discover', ({ id }, response) => answer(id, response));
			const greeting = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x' } };
			server.override('initialize', ({ id }, response) => reply(response, id, { result: greeting }));
			server.override('tools/call', ({ id }, response) => reply(response, id, { result: { content: [] } }));
			const gateway = await runGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`));
			closing.push(() => gateway.stop());
			const client = await WireClient.open(`${gateway.url()}/mcp`, era);
			expect((await client.request('tools/call', echo)).text).toContain('"result"');
		});
	});
});

/** A stdio server that fills in both members of each response, as JSON-RPC 1.0 did. */
const bothMembers = `
process.stdin.on('data', (chunk) => {
	for (const line of String(chunk).split('\\n').filter(Boolean)) {
		const { id, method } = JSON.parse(line);
		if (id === undefined) continue;
		const results = {
			initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
			'tools/call': { content: [] },
		};
		const result = results[method] ?? null;
		const error = result === null ? { code: -32601, message: 'no' } : null;
		console.log(JSON.stringify({ jsonrpc: '2.0', id, result, error }));
	}
});
`;

test.each(eras)('a stdio server that fills in result and error serves a %s client', async (era) => {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-both-'));
	closing.push(async () => rmSync(folder, { recursive: true }));
	const file = join(folder, 'server.mjs');
	writeFileSync(file, bothMembers);
	const gateway = await runGateway(mcpConfig(nodeTarget('a', file)));
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	const client = await WireClient.open(`${gateway.url()}/mcp`, era);
	expect((await client.request('tools/call', echo)).text).toContain('"result"');
	expect((await client.request('prompts/list')).message.error?.code).toBe(-32601);
});

describe('an HTTP server that is replaced under open clients', () => {
	const changes = [
		['legacy', 'modern'],
		['modern', 'legacy'],
	] as const;
	test.each(changes)('from %s to %s is found out', { timeout: 30_000 }, async (before, after) => {
		const server = await serve({ eras: [before] });
		const gateway = await inFrontOf('mcp', server.url, closing);
		const clients = await Promise.all(eras.map((era) => WireClient.open(`${gateway.url()}/mcp`, era)));
		const call = async (client: WireClient) =>
			expect((await client.request('tools/call', echo)).text).toContain('"result"');
		for (const client of clients) await call(client);
		const { port } = server;
		await server.close();
		await serve({ eras: [after] }, port);
		for (const client of clients) await vi.waitFor(() => call(client), slowly);
	});
});
