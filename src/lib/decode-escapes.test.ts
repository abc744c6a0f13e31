import { describe, expect, test, vi } from 'vitest';
import { decodeEscapes } from './decode-escapes.ts';

const part = 64 * 1024;

describe.each([
	['short escapes', '\\n'],
	['escaped backslashes', '\\\\'],
	['escaped backslashes in front of what looks like an escape', '\\\\u00'],
	['long escapes', '\\u0041'],
	['characters of two escapes', '\\ud83d\\ude00'],
	['characters outside the first plane', '\u{1f600}\\t'],
	['backslashes and quotes', '\\\\\\"'],
])('%s', (_name, one) => {
	test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])('are decoded wherever a part ends: %i before', (before) => {
		const inner = 'x'.repeat(before) + one.repeat(Math.ceil((3 * part) / one.length));
		expect(decodeEscapes(inner) === JSON.parse(`"${inner}"`)).toBe(true);
	});
});

test('no part is longer than may be parsed at once', () => {
	const parse = vi.spyOn(JSON, 'parse');
	decodeEscapes('\\u0041'.repeat(part));
	const lengths = parse.mock.calls.map(([text]) => text.length);
	expect(lengths.length).toBe(7);
	expect(Math.max(...lengths)).toBeLessThanOrEqual(part + 2);
});
