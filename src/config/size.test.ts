import { expect, test } from 'vitest';
import { parseSize } from './size.ts';

test.each([
	[1, 1],
	[4_194_304, 4_194_304],
	['1KiB', 1024],
	['512KiB', 524_288],
	['4MiB', 4_194_304],
	['1GiB', 1_073_741_824],
	['1024MiB', 1_073_741_824],
])('%j is %j bytes', (value, bytes) => {
	expect(parseSize(value)).toBe(bytes);
});

test.each([
	0,
	-1,
	1.5,
	Number.NaN,
	Number.POSITIVE_INFINITY,
	1_073_741_825,
	'',
	'0MiB',
	'2GiB',
	'1025MiB',
	'4MB',
	'4M',
	'4 MiB',
	'4mib',
	'1.5MiB',
	'-4MiB',
	'MiB',
	'4MiB ',
	'1024',
	'0x10KiB',
	`${'9'.repeat(400)}KiB`,
])('%j is no size', (value) => {
	expect(parseSize(value)).toBeNull();
});
