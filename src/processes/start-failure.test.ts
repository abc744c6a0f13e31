import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFailure } from './start-failure.ts';

function failure(code: string): NodeJS.ErrnoException {
	return Object.assign(new Error(`spawn ${code}`), { code });
}

describe('startFailure', () => {
	test.each([
		['ENOENT', /`tool` was not found/, /PATH/],
		['EACCES', /may not be executed/, /chmod/],
		['E2BIG', /too long arguments/, /Shorten/],
		['EMFILE', /too many open files/, /ulimit -n/],
		['EAGAIN', /too many processes/, /ulimit -u/],
	])('%s has a reason and a remedy', (code, reason, remedy) => {
		const found = startFailure({ command: 'tool' }, failure(code));
		expect(found.reason).toMatch(reason);
		expect(found.remedy).toMatch(remedy);
	});

	test('a file that exists and is not found misses its interpreter', () => {
		expect(startFailure({ command: fileURLToPath(import.meta.url) }, failure('ENOENT')).reason).toMatch(/interpreter/);
	});

	test('a folder that is missing is named, not the command', () => {
		expect(startFailure({ command: 'tool', cwd: 'no/such/folder' }, failure('ENOENT'))).toEqual({
			reason: `the folder \`${resolve('no/such/folder')}\` of \`cwd\` does not exist`,
			remedy: 'Make the folder, or correct cwd.',
		});
	});

	test('nor is the command blamed for a folder that is none', () => {
		const cwd = fileURLToPath(import.meta.url);
		expect(startFailure({ command: 'tool', cwd }, failure('ENOTDIR')).reason).toMatch(/`cwd` is no folder$/);
		expect(startFailure({ command: 'tool', cwd: `${cwd}/x` }, failure('ENOTDIR')).reason).toMatch(/part of its path/);
	});

	// Root may enter every folder.
	test.skipIf(process.getuid?.() === 0)('nor for one that may not be entered', () => {
		const cwd = mkdtempSync(join(tmpdir(), 'agentgateway-closed-'));
		onTestFinished(() => rmdirSync(cwd));
		chmodSync(cwd, 0o600);
		expect(startFailure({ command: 'tool', cwd }, failure('EACCES')).reason).toBe(
			`the folder \`${cwd}\` of \`cwd\` may not be entered`,
		);
	});

	test('what nobody foresaw is shown as it is', () => {
		expect(startFailure({ command: 'tool' }, failure('EODD')).reason).toBe(
			'command `tool` could not be started: spawn EODD',
		);
	});
});
