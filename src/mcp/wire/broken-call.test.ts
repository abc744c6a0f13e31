import { afterEach, expect, test } from 'vitest';
import { TestEndpoint } from '../../../test/support/endpoint.ts';
import type { FakeExchange } from '../../../test/support/fake-exchange.ts';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import { replyFault } from '../../http/errors.ts';

let endpoint: TestEndpoint;
afterEach(() => endpoint.close());

/** A target in whose calls a bug shows. */
function buggy(): FakeTarget {
	return new FakeTarget('one', { tools: {} }, (method, { name }) => {
		if (method === 'tools/call' && name === 'bug') throw new Error('a bug');
		return { content: [], tools: [] };
	});
}

/** What the server does with a fault. */
async function fail(begin: () => FakeExchange): Promise<void> {
	const { handle } = endpoint.mcp;
	let seen: FakeExchange | null = null;
	endpoint.mcp.handle = (exchange) => {
		seen = exchange as FakeExchange;
		handle.call(endpoint.mcp, exchange);
	};
	expect(begin).toThrow('a bug');
	endpoint.mcp.handle = handle;
	const exchange = seen as FakeExchange | null;
	if (exchange === null) throw new Error('nothing was sent');
	replyFault(Object.assign(exchange, { replied: exchange.status !== 0 }), new Error('a bug'), () => {});
	expect(exchange).toMatchObject({ status: 500, written: 'internal error' });
}

const call = (name: string, meta: object = {}) => ({
	jsonrpc: '2.0',
	id: 7,
	method: 'tools/call',
	params: { name, ...meta },
});

test('a bug in the middle of a call gives its place in the session back', async () => {
	endpoint = new TestEndpoint([buggy()], { limits: { maxCallsPerSession: 2 } });
	const headers = { ...(await endpoint.open()), 'mcp-protocol-version': '2025-11-25' };
	for (let n = 0; n < 4; n++) await fail(() => endpoint.begin('POST', headers, call('bug')));
	expect((await endpoint.post(headers, call('fine'))).status).toBe(200);
	expect(endpoint.mcp.busy).toBe(false);
});

test('a bug in the middle of a call gives the pooled connection back', async () => {
	endpoint = new TestEndpoint([buggy()], { limits: { maxCallsPerSession: 2 } });
	const _meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientCapabilities': {},
		'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
	};
	const headers = (name: string) => ({
		...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
		'mcp-name': name,
	});
	const fine = () => endpoint.post(headers('fine'), call('fine', { _meta }));
	expect((await fine()).status).toBe(200);
	for (let n = 0; n < 4; n++) await fail(() => endpoint.begin('POST', headers('bug'), call('bug', { _meta })));
	expect((await fine()).status).toBe(200);
	expect(endpoint.mcp.busy).toBe(false);
});
