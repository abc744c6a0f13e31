import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestEndpoint } from '../../../test/support/endpoint.ts';
import type { FakeExchange } from '../../../test/support/fake-exchange.ts';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import { createSeal } from '../../lib/seal.ts';
import { sealSessionId, type SessionIdContent } from './session-id.ts';

const seal = createSeal(Buffer.alloc(32), 'session id');
const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'one', arguments: {} } };
const guesses = 20_000;

let target: FakeTarget;
let endpoint: TestEndpoint;
let other: TestEndpoint;
let victim: string;

beforeAll(async () => {
	target = new FakeTarget('a', { tools: {} }, () => ({ content: [] }));
	target.session = 'at-a';
	endpoint = new TestEndpoint([target]);
	other = new TestEndpoint([target], { scope: 'route/other' });
	victim = (await endpoint.open())['mcp-session-id'] ?? '';
});
afterAll(async () => {
	await endpoint.close();
	await other.close();
});

/** What an attacker sees. */
function seen({ status, replyHeaders, written }: FakeExchange): string {
	const headers = Object.entries(replyHeaders).map(([name, value]) => `${name}: ${value}`);
	return `${status} ${headers.join(', ')} ${written}`;
}

/** Tries ids in every way, and gives what was seen; none may have reached a session. */
function attack(ids: readonly string[], at = endpoint): Set<string> {
	const before = { calls: target.calls.length, opened: target.opened, closed: target.closed };
	const replies = new Set<string>();
	for (const id of ids) {
		for (const method of ['POST', 'GET', 'DELETE'] as const) {
			const exchange = at.begin(method, { 'mcp-session-id': id }, method === 'POST' ? call : '');
			expect(exchange.ended, `${method} ${id}`).toBe(true);
			replies.add(`${method} ${seen(exchange)}`);
		}
	}
	expect({ calls: target.calls.length, opened: target.opened, closed: target.closed }).toEqual(before);
	return replies;
}

/** 404 for an id that may be one of ours, 400 for one that cannot; each always in the same words. */
function expectConstantShape(replies: Set<string>): void {
	for (const reply of replies) expect(reply).toMatch(/^\w+ (404|400) /);
	for (const method of ['POST', 'GET', 'DELETE']) {
		for (const status of ['404', '400'])
			expect([...replies].filter((reply) => reply.startsWith(`${method} ${status} `)).length).toBeLessThanOrEqual(1);
	}
}

/** An id with the right seal and other content. */
function sealed(change: Partial<SessionIdContent>): string {
	const content: SessionIdContent = {
		...{ backend: 'route/backend', principal: 'anonymous', issuedAt: Date.now(), holder: 'first' },
		...{ protocolVersion: '2025-11-25', clientInfo: null, capabilities: Buffer.from('{}'), logLevel: null },
		upstreamSessions: [{ target: 'a', sessionId: 'at-a', protocolVersion: '2025-11-25' }],
		holdsLocal: false,
		...change,
	};
	return sealSessionId(content, seal).id;
}

test('ids that are guessed hit nothing, and every miss looks the same', () => {
	const ids: string[] = [];
	for (let at = 0; at < guesses / 4; at++) {
		ids.push(randomBytes(victim.length * 0.75).toString('base64url'));
		// The beginning of a real id, with another end: the key under which sessions are found is the end.
		ids.push(victim.slice(0, -22) + randomBytes(16).toString('base64url').slice(0, 22));
		ids.push(randomBytes(32).toString('base64url').slice(0, -22) + victim.slice(-22));
		ids.push(randomBytes(1 + (at % 64)).toString('hex'));
	}
	expect(ids.length).toBe(guesses);
	expectConstantShape(attack(ids));
});

test('an id that was cut, prolonged or changed in one bit opens nothing', () => {
	const ids: string[] = [];
	for (let at = 0; at < victim.length; at++) {
		if (at > 0) ids.push(victim.slice(0, at), victim.slice(at));
		for (const bit of [1, 2, 4, 8, 16, 32]) {
			const changed = Buffer.from(victim);
			changed[at] = (changed[at] ?? 0) ^ bit;
			ids.push(changed.toString('latin1'));
		}
		ids.push(`${victim.slice(0, at)}A${victim.slice(at)}`);
	}
	const unlike = ids.filter((id) => id !== victim && !/[^!-~]/.test(id));
	for (const more of ['=', 'A', '.', victim, '%00']) unlike.push(victim + more, more + victim);
	expectConstantShape(attack(unlike));
});

test('an id that is written rather than sealed is none', () => {
	const written = { t: 'mcp', s: [{ t: 'a', s: 'at-a', b: { target: { address: '127.0.0.1:1' } } }] };
	const text = JSON.stringify(written);
	const forms = [text, `${text} `, 'at-a', `a:at-a`, JSON.stringify({ sessions: ['at-a'] })];
	const ids = forms.flatMap((form) =>
		(['base64', 'base64url', 'hex'] as const).map((encoding) => Buffer.from(form).toString(encoding)),
	);
	expectConstantShape(attack([...ids, 'at-a', '1', '__proto__', 'constructor', 'null', 'undefined', '0'.repeat(5000)]));
	expectConstantShape(attack([createSeal(Buffer.alloc(32, 1), 'session id').seal(Buffer.from(text))]));
	// The right key for something else.
	expectConstantShape(attack([createSeal(Buffer.alloc(32), 'request state').seal(Buffer.from(text))]));
});

test('an id of another route, principal or gateway is as unknown as any', () => {
	const misses = attack([randomBytes(victim.length * 0.75).toString('base64url')]);
	expect(attack([victim], other)).toEqual(misses);
	const mallory = sealed({ principal: 'mallory' });
	expect(attack([mallory, sealed({ backend: 'route/other' }), sealed({ holder: 'second', holdsLocal: true })])).toEqual(
		misses,
	);
});

test('an id that a client chooses is never taken up', async () => {
	const chosen = randomBytes(victim.length * 0.75).toString('base64url');
	const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
	const greeting = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
	for (const fixed of [chosen, victim, 'x']) {
		const reply = await endpoint.post({ 'mcp-session-id': fixed }, greeting);
		expect(reply.replyHeaders['mcp-session-id']).not.toBe(fixed);
	}
	expectConstantShape(attack([chosen, 'x']));
	// The victim's own session is where it was.
	expect((await endpoint.post({ 'mcp-session-id': victim }, call)).status).toBe(200);
});
