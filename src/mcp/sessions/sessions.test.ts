import { afterEach, describe, expect, test, vi } from 'vitest';
import { type EndpointChoice, TestEndpoint } from '../../../test/support/endpoint.ts';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import { createSeal } from '../../lib/seal.ts';
import { openSessionId, sealSessionId, type SessionIdContent } from './session-id.ts';

const seal = createSeal(Buffer.alloc(32), 'session id');
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'one', arguments: {} } };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	vi.useRealTimers();
	for (const close of closing.splice(0)) await close();
});

function server(name = 'a'): FakeTarget {
	const target = new FakeTarget(name, { tools: {} }, (_method, params) => ({ content: [], params }));
	target.session = `at-${name}`;
	return target;
}

function endpoint(targets: FakeTarget[], choice: EndpointChoice = {}): TestEndpoint {
	const one = new TestEndpoint(targets, choice);
	closing.push(() => one.close());
	return one;
}

async function status(one: TestEndpoint, headers: Record<string, string>): Promise<number> {
	return (await one.post(headers, ping)).status;
}

/** An id as another start of the gateway gave it, with changes. */
function idOf(change: Partial<SessionIdContent> = {}): string {
	return sealSessionId(
		{
			...{ backend: 'route/backend', principal: 'anonymous', issuedAt: Date.now(), holder: 'first' },
			...{ protocolVersion: '2025-11-25', clientInfo: null, capabilities: Buffer.from('{}'), logLevel: null },
			upstreamSessions: [{ target: 'a', sessionId: 'at-a', protocolVersion: '2025-11-25' }],
			holdsLocal: false,
			...change,
		},
		seal,
	).id;
}

