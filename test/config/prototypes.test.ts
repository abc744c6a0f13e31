import { afterEach, describe, expect, test } from 'vitest';
import { type LoadContext, loadConfig } from '../../src/config/load.ts';
import { createNaming } from '../../src/mcp/names.ts';

const context: LoadContext = { env: { PATH: '/usr/bin' }, foreseenFault: () => null };
/** What every object has without having it. */
const inherited = Object.getOwnPropertyNames(Object.prototype);
const before = Object.getOwnPropertyNames(Object.prototype).join();

afterEach(() => {
	expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
	expect('polluted' in {}).toBe(false);
});

function load(text: string) {
	return loadConfig({ name: 'config.yaml', text }, context);
}

/** Places of a file, with an entry of this key. */
const places: readonly (readonly [place: string, yaml: (entry: string) => string])[] = [
	['the root', (entry) => `${entry}\nbinds: []`],
	['config', (entry) => `config:\n  ${entry}\nbinds: []`],
	['config.mcp', (entry) => `config:\n  mcp:\n    ${entry}\nbinds: []`],
	['config.mcp.limits', (entry) => `config:\n  mcp:\n    limits:\n      ${entry}\nbinds: []`],
	['a bind', (entry) => `binds:\n- port: 3000\n  ${entry}\n  listeners: []`],
	['a route', (entry) => `binds:\n- port: 3000\n  listeners:\n  - routes:\n    - backends: []\n      ${entry}`],
	[
		'policies',
		(entry) => `binds:\n- port: 3000\n  listeners:\n  - routes:\n    - policies:\n        ${entry}\n      backends: []`,
	],
	['a target', (entry) => target(`      ${entry}`)],
	['its stdio', (entry) => target(`        ${entry}`)],
	['its tools', (entry) => target(`      tools:\n        ${entry}`)],
];

function target(more: string, name = 'a'): string {
	return `mcp:\n  port: 3000\n  targets:\n  - name: ${name}\n    stdio:\n      cmd: x\n${more.replace(/^ {2}/gm, '')}\n`;
}

describe.each(inherited)('the key %s', (key) => {
	test.each(places)('is refused in %s', (_place, yaml) => {
		for (const value of ['{polluted: yes}', 'polluted', '[1]']) {
			const result = load(yaml(`${JSON.stringify(key)}: ${value}`));
			expect(result.ok).toBe(false);
			expect(result.ok ? '' : JSON.stringify(result.problems)).toContain(key);
		}
	});

	test('is a name like any other in rename, describe and env', () => {
		const quoted = JSON.stringify(key);
		const result = load(
			target(
				`        env:\n          ${quoted}: value\n      tools:\n        rename:\n          ${quoted}: renamed\n        describe:\n          ${quoted}: said\n        exclude: [other]`,
			),
		);
		if (!result.ok) throw new Error(JSON.stringify(result.problems));
		const [one] = result.config.binds
			.flatMap(({ listeners }) => listeners)
			.flatMap(({ routes }) => routes)
			.flatMap(({ backends }) => backends);
		const [written] = one?.backend.targets ?? [];
		if (written?.kind !== 'stdio') throw new Error('no target');
		expect(Object.entries(written.env)).toEqual([[key, 'value']]);
		const naming = createNaming([written], 'conditional');
		expect(naming.exposeName('tool', 'a', key)).toBe('renamed');
		expect(naming.ownerOfName('tool', 'renamed')).toMatchObject({ target: 'a', name: key });
		expect(naming.rules('tool', 'a')?.description(key)).toBe('said');
		// Those that nobody wrote are what the server calls them.
		for (const other of inherited.filter((one) => one !== key)) {
			expect(naming.exposeName('tool', 'a', other)).toBe(other);
			expect(naming.rules('tool', 'a')?.description(other)).toBeUndefined();
		}
	});

	test('is the name of a target, or is refused for its letters', () => {
		const result = load(target('', JSON.stringify(key)));
		// Names of targets are lowercase, and without `_`.
		expect(result.ok).toBe(/^[a-z]+$/.test(key));
		const naming = createNaming([{ name: 'a' }, { name: 'b' }], 'always');
		expect(naming.ownerOfName('tool', `${key}_echo`)).toBeNull();
		expect(naming.ownerOfUri(`${key}+file:///x`)).toBeNull();
		expect(naming.rules('tool', key)).toBeNull();
		const own = createNaming([{ name: key }, { name: 'b' }], 'always');
		if (result.ok) expect(own.ownerOfName('tool', `${key}_echo`)).toMatchObject({ target: key, name: 'echo' });
	});
});
