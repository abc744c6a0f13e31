import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
	['500ms', 500],
	['5s', 5000],
	['1m30s', 90_000],
	['1.5h', 5_400_000],
	['.5s', 500],
	['100us', 0.1],
	['0', 0],
	['0s', 0],
])('%s', (text, milliseconds) => {
	expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
});

test.each(['', '5', '-5s', '5 s', '5d', 's', '1m30', '1e3s', '.s', '99999999999999999h'])(
	'%j is no duration',
	(text) => {
		expect(parseDuration(text)).toBeNull();
	},
);

test('the number zero needs no unit', () => {
	expect(parseDuration(0)).toBe(0);
});
