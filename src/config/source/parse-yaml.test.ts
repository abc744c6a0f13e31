import { describe, expect, test } from 'vitest';
import { parseYaml } from './parse-yaml.ts';

function messages(text: string): string[] {
	const parsed = parseYaml(text);
	return parsed.ok ? [] : parsed.faults.map(({ offset, message }) => `${offset} ${message}`);
}

describe('parseYaml', () => {
	test('reads merge keys and YAML 1.2 words', () => {
		const parsed = parseYaml('base: &base {a: 1}\nall:\n  <<: *base\n  on: off\n');
		expect(parsed).toMatchObject({ ok: true, value: { base: { a: 1 }, all: { a: 1, on: 'off' } } });
	});

	test('reads JSON', () => {
		expect(parseYaml('{"a": [1, true, null]}')).toMatchObject({ ok: true, value: { a: [1, true, null] } });
	});

	test('an empty document has the value null', () => {
		expect(parseYaml('# nothing\n')).toMatchObject({ ok: true, value: null });
	});

	test.each([
		['a: 1\nb: {a: 1, a: 2}', '15 the key "a" is written twice'],
		['a: 1\n---\nb: 2', '5 a second document begins here'],
		['a: *b', '3 the alias "*b" has no anchor'],
		['a: [1, 2', '3 [ is opened here and never closed'],
		["a: 'x\nb: 1", "3 ' is opened here and never closed"],
		['a: !env X', '3 unknown tag "!env"'],
		['a:\n\tb: 1', '3 a tab is used for indentation'],
	])('%j', (text, fault) => {
		expect(messages(text)).toEqual([fault]);
	});

	test('a "#" or bracket inside a text does not count as nesting', () => {
		expect(parseYaml(`a: "${'['.repeat(500)}"`).ok).toBe(true);
	});

	test.each([
		['brackets', '['.repeat(100_000)],
		['mappings', '{a: '.repeat(100_000)],
		['compact lists', '- '.repeat(100_000)],
	])('100,000 nested %s are refused quickly', (_, text) => {
		const before = performance.now();
		expect(messages(text)[0]).toMatch(/nested more than 200 levels deep/);
		expect(performance.now() - before).toBeLessThan(1000);
	});

	test('many aliases are refused without resolving them', () => {
		expect(messages(`a: &a 1\nb: [${'*a, '.repeat(2000)}]`)).toEqual([expect.stringMatching(/more than 1000 aliases/)]);
	});

	test.each([
		['with one name', () => '&a'],
		['with many names', (n: number) => `&a${n}`],
		['on values', (n: number) => `&a${n} ${n}`],
	])('300 kB of anchors %s are refused quickly', (_, anchor) => {
		const text = `a: [${Array.from({ length: 60_000 }, (_, n) => anchor(n)).join(', ')}]`;
		const before = performance.now();
		expect(messages(text)[0]).toMatch(/more than 1000 anchors/);
		expect(performance.now() - before).toBeLessThan(1000);
	});

	test('a thousand anchors are read, and "&" inside a text is none', () => {
		const anchors = Array.from({ length: 1000 }, (_, n) => `&a${n} ${n}`).join(', ');
		const texts = Array.from({ length: 2000 }, () => '"&x"').join(', ');
		expect(parseYaml(`a: [${anchors}]\nb: [${texts}]\nc: |\n${'  &y\n'.repeat(2000)}`).ok).toBe(true);
	});
});
