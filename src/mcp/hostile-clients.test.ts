import { afterEach, expect, test } from 'vitest';
import { type EndpointChoice, TestEndpoint } from '../../test/support/endpoint.ts';
import type { FakeExchange } from '../../test/support/fake-exchange.ts';
import { FakeTarget } from '../../test/support/fake-target.ts';
import type { Ask } from './model.ts';
import { Callers } from './wire/callers.ts';
import { isEnvelopeFault, readBatch, readEnvelope } from './wire/envelope.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

const ask: Ask = { method: 'elicitation/create', params: null, answer() {}, progress() {}, onWithdrawn() {} };

function endpoint(target: FakeTarget, limits = {}, choice: EndpointChoice = {}): TestEndpoint {
	const one = new TestEndpoint([target], { limits, ...choice });
	closing.push(() => one.close());
	return one;
}

function modern(
	method: string,
	params: object,
	capabilities: object,
): { headers: Record<string, string>; body: object } {
	const _meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientCapabilities': capabilities,
	};
	const named: Record<string, string> = 'name' in params ? { 'mcp-name': String(params.name) } : {};
	return {
		headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named },
		body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
	};
}

function post(one: TestEndpoint, ...request: Parameters<typeof modern>): Promise<FakeExchange> {
	const { headers, body } = modern(...request);
	return one.post(headers, body);
}

test('an answer that is no text when made one counts as missing, like any other that is none', async () => {
	const target = new FakeTarget('a', { tools: {} }, (_method, _params, sink) => {
		sink.ask(ask);
		return 'never';
	});
	const one = endpoint(target);
	const first = await post(one, 'tools/call', { name: 't' }, { elicitation: {} });
	const { requestState, inputRequests } = resultOf(first);
	const inputResponses = { [Object.keys(inputRequests ?? {})[0] ?? '']: { action: { toString: 1 } } };
	const again = await post(one, 'tools/call', { name: 't', requestState, inputResponses }, { elicitation: {} });
	expect(resultOf(again)).toMatchObject({ resultType: 'input_required', inputRequests });
});

test('a client keeps its parked calls and its connections when it takes another port', () => {
	const callers = new Callers();
	const { body } = modern('tools/call', { name: 't' }, { elicitation: {} });
	const envelope = readEnvelope(Buffer.from(JSON.stringify(body)), 256);
	if (isEnvelopeFault(envelope)) throw new Error(envelope.message);
	const of = (peer: string) => callers.of(envelope, peer).principal;
	expect(of('192.0.2.1:5000')).toBe(of('192.0.2.1:5001'));
	expect(of('[2001:db8::1]:5000')).toBe(of('[2001:db8::1]:5001'));
	expect(of('[::1]:5000')).toBe(of('127.0.0.1:5001'));
	expect(of('192.0.2.1:5000')).not.toBe(of('192.0.2.2:5000'));
	expect(of('[2001:db8::1]:5000')).not.toBe(of('[2001:db8::2]:5000'));
});

test('a request without id reaches no server', async () => {
	const target = new FakeTarget('a', { tools: {} }, () => ({}));
	const one = endpoint(target);
	const headers = await one.open();
	for (const method of ['tools/call', 'resources/read', 'tasks/cancel', 'notifications/roots/list_changed'])
		await one.post(headers, { jsonrpc: '2.0', method, params: { name: 'secret' } });
	expect(target.notices).toEqual(['notifications/roots/list_changed']);
});

test('connections that end slowly are not replaced without end', async () => {
	const target = new FakeTarget('a', { tools: {} }, () => ({ tools: [] }));
	let end = () => {};
	target.closing = new Promise((resolve) => (end = resolve));
	const one = endpoint(target, { maxPooledSessions: 2, maxSessions: 2 });
	const replies: number[] = [];
	for (let i = 0; i < 8; i++) replies.push((await post(one, 'tools/list', {}, { [`x${i}`]: {} })).status);
	expect(replies).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
	expect(target.opened).toBe(4);
	for (let i = 0; i < 2; i++) await one.begin('DELETE', await one.open()).whole();
	await expect(one.open()).rejects.toThrow('503');
	end();
	await new Promise((resolve) => setTimeout(resolve, 10));
	await one.open();
});

test('what waits for a stream is bounded in bytes', async () => {
	const target = new FakeTarget('a', { tools: {} }, () => ({}));
	const one = endpoint(target);
	const headers = await one.open();
	const params = Buffer.from(JSON.stringify({ uri: 'a:b', text: 'x'.repeat(300_000) }));
	for (let i = 0; i < 20; i++) target.events?.note({ method: 'notifications/resources/updated', params });
	const stream = one.begin('GET', { ...headers, accept: 'text/event-stream' });
	await new Promise((resolve) => setTimeout(resolve, 20));
	expect(stream.written.match(/resources\/updated/g)).toHaveLength(3);
});

test('a session whose client left in the middle of a call ends like any other', async () => {
	const target = new FakeTarget('a', { tools: {} }, (_method, _params, sink) => {
		sink.ask(ask);
		return 'never';
	});
	const one = endpoint(target, {}, { sessionTtl: 100 });
	const [left, waits] = [await one.open('2025-11-25', { elicitation: {} }), await one.open()];
	const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't' } };
	const gone = one.begin('POST', left, call);
	one.begin('POST', waits, call);
	await new Promise((resolve) => setTimeout(resolve, 20));
	gone.leave();
	await expect.poll(() => one.mcp.openSessions).toBe(1);
	expect(target.cancelled).toBe(1);
	await new Promise((resolve) => setTimeout(resolve, 300));
	expect(one.mcp.openSessions).toBe(1);
});

function resultOf(reply: FakeExchange): { requestState?: string; inputRequests?: object } {
	const [message] = reply.messages();
	return message?.['result'] as ReturnType<typeof resultOf>;
}

test('the messages of a batch share what one message may have of members', () => {
	const message = (members: number) => {
		const keys = Array.from({ length: members }, (_, at) => `"${at}":1`).join(',');
		return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{${keys}}}`;
	};
	const batch = (count: number, members: number) =>
		readBatch(Buffer.from(`[${Array.from({ length: count }, () => message(members)).join(',')}]`), 50, 256);
	expect(batch(50, 190)).toHaveLength(50);
	expect(batch(1, 9900)).toHaveLength(1);
	expect(batch(2, 9900)).toMatchObject({ status: 400, code: -32700, id: null });
});
