import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { runCommand } from './command.ts';

const folder = join(root, 'test/config/golden/bad');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** The golden files count on the standard ports; nothing listens, because every file is refused before. */
const ownAddresses = { ADMIN_ADDR: undefined, STATS_ADDR: undefined, READINESS_ADDR: undefined };

/** What the command did for one golden file, as golden files word it. */
async function outcome(name: string, flags: string[]): Promise<string> {
	const { code, stdout, stderr } = await runCommand(['-f', name, ...flags], { cwd: folder, env: ownAddresses });
	return `${stdout}${stderr}exit code ${code}\n`;
}

/** Four processes at a time. */
async function outcomes(flags: string[], files: readonly string[]): Promise<Map<string, string>> {
	const results = new Map<string, string>();
	const left = [...files];
	const work = async () => {
		for (let name = left.shift(); name !== undefined; name = left.shift())
			results.set(name, await outcome(name, flags));
	};
	await Promise.all([work(), work(), work(), work()]);
	return results;
}

function expected(files: readonly string[]): Map<string, string> {
	return new Map(files.map((name) => [name, readFileSync(join(folder, name.replace('.yaml', '.expected')), 'utf8')]));
}

function sorted(all: Map<string, string>): Record<string, string> {
	return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

test('every bad configuration is refused by the command with its golden words', { timeout: 60_000 }, async () => {
	const results = await outcomes(['--validate-only'], names);
	expect(names.length).toBeGreaterThanOrEqual(40);
	expect(sorted(results)).toEqual(sorted(expected(names)));
	// No golden file may itself hold a stack trace, or the comparison above would allow one.
	for (const text of results.values()) expect(text).not.toMatch(/^\s+at .*[:(]\d+/m);
});

test('a run without --validate-only refuses them with the same words', async () => {
	const some = ['target-name-twice.yaml', 'many-at-once.yaml', 'port-twice.yaml'];
	expect(sorted(await outcomes([], some))).toEqual(sorted(expected(some)));
});
