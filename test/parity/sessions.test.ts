import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { SseMcpServer } from '../support/sse-mcp-server.ts';
import { stateOf } from '../support/state.ts';
import { gatewayFor, httpTarget, probed, stdioTarget } from './backends.ts';
import { type Loose, message, send, Session } from './wire.ts';

const key = '5a'.repeat(32);
let server: HttpMcpServer;
let second: HttpMcpServer;
let sse: SseMcpServer;
/** Two instances that hold the same key. */
let gateway: RunningGateway;
let replica: RunningGateway;
let brief: RunningGateway;

const single = 0;
const twin = 1;
const pair = 2;
const child = 3;
/** The same two targets in both instances, in another order. */
const turned = 4;
const overSse = 5;

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['legacy'] });
	second = await HttpMcpServer.start({ eras: ['legacy'] });
	sse = await SseMcpServer.start();
	const [a, b] = [httpTarget('a', server.url), httpTarget('b', second.url)];
	const c = { name: 'c', sse: { host: sse.url } };
	const stdio = stdioTarget('a', conformanceServer, '--era', 'legacy');
	const env = { env: { SESSION_KEY: key } };
	[gateway, replica, brief] = await Promise.all([
		gatewayFor(
			[[a], [a], [a, b], [stdio], [a, b], [c]].map((targets) => ({ targets })),
			{},
			env,
		),
		gatewayFor(
			[[b], [a], [a, b], [stdio], [b, a], [c]].map((targets) => ({ targets })),
			{},
			env,
		),
		gatewayFor([{ targets: [a] }, { targets: [stdio] }], { sessionTtl: '1s' }),
	]);
	await Promise.all([gateway, replica].map(probed));
});