describe('the id of a session', () => {
	test('tells of the session, upstream sessions included, to who has the key', async () => {
		const one = endpoint([server('a'), server('b')]);
		const { 'mcp-session-id': id = '' } = await one.open('2025-06-18', { roots: {} });
		expect(openSessionId(id, seal)).toMatchObject({
			backend: 'route/backend',
			principal: 'anonymous',
			holder: 'first',
			protocolVersion: '2025-06-18',
			clientInfo: Buffer.from('{"name":"c","version":"1"}'),
			capabilities: Buffer.from('{"roots":{}}'),
			upstreamSessions: [
				{ target: 'a', sessionId: 'at-a', protocolVersion: '2025-11-25' },
				{ target: 'b', sessionId: 'at-b', protocolVersion: '2025-11-25' },
			],
			holdsLocal: false,
			resumable: true,
		});
		expect(id).not.toContain('at-a');
	});

	test.each([
		['none', {}, 400],
		['one of another gateway', { 'mcp-session-id': '0b6c3d36-0b5e-4b0e-8f0e-1f2a3b4c5d6e' }, 404],
		['one of no gateway at all', { 'mcp-session-id': 'garbage' }, 400],
		['one with a second in the same header', { 'mcp-session-id': `${idOf()}, ${idOf()}` }, 400],
		['one that is too long', { 'mcp-session-id': 'A'.repeat(5000) }, 400],
		[
			'one of another key',
			{ 'mcp-session-id': createSeal(Buffer.alloc(32, 1), 'session id').seal(Buffer.alloc(80)) },
			404,
		],
		['one that was changed', { 'mcp-session-id': idOf().replace(/.{3}$/, 'AAA') }, 404],
		['one of this start that is not open', { 'mcp-session-id': idOf({ holder: 'second' }) }, 404],
		['one of another backend', { 'mcp-session-id': idOf({ backend: 'route/other' }) }, 404],
		['one of another principal', { 'mcp-session-id': idOf({ principal: 'somebody' }) }, 404],
		['one of yesterday', { 'mcp-session-id': idOf({ issuedAt: Date.now() - 25 * 3_600_000 }) }, 404],
		['one with a child process', { 'mcp-session-id': idOf({ holdsLocal: true }) }, 404],
		['one of fewer targets', { 'mcp-session-id': idOf({ upstreamSessions: [] }) }, 404],
		[
			'one of other targets',
			{ 'mcp-session-id': idOf({ upstreamSessions: [{ target: 'b', sessionId: 'x', protocolVersion: '' }] }) },
			404,
		],
	])('%s is refused, and no server hears of it', async (_what, headers, expected) => {
		const a = server();
		const one = endpoint([a], { holder: 'second' });
		const known: Record<string, string> = headers;
		const get = one.begin('GET', known);
		const end = one.begin('DELETE', known);
		expect([await status(one, known), get.status, end.status]).toEqual([expected, expected, expected]);
		expect([a.opened, one.mcp.openSessions]).toEqual([0, 0]);
	});

	test('is given once the servers have been heard, and to nobody whose session was refused', async () => {
		const a = server();
		a.start = 'failed';
		const one = endpoint([a], { refuseWhenMissing: 'any' });
		await expect(one.open()).rejects.toThrow('no session: 200');
		expect(one.mcp.openSessions).toBe(0);
	});

	test('nobody waits for: the session ends with the request', async () => {
		const a = server();
		a.start = 'hangs';
		const one = endpoint([a]);
		const params = { protocolVersion: '2025-11-25', capabilities: {} };
		const opening = one.begin('POST', {}, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
		expect(one.mcp.openSessions).toBe(1);
		for (const gone of opening.goneCallbacks) gone();
		expect([one.mcp.openSessions, a.closed]).toEqual([0, 1]);
	});
});

describe('a session of another start of the gateway', () => {
	test('goes on under its id, in its session at the server', async () => {
		const a = server();
		const first = endpoint([a]);
		const headers = await first.open();
		await first.close();
		expect([a.closed, a.kept]).toEqual([1, 1]);
		const second = endpoint([a], { holder: 'second' });
		expect((await second.post(headers, call)).messages()[0]).toMatchObject({
			id: 2,
			result: { params: { name: 'one' } },
		});
		expect(a.resumed).toEqual([null, { sessionId: 'at-a', protocolVersion: '2025-11-25' }]);
		expect(second.mcp.openSessions).toBe(1);
	});

	test('is opened once, however many ask at once', async () => {
		const a = server();
		const one = endpoint([a], { holder: 'second' });
		const headers = { 'mcp-session-id': idOf() };
		const replies = await Promise.all([1, 2, 3].map((id) => one.post(headers, { ...call, id })));
		expect(replies.map((reply) => reply.messages()[0]?.['id'])).toEqual([1, 2, 3]);
		expect([a.opened, one.mcp.openSessions]).toEqual([1, 1]);
	});

	test('that ended here does not come back', async () => {
		const a = server();
		const one = endpoint([a], { holder: 'second' });
		const headers = { 'mcp-session-id': idOf() };
		expect(await status(one, headers)).toBe(200);
		expect(one.begin('DELETE', headers).status).toBe(204);
		expect([await status(one, headers), a.opened, a.kept]).toEqual([404, 1, 0]);
	});

	test('that grew old here does not come back', async () => {
		const a = server();
		const one = endpoint([a], { holder: 'second', sessionTtl: 100 });
		const headers = { 'mcp-session-id': idOf() };
		expect(await status(one, headers)).toBe(200);
		await vi.waitFor(() => expect(one.mcp.openSessions).toBe(0));
		expect([await status(one, headers), a.opened]).toEqual([404, 1]);
	});

	test('may be older than a day where sessions may be', async () => {
		const one = endpoint([server()], { holder: 'second', sessionTtl: 48 * 3_600_000 });
		expect(await status(one, { 'mcp-session-id': idOf({ issuedAt: Date.now() - 47 * 3_600_000 }) })).toBe(200);
	});

	test('counts against the number of sessions', async () => {
		const one = endpoint([server()], { holder: 'second', limits: { maxSessions: 1 } });
		await one.open();
		const full = await one.post({ 'mcp-session-id': idOf() }, ping);
		expect([full.status, full.replyHeaders['retry-after']]).toEqual([503, '5']);
	});
});

describe('the end of a session', () => {
	test('ends it at the server, too, unless somebody can go on with it', async () => {
		const a = server();
		const local = server();
		local.local = true;
		for (const [target, keyLasts, kept] of [
			[a, false, 0],
			[local, true, 0],
			[a, true, 1],
		] as const) {
			const one = endpoint([target], { keyLasts });
			await one.open();
			await one.close();
			expect(target.kept).toBe(kept);
		}
	});

	test('comes after the time without use, and not while a stream is open', async () => {
		const one = endpoint([server()], { sessionTtl: 150 });
		const [idle, busy] = [await one.open(), await one.open()];
		one.begin('GET', busy);
		await vi.waitFor(() => expect(one.mcp.openSessions).toBe(1), { timeout: 2000 });
		expect([await status(one, idle), await status(one, busy)]).toEqual([404, 200]);
	});
});
