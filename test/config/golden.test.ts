import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LoadContext, loadConfig } from '../../src/config/load.ts';
import { renderProblems } from '../../src/config/render.ts';

const FOLDER = join(import.meta.dirname, 'golden');
/** UPDATE_GOLDEN=1 writes what comes out; read the difference before you keep it. */
const update = process.env.UPDATE_GOLDEN === '1';

const context: LoadContext = {
	env: { PATH: '/usr/bin', HOME: '/home/user' },
	foreseenFault: ({ command }) =>
		['node', 'npx', 'uvx'].includes(command)
			? null
			: { key: 'cmd', message: `"${command}" was not found on PATH`, remedy: 'install it' },
};

function names(kind: string): string[] {
	return readdirSync(join(FOLDER, kind))
		.filter((file) => file.endsWith('.yaml'))
		.sort();
}

function compare(path: string, text: string): void {
	if (update || !existsSync(path)) {
		expect(update, `${path} is missing; write it with UPDATE_GOLDEN=1`).toBe(true);
		writeFileSync(path, text);
	}
	expect(text).toBe(readFileSync(path, 'utf8'));
}

describe('refused files', () => {
	test.each(names('bad'))('%s', (name) => {
		const text = readFileSync(join(FOLDER, 'bad', name), 'utf8');
		const result = loadConfig({ name, text }, context);
		const rendered = result.ok ? 'accepted' : renderProblems(result.problems, { color: false, text });
		const code = result.ok ? 0 : 1;
		compare(join(FOLDER, 'bad', name.replace('.yaml', '.expected')), `${rendered}\nexit code ${code}\n`);
		expect(result.ok).toBe(false);
	});
});

describe('accepted files', () => {
	test.each(names('good'))('%s', (name) => {
		const text = readFileSync(join(FOLDER, 'good', name), 'utf8');
		const result = loadConfig({ name, text }, context);
		expect(result.ok ? '' : renderProblems(result.problems, { color: false })).toBe('');
		const config = result.ok ? result.config : null;
		compare(join(FOLDER, 'good', name.replace('.yaml', '.json')), `${JSON.stringify(config, null, '\t')}\n`);
	});
});
