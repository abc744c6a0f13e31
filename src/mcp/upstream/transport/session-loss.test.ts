import { expect, test } from 'vitest';
import { sessionLoss } from './session-loss.ts';

test.each([
	'{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
	'{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Bad Request: Missing session ID"}}',
	'{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}',
	'Invalid or missing session ID',
	'Invalid session ID\n',
	'Session not found',
	'session abc-123 expired',
])('400 with %s is likely the loss of the session', (body) => {
	expect(sessionLoss(400, true, Buffer.from(body))).toBe('likely');
	expect(sessionLoss(400, false, Buffer.from(body))).toBe(false);
	expect(sessionLoss(500, true, Buffer.from(body))).toBe(false);
});

test.each([
	'',
	'Bad Request: Unsupported protocol version',
	'{"error":{"message":"the session tool needs an argument"}}',
])('400 with %j is not', (body) => expect(sessionLoss(400, true, Buffer.from(body))).toBe(false));

test('404 in a session is, whatever it says', () => {
	expect(sessionLoss(404, true, Buffer.alloc(0))).toBe(true);
	expect(sessionLoss(404, false, Buffer.alloc(0))).toBe(false);
});
