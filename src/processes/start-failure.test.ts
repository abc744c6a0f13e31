import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
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
		expect(startFailure({ command: 'tool', cwd: '/no/such/folder' }, failure('ENOENT'))).toEqual({
			reason: 'there is no folder `/no/such/folder` to run in',
			remedy: 'Make the folder, or correct cwd.',
		});
	});

	test('what nobody foresaw is shown as it is', () => {
		expect(startFailure({ command: 'tool' }, failure('EODD')).reason).toBe(
			'command `tool` could not be started: spawn EODD',
		);
	});
});
