import { expect, test } from 'vitest';
import { compileGlob } from './glob.ts';

test.each([
	['echo', 'echo'],
	['*', ''],
	['*', 'anything'],
	['**', 'x'],
	['get_*', 'get_'],
	['get_*', 'get_time'],
	['*_time', 'get_time'],
	['g*t*e', 'get_time'],
	['?', 'ä'],
	['?', '😀'],
	['a?c*', 'abcd'],
	['*ab*ab', 'abxab'],
	['file:///*.md', 'file:///a/b.md'],
	['a.b', 'a.b'],
	['*?', 'x'],
])('%s fits %s', (pattern, text) => {
	expect(compileGlob(pattern)(text)).toBe(true);
});

test.each([
	['echo', 'Echo'],
	['echo', 'echo2'],
	['', 'x'],
	['?', ''],
	['?', 'ab'],
	['a*a', 'a'],
	['ab*ba', 'aba'],
	['*ab*ab', 'ab'],
	['a.b', 'axb'],
	['[a-z]', 'b'],
	['get_*', 'forget_it'],
	['*?', ''],
])('%s does not fit %s', (pattern, text) => {
	expect(compileGlob(pattern)(text)).toBe(false);
});

test('a pattern made to be slow is not', () => {
	const started = performance.now();
	expect(compileGlob(`${'*a'.repeat(100)}*b`)('a'.repeat(100_000))).toBe(false);
	expect(performance.now() - started).toBeLessThan(1000);
});
