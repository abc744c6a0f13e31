import { describe, expect, test } from 'vitest';
import { answer } from './server.ts';
import { timeTools } from './tools.ts';

const tools = timeTools('Europe/Berlin');

/** Calls a tool at a moment; gives its structured result, or the text of its error. */
function call(name: string, args: Record<string, unknown>, at: string): unknown {
	const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
	const reply = answer(message, tools, new Date(at));
	const result = (reply?.['result'] ?? reply?.['error']) as Record<string, unknown>;
	if (result['isError'] === true) return (result['content'] as { text: string }[])[0]?.text;
	return result['structuredContent'] ?? result;
}

const timeIn = (timezone: string, at: string) => call('get_current_time', { timezone }, at);
const convert = (source_timezone: string, time: string, target_timezone: string, at: string) =>
	call('convert_time', { source_timezone, time, target_timezone }, at);

describe('the time in a zone', () => {
	test.each([
		['America/New_York', '2026-07-01T12:00:00Z', '2026-07-01T08:00:00-04:00', 'Wednesday', true],
		['America/New_York', '2026-01-01T12:00:00Z', '2026-01-01T07:00:00-05:00', 'Thursday', false],
		['Asia/Kathmandu', '2026-01-01T20:00:00Z', '2026-01-02T01:45:00+05:45', 'Friday', false],
		['Australia/Lord_Howe', '2026-01-01T00:00:00Z', '2026-01-01T11:00:00+11:00', 'Thursday', true],
		['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30', 'Wednesday', false],
		['UTC', '2026-12-31T23:59:59Z', '2026-12-31T23:59:59+00:00', 'Thursday', false],
		['Pacific/Kiritimati', '2026-02-28T12:00:00Z', '2026-03-01T02:00:00+14:00', 'Sunday', false],
	])('%s at %s', (timezone, at, datetime, day, dst) => {
		expect(timeIn(timezone, at)).toEqual({ timezone, datetime, day_of_week: day, is_dst: dst });
	});

	test.each(['Mars/Olympus', 'europe/london', '../etc/passwd', ' UTC', '+01:00'])('there is no zone %j', (zone) => {
		expect(timeIn(zone, '2026-01-01T00:00:00Z')).toBe(
			`Error executing tool get_current_time: Invalid timezone: 'No time zone found with key ${zone}'`,
		);
	});
});

describe('conversion', () => {
	test('over midnight and the date line', () => {
		expect(convert('Asia/Tokyo', '00:10', 'America/Los_Angeles', '2026-07-01T12:00:00Z')).toEqual({
			source: {
				timezone: 'Asia/Tokyo',
				datetime: '2026-07-01T00:10:00+09:00',
				day_of_week: 'Wednesday',
				is_dst: false,
			},
			target: {
				timezone: 'America/Los_Angeles',
				datetime: '2026-06-30T08:10:00-07:00',
				day_of_week: 'Tuesday',
				is_dst: true,
			},
			time_difference: '-16.0h',
		});
	});

	test.each([
		['Asia/Kathmandu', '+5.75h'],
		['America/St_Johns', '-3.5h'],
		['UTC', '+0.0h'],
	])('the difference to %s is %s', (zone, difference) => {
		expect(convert('UTC', '12:00', zone, '2026-01-01T00:00:00Z')).toMatchObject({ time_difference: difference });
	});

	test('the day is that of the source zone', () => {
		const result = convert('Pacific/Auckland', '01:00', 'UTC', '2026-06-30T13:00:00Z');
		expect(result).toMatchObject({ source: { datetime: '2026-07-01T01:00:00+12:00' } });
	});

	test('an hour that happens twice is the first', () => {
		const result = convert('Europe/Berlin', '02:30', 'UTC', '2026-10-25T12:00:00Z');
		expect(result).toMatchObject({ source: { datetime: '2026-10-25T02:30:00+02:00' }, time_difference: '-2.0h' });
	});

	test('an hour that the clock skips is refused', () => {
		expect(convert('Europe/Berlin', '02:30', 'UTC', '2026-03-29T12:00:00Z')).toMatch(
			/02:30 does not exist in Europe\/Berlin/,
		);
	});

	test.each(['25:00', '12:60', 'noon', '', '12', '12:00:00'])('%j is no time', (time) => {
		const error = convert('UTC', time, 'UTC', '2026-01-01T00:00:00Z');
		expect(error).toMatch(
			/^Error executing tool convert_time: (Invalid time format\. Expected HH:MM|Missing required argument: time)/,
		);
	});
});

describe('messages', () => {
	const ask = (method: string, params?: unknown) =>
		answer({ jsonrpc: '2.0', id: 'a', method, params }, tools, new Date(0));

	test('the handshake takes the version of the client when it knows it', () => {
		expect(ask('initialize', { protocolVersion: '2025-03-26' })).toMatchObject({
			result: { protocolVersion: '2025-03-26' },
		});
		expect(ask('initialize', { protocolVersion: '1999-01-01' })).toMatchObject({
			result: { protocolVersion: '2025-11-25' },
		});
	});

	test('lists tools with their schemas, stamped for requests without a session', () => {
		const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
		expect(ask('tools/list', { _meta: meta })).toMatchObject({ result: { resultType: 'complete', ttlMs: 3_600_000 } });
		expect(ask('tools/list')).toMatchObject({
			id: 'a',
			result: { tools: [{ outputSchema: {} }, { inputSchema: {} }] },
		});
	});

	test('unknown methods and tools are errors, notifications get no answer', () => {
		expect(ask('nope')).toMatchObject({ error: { code: -32601 } });
		expect(ask('tools/call', { name: 'nope' })).toMatchObject({ error: { code: -32602 } });
		expect(answer({ jsonrpc: '2.0', method: 'notifications/initialized' }, tools, new Date(0))).toBeNull();
	});
});
