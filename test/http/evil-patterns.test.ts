import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { maximumMatched } from '../../src/http/matched-length.ts';

const quantified = [
	'(a+)+',
	'(a*)*',
	'(a|a)*',
	'(a|aa)+',
	'(a?){30}a{30}',
	'(.*)*',
	'(.+)+',
	'([a-z]+)*',
	'(\\w+\\s?)*',
	'(a+){10}',
];
const ends = ['$', 'b$', '!$', '[^a]$', 'c'];
const patterns = quantified.flatMap((one) => ends.map((end) => `^${one}${end}`));

test('50 patterns that stop other engines for ever take milliseconds here', () => {
	expect(patterns).toHaveLength(50);
	// As long as the router puts before an expression.
	const text = `${'a'.repeat(maximumMatched - 1)}\n`;
	for (const pattern of patterns) {
		const compiled = RE2JS.compile(pattern);
		compiled.matches(text);
		const times = [0, 1, 2, 3, 4].map(() => {
			const before = process.cpuUsage();
			compiled.matcher(text).find();
			return process.cpuUsage(before).user / 1000;
		});
		expect.soft(Math.min(...times), pattern).toBeLessThan(5);
	}
});
