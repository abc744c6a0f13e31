import { describe, expect, test } from 'vitest';
import { secretsIn, SecretTexts } from './secret-texts.ts';

const hide = (text: string, ...secrets: string[]) => new SecretTexts(secrets).hide(text, '*');

describe('secrets of programs and servers', () => {
	test('are values of telling variables and options, at any depth', () => {
		const target = {
			args: ['--token=argument-1', '--api-key', 'argument-2', '--name', 'no-secret'],
			env: { API_TOKEN: 'variable-1', TZ: 'Europe/Berlin', PASSWORD: 'short', SECRET: '$REFERENCE' },
		};
		expect([...secretsIn({ backends: [{ target }] })]).toEqual(['argument-1', 'argument-2', 'variable-1']);
	});

	test('are parameters with telling names in URLs, and passwords', () => {
		const targets = [
			{ mcp: { host: 'https://me:password-1@example.com/mcp?api_key=parameter-1&page=no-secret' } },
			{ stdio: { args: ['postgres://me:password-2@db/x', 'https://example.com/?token=short'] } },
			{ stdio: { env: { DATABASE_URL: 'postgres://me:password-3@db/x' } } },
		];
		expect([...secretsIn({ targets })]).toEqual(['password-1', 'parameter-1', 'password-2', 'password-3']);
	});
});

describe('a text is shown without', () => {
	test.each([
		['as it is', 'a secret-one b secret-one', ['secret-one'], 'a * b *'],
		['one inside another', 'x secret-one-more', ['secret-one', 'secret-one-more'], 'x *'],
		['as JSON', '{"a":"quote\\"d value"}', ['quote"d value'], '{"a":"*"}'],
		['in a URL', '?a=two%20words%2B', ['two words+'], '?a=*'],
		['a line of several', 'line second-line', ['first-line\nsecond-line'], 'line *'],
		['all lines as JSON', 'x first-line\\nsecond-line', ['first-line\nsecond-line'], 'x *'],
		['the beginning of one that was cut', 'token secret-o', ['secret-one'], 'token *'],
		['the end of one that began before', 'cret-one is wrong', ['secret-one'], '* is wrong'],
		['less of one than anybody can use', 'token secret', ['secret-one'], 'token secret'],
	])('a secret %s', (_how, text, secrets, shown) => {
		const others = Array.from({ length: 100 }, (_, at) => `another-${at}-of-many`);
		expect(hide(text, ...secrets)).toBe(shown);
		expect(hide(text, ...others, ...secrets)).toBe(shown);
	});
});

test('long lines and secrets of many lines take little time', () => {
	const key = Array.from({ length: 30 }, (_, at) => `${at}`.repeat(64)).join('\n');
	const texts = new SecretTexts([key, key.repeat(3), '-'.repeat(2000)]);
	const began = performance.now();
	for (let at = 0; at < 50; at++) texts.hide('-'.repeat(16_000), '*');
	expect(performance.now() - began).toBeLessThan(250);
});
