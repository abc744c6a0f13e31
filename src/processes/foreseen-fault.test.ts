import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foreseenFault } from './foreseen-fault.ts';

const folder = mkdtempSync(join(tmpdir(), 'agentgateway-foreseen-'));
const at = (name: string) => join(folder, name);

beforeAll(() => {
	mkdirSync(at('bin'));
	mkdirSync(at('empty'));
	writeFileSync(at('bin/tool'), '#!/bin/sh\n');
	chmodSync(at('bin/tool'), 0o755);
	writeFileSync(at('bin/text'), 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
	['a name on PATH', { command: 'tool', path: `${at('empty')}:${at('bin')}` }],
	['a relative PATH', { command: 'tool', path: 'bin', cwd: folder }],
	['a path', { command: at('bin/tool') }],
	['a path relative to cwd', { command: './tool', cwd: at('bin') }],
	// What the system falls back to.
	['a name without PATH', { command: 'sh', path: undefined }],
])('nothing speaks against %s', (_what, program) => {
	expect(foreseenFault({ path: '', cwd: null, ...program })).toBeNull();
});

test.each([
	[
		'a name that is nowhere',
		{ command: 'tool', path: at('empty') },
		'cmd',
		'"tool" was not found on PATH',
		/install it/,
	],
	['a name without PATH', { command: 'tool', path: undefined }, 'cmd', /has none \(\/bin:\/usr\/bin\)$/, /the PATH/],
	['a name of a text', { command: 'text', path: at('bin') }, 'cmd', /bin\/text may not be executed$/, /chmod \+x/],
	['a path to nothing', { command: at('gone') }, 'cmd', `there is no program ${at('gone')}`, /correct cmd/],
	[
		'a relative path',
		{ command: './gone', cwd: folder },
		'cmd',
		`there is no program ./gone (${at('gone')})`,
		/correct/,
	],
	['a path to a text', { command: at('bin/text') }, 'cmd', `${at('bin/text')} may not be executed`, /chmod \+x/],
	['a path to a folder', { command: at('bin') }, 'cmd', `${at('bin')} is no file`, /correct cmd/],
	[
		'a folder that is not there',
		{ command: 'sh', cwd: at('no') },
		'cwd',
		/no` of `cwd` does not exist$/,
		/make the folder/,
	],
	['a folder that is a file', { command: 'sh', cwd: at('bin/text') }, 'cwd', /`cwd` is no folder$/, /correct cwd/],
])('%s is told beforehand', (_what, program, key, message, remedy) => {
	expect(foreseenFault({ path: '/bin', cwd: null, ...program })).toEqual({
		key,
		message: typeof message === 'string' ? message : expect.stringMatching(message),
		remedy: expect.stringMatching(remedy),
	});
});
