// oxlint-disable no-template-curly-in-string -- the configuration's own variables are written like that
import { describe, expect, test } from 'vitest';
import { expandEnv } from './expand-env.ts';

const env = { NAME: 'time', EMPTY: '', HOME: '/home/user', '1': 'one' };

describe('expandEnv', () => {
	test.each([
		['$NAME ${NAME} ${NAME:-x}', 'time time time'],
		['${OTHER:-a b}', 'a b'],
		['${OTHER:-}', ''],
		['[${EMPTY:-x}]', '[]'],
		['$$NAME $$$$', '$NAME $$'],
		['$1', 'one'],
		['cost: 5$, $. ${', 'cost: 5$, $. ${'],
		['# ${NAME} in a comment', '# time in a comment'],
		['~/x ~/y', '/home/user/x ~/y'],
		['~user', '~user'],
		['# yaml-language-server: $schema=$NAME\n$NAME', '# yaml-language-server: $schema=$NAME\ntime'],
	])('%s', (written, expanded) => {
		const result = expandEnv(written, env);
		expect(result.text).toBe(expanded);
		expect(result.missing).toEqual([]);
	});

	test('a value is not expanded again', () => {
		expect(expandEnv('$A', { A: '$B', B: 'b' }).text).toBe('$B');
	});

	test('missing variables stay and are named with their offset', () => {
		const result = expandEnv('a: $NOPE\nb: ${NEITHER}', {});
		expect(result.text).toBe('a: $NOPE\nb: ${NEITHER}');
		expect(result.missing).toEqual([
			{ name: 'NOPE', offset: 3 },
			{ name: 'NEITHER', offset: 12 },
		]);
	});

	test('names of object members are no variables', () => {
		expect(expandEnv('$constructor', {}).missing).toHaveLength(1);
	});

	test('offsets lead back to the written text', () => {
		const written = 'a: ${NAME} b: $$ c';
		const { text, origin } = expandEnv(written, env);
		expect(text).toBe('a: time b: $ c');
		expect(origin(text.indexOf('a'))).toBe(0);
		expect(origin(text.indexOf('time') + 2)).toBe(written.indexOf('${'));
		expect(origin(text.indexOf('b:'))).toBe(written.indexOf('b:'));
		expect(origin(text.indexOf('c'))).toBe(written.indexOf('c'));
	});
});
