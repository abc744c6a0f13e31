import { expect, test } from 'vitest';
import { suggest } from './suggest.ts';

const keys = ['protocol', 'listeners', 'clear_env', 'name', 'mcp'];

test.each([
	['protcol', 'protocol'],
	['Protocol', 'protocol'],
	['listener', 'listeners'],
	['lisetners', 'listeners'],
	['clearEnv', 'clear_env'],
	['nmae', 'name'],
	['mpc', 'mcp'],
	['workingDirectory', null],
	['xyz', null],
	['', null],
])('%s → %s', (word, meant) => {
	expect(suggest(word, keys)).toBe(meant);
});

test('takes the nearest', () => {
	expect(suggest('routs', ['ports', 'routes'])).toBe('routes');
});