afterAll(async () => {
	const all = [gateway, replica, brief];
	expect(await Promise.all(all.map((one) => one.stop()))).toEqual([0, 0, 0]);
	for (const one of all) expect(one.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([server.close(), second.close(), sse.close()]);
});

const at = (bind: number, one = gateway) => `${one.url(bind)}/mcp`;

async function openSessions(): Promise<number> {
	const text = JSON.stringify(await stateOf(gateway));
	return [...text.matchAll(/"sessions":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('without a session id', () => {
	test.each([
		['a request', message('tools/list')],
		['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
		['a response', { jsonrpc: '2.0', id: 1, result: {} }],
		['an error', { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } }],
	])('%s gets 400 and opens nothing', async (_name, body) => {
		const before = [server.received.length, await openSessions()];
		const reply = await send(at(single), { headers: { 'mcp-protocol-version': '2025-11-25' }, body });
		expect(reply.status).toBe(400);
		expect([server.received.length, await openSessions()]).toEqual(before);
	});

	test.each(['GET', 'DELETE'] as const)('%s gets 400', async (method) => {
		expect((await send(at(single), { method })).status).toBe(400);
	});
});

describe('a session id', () => {
	/** Sends every kind of message with an id; gives the statuses. */
	async function statuses(url: string, id: string): Promise<number[]> {
		const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
		const bodies: Loose[] = [
			message('tools/list'),
			message('tools/call', { name: 'echo', arguments: {} }),
			{ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
			{ jsonrpc: '2.0', id: 1, result: {} },
		];
		const replies = [];
		for (const body of bodies) replies.push(await send(url, { headers, body }));
		replies.push(await send(url, { method: 'GET', headers }));
		replies.push(await send(url, { method: 'DELETE', headers }));
		return [...new Set(replies.map(({ status }) => status))];
	}

	test('of another backend is 404 there, even in front of the same target, which hears nothing', async () => {
		const session = await Session.open(at(single));
		const before = server.received.length;
		expect(await statuses(at(twin), session.id)).toEqual([404]);
		expect(server.received).toHaveLength(before);
		expect(await session.result('ping')).toEqual({});
		await session.end();
	});

	test('that was changed in any place is unknown', async () => {
		const session = await Session.open(at(single));
		const before = server.received.length;
		for (const place of [0, 5, Math.floor(session.id.length / 2), session.id.length - 2]) {
			const other = session.id[place] === 'A' ? 'B' : 'A';
			const forged = session.id.slice(0, place) + other + session.id.slice(place + 1);
			expect((await statuses(at(single), forged)).every((status) => status === 404 || status === 400)).toBe(true);
		}
		expect(server.received).toHaveLength(before);
		await session.end();
	});

	test.each(['x', 'not a session', '00000000-0000-4000-8000-000000000000', 'A'.repeat(5000)])(
		'that no gateway made is malformed or unknown, never a fault: %#',
		async (id) => {
			const found = await statuses(at(single), id);
			expect(found).toHaveLength(1);
			expect([400, 404]).toContain(found[0]);
		},
	);

	test.each([single, child])('that was deleted is 404 for ever (bind %i)', async (bind) => {
		const session = await Session.open(at(bind));
		expect([200, 204]).toContain((await session.end()).status);
		expect(await statuses(at(bind), session.id)).toEqual([404]);
	});

	test('that was not used for its time is 404, in front of a child, too', async () => {
		await Promise.all(
			[0, 1].map(async (bind) => {
				const session = await Session.open(at(bind, brief));
				const headers = session.headers;
				// Each look is a use; so it has to wait for longer than the time.
				const idle = async () => after(2500).then(() => session.request('ping'));
				await expect.poll(async () => (await idle()).status, { timeout: 12_000 }).toBe(404);
				expect(await statuses(at(bind, brief), session.id)).toEqual([404]);
				expect((await Session.open(at(bind, brief))).headers).not.toEqual(headers);
			}),
		);
	});

	test('never stands whole in the log', async () => {
		const session = await Session.open(at(single));
		await session.result('tools/list');
		await session.end();
		expect(gateway.log()).not.toContain(session.id);
	});

	test('holds nothing that could be read: neither targets nor sessions at them', async () => {
		const session = await Session.open(at(single));
		const [upstream] = server.sessions;
		const decoded = Buffer.from(session.id, 'base64url').toString('latin1');
		expect(decoded).not.toMatch(/session-\d|"t"|mcp/);
		expect(upstream).toMatch(/^session-/);
		await session.end();
	});
});

describe('another instance with the same key', () => {
	const goesOn = async (bind: number) => {
		const session = await Session.open(at(bind));
		await session.result('tools/call', { name: 'a_echo', arguments: {} });
		const upstream = server.of('tools/call').at(-1)?.headers['mcp-session-id'];
		const opened = server.of('initialize').length + second.of('initialize').length;
		for (const name of ['a_echo', 'b_echo']) {
			const body = message('tools/call', { name, arguments: {} });
			const { last } = await send(at(bind, replica), { headers: session.headers, body });
			expect(last.result?.isError).toBe(false);
		}
		expect(server.of('tools/call').at(-1)?.headers['mcp-session-id']).toBe(upstream);
		expect(server.of('initialize').length + second.of('initialize').length).toBe(opened);
		expect(await session.result('ping')).toEqual({});
		await session.end();
	};

	test('goes on with a session, in the same sessions at its servers', () => goesOn(pair));

	test('whatever the order of its targets', () => goesOn(turned));

	test('does not take one of a backend that has other targets', async () => {
		const session = await Session.open(at(single));
		const before = second.received.length;
		const reply = await send(at(single, replica), { headers: session.headers, body: message('tools/list') });
		expect(reply.status).toBe(404);
		expect(second.received).toHaveLength(before);
		await session.end();
	});

	test.each([
		['child', child],
		['stream', overSse],
	])('does not take one whose %s it cannot have', async (_name, bind) => {
		const session = await Session.open(at(bind));
		const reply = await send(at(bind, replica), { headers: session.headers, body: message('tools/list') });
		expect(reply.status).toBe(404);
		expect(await session.result('ping')).toEqual({});
		await session.end();
	});
});
