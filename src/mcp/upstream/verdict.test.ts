import { expect, test } from 'vitest';
import { isScanFault, type Scanned } from '../../lib/json-scan.ts';
import { scanMessage } from './transport/scan-message.ts';
import { readHandshake } from './verdict.ts';

function answer(result: unknown): Scanned {
	const scanned = scanMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result })));
	if (isScanFault(scanned)) throw new Error('no message');
	return scanned;
}

const good = answer({ protocolVersion: '2025-03-26', capabilities: {} });

test('a handshake gives the server and its session', () => {
	expect(readHandshake(good, null)).toMatchObject({ server: { protocolVersion: '2025-03-26' }, session: null });
	expect(readHandshake(good, { 'mcp-session-id': 'é-1' })).toMatchObject({ session: 'é-1' });
});

test('a session id that no header can hold is refused before it is sent anywhere', () => {
	expect(readHandshake(good, { 'mcp-session-id': `☃\u009b${'x'.repeat(1000)}` })).toMatchObject({
		reason: `its session id cannot be sent back in a header: "\\u2603\\u009b${'x'.repeat(98)}"`,
	});
});

test.each(['2026-07-28', '2025-11-2x', '٢٠٢٥-٠٦-١٨', '2025-06-18\n', '1.0', ''])(
	'the version %j has no handshake, which is said by name',
	(protocolVersion) => {
		const said = readHandshake(answer({ protocolVersion, capabilities: {} }), null);
		expect(said).toHaveProperty('reason', expect.stringMatching(/does not know: "[\x20-\x7e]*"$/));
	},
);

test('a version that is no text is not repeated', () => {
	const said = readHandshake(answer({ protocolVersion: ['2025-06-18'], capabilities: {} }), null);
	expect(said).toHaveProperty('reason', 'it answered initialize with a protocol version that is no text');
});

test('an answer without a version is told as it was', () => {
	expect(readHandshake(answer({}), null)).toMatchObject({ reason: 'it did not accept initialize' });
});
