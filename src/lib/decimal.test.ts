import { describe, expect, test } from 'vitest';
import { plainDecimal, sameDecimal } from './decimal.ts';

test.each([
	['42', '42'],
	['-7', '-7'],
	['0', '0'],
	['-0', '0'],
	['-0.0e9', '0'],
	['42.0', '42'],
	['4.2e1', '42'],
	['1E+3', '1000'],
	['9007199254740993', '9007199254740993'],
	['-123456789012345678901234567890', '-123456789012345678901234567890'],
	['1.50', '1.50'],
	['1e400', '1e400'],
	['9007199254740990.9999999', '9007199254740990.9999999'],
])('%s is written %s', (written, plain) => {
	expect(plainDecimal(written)).toBe(plain);
});

describe('numbers', () => {
	test.each([
		['42', '42.0'],
		['42', '042'],
		['42', '4.2e1'],
		['0', '-0.00'],
		['0.1', '1e-1'],
		['100', '1e2'],
		['1e400', '10e399'],
	])('%s and %s are the same', (one, other) => {
		expect(sameDecimal(one, other)).toBe(true);
		expect(sameDecimal(other, one)).toBe(true);
	});
	test.each([
		['42', '-42'],
		['42', '420'],
		['9007199254740992', '9007199254740993'],
		['42', '42.00000000000000000001'],
		['42', '0x2a'],
		['42', ' 42'],
		['', ''],
		['NaN', 'NaN'],
		['1e99999999999999999999', '1e99999999999999999999'],
	])('%s and %s are not', (one, other) => {
		expect(sameDecimal(one, other)).toBe(false);
	});
	test('of a million zeros take no time', () => {
		const before = performance.now();
		expect(sameDecimal(`1${'0'.repeat(1e6)}1`, `1${'0'.repeat(1e6)}1`)).toBe(true);
		expect(performance.now() - before).toBeLessThan(500);
	});
});
