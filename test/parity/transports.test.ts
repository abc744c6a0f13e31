import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { SseMcpServer } from '../support/sse-mcp-server.ts';
import { gatewayFor, httpTarget } from './backends.ts';
import { SseSession } from './sse-session.ts';
import { type Loose, modern, send, Session } from './wire.ts';

let gateway: RunningGateway;
let stateful: HttpMcpServer;
let sessionless: HttpMcpServer;
let sse: SseMcpServer;

beforeAll(async () => {
	stateful = await HttpMcpServer.start({ eras: ['legacy'], reply: 'events' });
	sessionless = await HttpMcpServer.start({ eras: ['legacy'] });
	sse = await SseMcpServer.start();
	// A server of the old era that gives out no session.
	answer(sessionless, 'initialize', () => ({
		protocolVersion: '2025-11-25',
		capabilities: { tools: {} },
		serverInfo: { name: 'sessionless', version: '1' },
	}));
	answer(sessionless, 'tools/list', () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }));
	answer(sessionless, 'tools/call', (params) => ({ content: [{ type: 'text', text: JSON.stringify(params) }] }));
	const sseTarget = { name: 'a', sse: { host: sse.url } };
	gateway = await gatewayFor([
		{ targets: [httpTarget('a', stateful.url)] },
		{ targets: [sseTarget] },
		{ targets: [httpTarget('a', sessionless.url)] },
		{ targets: [httpTarget('a', stateful.url)], statefulMode: 'stateless' },
		{ targets: [sseTarget], statefulMode: 'stateless' },
		{ targets: [httpTarget('a', sessionless.url)], statefulMode: 'stateless' },
	]);
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([stateful.close(), sessionless.close(), sse.close()]);
});

type Use = (method: string, params: object) => Promise<Loose>;

async function listsAndCalls(use: Use): Promise<void> {
	const { tools } = await use('tools/list', {});
	expect(tools.map(({ name }: { name: string }) => name)).toContain('echo');
	const { content } = await use('tools/call', { name: 'echo', arguments: { n: 1.0 } });
	expect(content[0].text).toContain('"arguments":{"n":1}');
}

describe.each([
	['stream', 0],
	['sse', 1],
	['stream without sessions', 2],
] as const)('a backend that keeps sessions, in front of a target: %s', (_kind, bind) => {
	test('lists and calls for a stream client', async () => {
		const session = await Session.open(`${gateway.url(bind)}/mcp`);
		expect(session.id).not.toBe('');
		await listsAndCalls((...a) => session.result(...a));
		await session.end();
	});

	test('lists and calls for an sse client', async () => {
		const session = await SseSession.open(`${gateway.url(bind)}/sse`);
		await listsAndCalls((...a) => session.result(...a));
		expect(session.open.text()).toContain('event: message\n');
		session.close();
	});

	test('lists and calls for a client of 2026-07-28', async () => {
		await listsAndCalls(async (method, params) => {
			const { last } = await send(`${gateway.url(bind)}/mcp`, modern(method, params));
			return last.result;
		});
	});
});

describe.each([
	['stateful stream', 3],
	['sse', 4],
	['stateless stream', 5],
] as const)('a stateless backend in front of a target: %s', (_kind, bind) => {
	test('lists and calls, with no session for anybody', async () => {
		const session = await Session.open(`${gateway.url(bind)}/mcp`);
		expect(session.id).toBe('');
		await listsAndCalls((...a) => session.result(...a));
	});

	test('calls without any initialize', async () => {
		const url = `${gateway.url(bind)}/mcp`;
		const body = { jsonrpc: '2.0', id: 'x', method: 'tools/call', params: { name: 'echo', arguments: {} } };
		const reply = await send(url, { body });
		expect(reply.last).toMatchObject({ id: 'x', result: { content: [{ type: 'text' }] } });
		expect(reply.headers['mcp-session-id']).toBeUndefined();
	});

	test('has nothing to listen to and nothing to end: 405', async () => {
		const url = `${gateway.url(bind)}/mcp`;
		expect((await send(url, { method: 'GET' })).status).toBe(405);
		expect((await send(url, { method: 'DELETE' })).status).toBe(405);
		expect((await send(`${gateway.url(bind)}/sse`, { method: 'GET' })).status).toBe(405);
	});
});

test('events that a stream is made of are named', async () => {
	const session = await Session.open(`${gateway.url(0)}/mcp`);
	const params = { name: 'progress', arguments: {}, _meta: { progressToken: 1 } };
	const reply = await session.request('tools/call', params);
	expect(reply.text).toMatch(/(^|\n)event: message\n/);
	expect(reply.messages.map((one) => one.method ?? one.result.isError)).toEqual(['notifications/progress', false]);
});
