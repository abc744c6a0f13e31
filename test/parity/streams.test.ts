import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import { fixtureServer } from '../processes/children.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { gatewayFor, httpTarget, stdioTarget } from './backends.ts';
import { type Loose, modern, send, Session, stream, type Stream } from './wire.ts';

let gateway: RunningGateway;
let old: HttpMcpServer;
let a: HttpMcpServer;
let b: HttpMcpServer;
const closing: (() => unknown)[] = [];

const oldOnly = 0;
const news = 1;
const children = 2;
const withDead = 3;
const closedWithDead = 4;
const misbehaves = 5;

beforeAll(async () => {
	old = await HttpMcpServer.start({ eras: ['legacy'] });
	a = await HttpMcpServer.start({ eras: ['modern'] });
	b = await HttpMcpServer.start({ eras: ['modern'] });
	const [one, two] = [httpTarget('a', a.url), httpTarget('b', b.url)];
	const dead = { name: 'dead', stdio: { cmd: '/does/not/exist' } };
	gateway = await gatewayFor([
		{ targets: [httpTarget('old', old.url)] },
		{ targets: [one, two] },
		{
			targets: [
				stdioTarget('old', conformanceServer, '--era', 'legacy'),
				stdioTarget('new', conformanceServer, '--era', 'modern'),
			],
		},
		{ targets: [one, dead], failureMode: 'failOpen' },
		{ targets: [one, dead], failureMode: 'failClosed' },
		{ targets: [stdioTarget('old', fixtureServer), stdioTarget('new', fixtureServer, '--modern')] },
	]);
});
afterEach(() => {
	for (const close of closing.splice(0)) close();
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([old.close(), a.close(), b.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;

async function session(bind: number): Promise<Session> {
	const one = await Session.open(at(bind));
	closing.push(() => one.end());
	return one;
}

/** `subscriptions/listen`, once it is acknowledged. */
async function listen(bind: number, notifications: object): Promise<Stream> {
	const one = await stream(at(bind), modern('subscriptions/listen', { notifications }));
	closing.push(() => one.close());
	await expect.poll(() => one.seen[0]?.method).toBe('notifications/subscriptions/acknowledged');
	return one;
}

const methods = (one: Stream) => one.seen.map(({ method }) => method);
const changes = (one: Stream) => methods(one).filter((method) => method === 'notifications/tools/list_changed').length;

describe('subscriptions/listen', () => {
	test('gives nothing that was not asked for, and nothing from before its acknowledgement but after', async () => {
		const one = await listen(news, { promptsListChanged: true });
		await expect.poll(() => a.streams.size).toBeGreaterThan(0);
		a.toolsChanged();
		b.toolsChanged();
		await send(at(news), modern('tools/list'));
		expect(methods(one)).toEqual(['notifications/subscriptions/acknowledged']);
	});

	test('keeps what stays where failOpen, and is refused nothing for the dead', async () => {
		const one = await listen(withDead, { toolsListChanged: true });
		expect(one.seen[0].params.notifications).toEqual({ toolsListChanged: true });
		await expect.poll(() => a.streams.size).toBeGreaterThan(0);
		a.toolsChanged();
		await expect.poll(() => changes(one)).toBeGreaterThan(0);
	});

	test('ends with a result when the client takes it back, and leaves no stream behind', async () => {
		const one = await listen(news, { toolsListChanged: true });
		await expect.poll(() => b.streams.size).toBeGreaterThan(0);
		one.close();
		await one.ended;
		expect((await send(at(news), modern('tools/list'))).status).toBe(200);
	});

	test('asks each server for its part only', async () => {
		const resourceSubscriptions = ['b+file:///x', 'a+file:///y', 'b+file:///x'];
		const one = await listen(news, { toolsListChanged: true, resourceSubscriptions });
		expect(one.seen[0].params.notifications.resourceSubscriptions.toSorted()).toEqual(['a+file:///y', 'b+file:///x']);
		const asked = (server: HttpMcpServer) => server.of('subscriptions/listen').at(-1)?.params['notifications'];
		expect(asked(a)).toMatchObject({ toolsListChanged: true, resourceSubscriptions: ['file:///y'] });
		expect(asked(b)).toMatchObject({ toolsListChanged: true, resourceSubscriptions: ['file:///x'] });
	});

	test('works over children of both eras', async () => {
		const one = await listen(children, { toolsListChanged: true });
		for (const target of ['old', 'new']) {
			const before = changes(one);
			await send(at(children), modern('tools/call', { name: `${target}_test_trigger_tool_change`, arguments: {} }));
			await expect.poll(() => changes(one)).toBeGreaterThan(before);
		}
	});
});

test('a session fails closed before it can listen where a target is missing', async () => {
	await expect(Session.open(at(closedWithDead))).rejects.toThrow(/dead/);
});

describe('the stream of a session', () => {
	test('outlives its server’s refusal of a stream', async () => {
		const refusing = (request: { method?: string }, response: { writeHead(status: number): { end(): void } }) => {
			if (request.method !== 'GET') return false;
			response.writeHead(405).end();
			return true;
		};
		old.intercept = refusing;
		const one = await session(oldOnly);
		const open = await one.listen();
		closing.push(() => open.close());
		expect(open.status).toBe(200);
		expect((await one.result('tools/list')).tools).toHaveLength(4);
		old.intercept = null;
	});

	test('when it breaks, what came meanwhile is not lost', async () => {
		const one = await session(oldOnly);
		const first = await one.listen();
		await expect.poll(() => old.streams.size).toBeGreaterThan(0);
		old.toolsChanged();
		await expect.poll(() => changes(first)).toBeGreaterThan(0);
		const last = [...first.text().matchAll(/^id: ?(\S+)$/gm)].at(-1)?.[1];
		first.close();
		await first.ended;
		const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'while away' } };
		for (const { response } of old.streams) response.write(`data: ${JSON.stringify(log)}\n\n`);
		await one.result('ping');
		const again = await one.listen(last === undefined ? {} : { 'last-event-id': last });
		closing.push(() => again.close());
		await expect.poll(() => again.seen.map(({ params }) => params?.data)).toContain('while away');
		expect(again.seen.filter(({ params }) => params?.data === 'while away')).toHaveLength(1);
	});
});

describe.each(['old', 'new'])('a child of the %s era', (target) => {
	const clients = ['old', 'new'] as const;

	test.each(clients)('tells a client of the %s era how far it is, on the stream of the call', async (era) => {
		const token = { progressToken: 'mine' };
		const name = `${target}_test_tool_with_progress`;
		const reply =
			era === 'old'
				? await (await session(children)).request('tools/call', { name, arguments: {}, _meta: token })
				: await send(at(children), modern('tools/call', { name, arguments: {} }, token));
		const notes = reply.messages.slice(0, -1);
		expect(notes.map(({ method }) => method)).toEqual(Array(3).fill('notifications/progress'));
		expect(notes.map(({ params }) => [params.progressToken, params.progress])).toEqual([
			['mine', 0],
			['mine', 50],
			['mine', 100],
		]);
		expect(reply.last.result.content[0].text).toContain('successfully');
	});

	test.each(clients)('hears that a client of the %s era took its call back', async (era) => {
		const seenBy = async (one: Session | null): Promise<Loose[]> => {
			const params = { name: `${target}_lines`, arguments: {} };
			const result =
				one === null
					? (await send(at(misbehaves), modern('tools/call', params))).last.result
					: await one.result('tools/call', params);
			return JSON.parse(result.content[0].text).map((line: string) => JSON.parse(line));
		};
		const params = { name: `${target}_hang`, arguments: { of: era } };
		const one = era === 'old' ? await session(misbehaves) : null;
		const hanging = async () =>
			(await seenBy(one)).findLast(({ params: sent }) => sent?.name === 'hang' && sent.arguments.of === era)?.id;
		if (one === null) {
			const aborter = new AbortController();
			const call = send(at(misbehaves), { ...modern('tools/call', params), signal: aborter.signal });
			await expect.poll(hanging).toBeDefined();
			aborter.abort();
			await expect(call).rejects.toThrow();
		} else {
			const body = { jsonrpc: '2.0', id: 'hanging', method: 'tools/call', params };
			const call = send(one.url, { headers: one.headers, body });
			await expect.poll(hanging).toBeDefined();
			await one.notify('notifications/cancelled', { requestId: 'hanging' });
			expect((await call).status).toBe(200);
		}
		const id = await hanging();
		const cancelled = async () =>
			(await seenBy(one))
				.filter(({ method }) => method === 'notifications/cancelled')
				.map((note) => note.params.requestId);
		await expect.poll(cancelled).toContain(id);
	});
});

describe('who does not read', () => {
	test('holds up neither the other calls of its session nor anybody else, and costs the gateway no memory', async () => {
		const one = await session(oldOnly);
		const open = await one.listen();
		closing.push(() => open.close());
		open.pause();
		await expect.poll(() => old.streams.size).toBeGreaterThan(0);
		const data = 'x'.repeat(64 * 1024);
		const log = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } });
		const before = await memory();
		// 160 MiB, which is far more than sockets and the limit of a stream take.
		for (let i = 0; i < 2560; i++) {
			for (const { response } of old.streams) if (!response.write(`data: ${log}\n\n`)) await drained(response);
			if (i % 512 === 0) {
				const begun = performance.now();
				expect((await one.result('tools/call', { name: 'echo', arguments: {} })).isError).toBe(false);
				expect(performance.now() - begun).toBeLessThan(3000);
			}
		}
		const other = await session(oldOnly);
		expect((await other.result('tools/list')).tools).toHaveLength(4);
		expect((await memory()) - before).toBeLessThan(96 * 1024 * 1024);
	});

	test('a result of some size waits for its reader alone', async () => {
		answer(old, 'prompts/get', () => ({
			messages: [{ role: 'user', content: { type: 'text', text: 'y'.repeat(8_000_000) } }],
		}));
		const one = await session(oldOnly);
		const slow = await one.stream('prompts/get', { name: 'greet' });
		slow.pause();
		const until = performance.now() + 2000;
		while (performance.now() < until) await one.result('tools/call', { name: 'echo', arguments: {} });
		slow.resume();
		await slow.ended;
		old.override('prompts/get', null);
		expect(slow.text().length).toBeGreaterThan(8_000_000);
	});
});

async function memory(): Promise<number> {
	const state = (await (await fetch(`${gateway.adminUrl}/api/state`)).json()) as { memoryBytes: number };
	return state.memoryBytes;
}

/** Resolves when the socket has room again, or when the other side is gone. */
function drained(response: NodeJS.EventEmitter): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			response.off('drain', done).off('close', done);
			resolve();
		};
		response.on('drain', done).on('close', done);
	});
}
