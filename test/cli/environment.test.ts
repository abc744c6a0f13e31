import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { runCommand } from './command.ts';

const good = 'mcp:\n  port: 0\n  targets:\n  - name: a\n    mcp: { host: "http://127.0.0.1:9/mcp" }\n';

test.each([
	['ADMIN_ADDR', 'nonsense'],
	['STATS_ADDR', '127.0.0.1:99999'],
	['READINESS_ADDR', '127.0.0.1'],
	['LOG_FORMAT', 'xml'],
	['CONNECTION_TERMINATION_DEADLINE', '5'],
	['IPV6_ENABLED', 'maybe'],
])('%s=%s is refused in one line that names it', async (name, value) => {
	const { code, stdout, stderr } = await runCommand(['--validate-only', '-c', good], { env: { [name]: value } });
	expect([code, stdout]).toEqual([1, '']);
	expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(name)]);
});

test('a wrong SESSION_KEY is refused without being shown', async () => {
	const key = 'my-short-secret';
	const { code, stderr } = await runCommand(['--validate-only', '-c', good], { env: { SESSION_KEY: key } });
	expect([code, stderr.trim().split('\n')]).toEqual([1, [expect.stringMatching(/SESSION_KEY.*64 hex/)]]);
	expect(stderr).not.toContain(key);
});

test('an empty variable counts as not set', async () => {
	const env = { LOG_FORMAT: '', SESSION_KEY: '', ADMIN_ADDR: '', STATS_ADDR: '', READINESS_ADDR: '' };
	expect(await runCommand(['--validate-only', '-c', good], { env })).toMatchObject({ code: 0, stderr: '' });
});

test('a warning about the whole file has no empty place', async () => {
	const { code, stderr } = await runCommand(['--validate-only', '-c', '{}']);
	expect([code, stderr]).toEqual([0, 'warning: <command line>:1:1: nothing to serve; add binds, gateways or mcp\n']);
});

test('a warning says what helps', async () => {
	const { code, stderr } = await runCommand(
		['--validate-only', '-c', 'mcp: { targets: [{ name: a, stdio: { cmd: sh, cwd: no/such, clear_env: true } }] }'],
		{ cwd: root },
	);
	expect([code, stderr]).toEqual([
		0,
		'warning: <command line>:1:52: mcp.targets[0].stdio.cwd: ' +
			`the folder \`${join(root, 'no/such')}\` of \`cwd\` does not exist; ` +
			'make the folder, or correct cwd; the target stays away until then\n',
	]);
});
