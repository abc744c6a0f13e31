import { expect, test } from 'vitest';
import { PlaygroundClient } from './playground-client.ts';
import type { Wire, WireReply } from './playground-wire.ts';

const endpoint = { address: '127.0.0.1', port: 1, host: 'localhost:1', path: '/', url: 'http://localhost:1/' };
const signal = new AbortController().signal;

function replyTo(body: Buffer | null, session: string): WireReply {
	const { id } = messageOf(body);
	const text = JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } });
	return {
		failed: false,
		status: 200,
		headers: { 'mcp-session-id': session },
		body: Buffer.from(text),
		streamed: false,
	};
}

function messageOf(body: Buffer | null): { id?: number; method?: string } {
	return body === null ? {} : JSON.parse(body.toString());
}

function clientOver(wire: Wire): PlaygroundClient {
	return new PlaygroundClient({ endpoint, wire, bearerToken: '', version: '1', timeoutMs: 1000 });
}

test('a call that learns late that its session was forgotten uses the one opened since', async () => {
	let opened = 0;
	const client = clientOver(async (_endpoint, { body }) => {
		if (body?.includes('"initialize"')) opened++;
		return replyTo(body, `session-${opened}`);
	});
	await client.open(signal);
	expect(await client.reopen('session-1')).toBeNull();
	expect(client.session).toBe('session-2');
	// Another call was sent in session 1 too, and only now hears of it.
	expect(await client.reopen('session-1')).toBeNull();
	expect(client.session).toBe('session-2');
	expect(opened).toBe(2);
});

test('the version that the gateway chose stands in what follows, and not in a new handshake', async () => {
	const versions: [string, string | undefined][] = [];
	const client = clientOver(async (_endpoint, { body, headers, method }) => {
		versions.push([messageOf(body).method ?? method, headers['mcp-protocol-version']]);
		return replyTo(body, 'one');
	});
	expect(await client.open(signal)).toMatchObject({ failed: false, protocolVersion: '2025-06-18' });
	await client.reopen('one');
	await client.close();
	await client.close();
	expect(versions).toEqual([
		['initialize', undefined],
		['notifications/initialized', '2025-06-18'],
		['initialize', undefined],
		['notifications/initialized', '2025-06-18'],
		['DELETE', '2025-06-18'],
	]);
});
