import { expect, test } from 'vitest';
import { withoutAddress } from './without-address.ts';

const shown = (url: string, body: string) => withoutAddress(Buffer.from(body), new URL(url)).toString();

test.each([
	['http://h/mcp?token=secret-1', 'Route POST:/mcp?token=secret-1 not found', 'Route POST:/mcp… not found'],
	['http://h/mcp?token=a%20b%2Bc', 'no "a b+c"', 'no "…"'],
	['http://h/mcp?a=1&key=secret-1', 'key secret-1, a 1', 'key …, a 1'],
	['http://h/s/0123456789abcdef01/mcp', 'no /s/0123456789abcdef01/mcp', 'no /s/…/mcp'],
	['http://user:pass%20word@h/mcp', 'not user with pass word', 'not … with …'],
])('%s: %s', (url, body, expected) => {
	expect(shown(url, body)).toBe(expected);
});

test('an address without secrets hides nothing', () => {
	const body = Buffer.from('Route POST:/mcp not found');
	expect(withoutAddress(body, new URL('http://h/mcp'))).toBe(body);
});
