import { describe, expect, test } from 'vitest';
import { isEnvelopeFault, readEnvelope } from './envelope.ts';

const large = { x: 'y'.repeat(64 * 1024) };

function messageOf(method: string, params: object): string | null {
	const read = readEnvelope(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })), 256);
	return isEnvelopeFault(read) ? read.message : null;
}

describe('what a client says of itself, above 64 KiB', () => {
	test.each(['capabilities', 'clientInfo', 'unknown'])('is refused in a handshake: %s', (name) => {
		expect(messageOf('initialize', { [name]: large })).toBe(`params.${name} has more than 65536 bytes`);
	});

	test.each(['clientCapabilities', 'clientInfo'])('is refused in any request: %s', (name) => {
		const key = `io.modelcontextprotocol/${name}`;
		expect(messageOf('tools/list', { _meta: { [key]: large } })).toBe(
			`params._meta["${key}"] has more than 65536 bytes`,
		);
	});

	test('is something else than the arguments of a call, which may be larger', () => {
		expect(
			messageOf('tools/call', { name: 'a', arguments: large, capabilities: large, _meta: { own: large } }),
		).toBeNull();
	});

	test('is named by no more than the beginning of an odd key', () => {
		expect(messageOf('initialize', { ['k'.repeat(1000)]: large })).toBe(
			`params.${'k'.repeat(64)} has more than 65536 bytes`,
		);
	});
});
