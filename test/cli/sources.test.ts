import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { runCommand as command } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'agentgateway-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = 'mcp:\n  port: 0\n  targets:\n  - name: a\n    mcp: { host: "http://127.0.0.1:9/mcp" }\n';

function file(name: string, text: string): string {
	writeFileSync(join(folder, name), text);
	return name;
}

const check = (args: string[], input?: string) =>
	command(['--validate-only', ...args], { cwd: folder, ...(input === undefined ? {} : { input }) });

describe('a configuration comes from', () => {
	test.each([
		['a file', () => check(['-f', file('good.yaml', good)])],
		['standard input', () => check(['-f', '-'], good)],
		['text', () => check(['-c', good])],
		[
			'JSON text',
			() => check(['-c', '{"mcp":{"port":0,"targets":[{"name":"a","mcp":{"host":"http://127.0.0.1:9/mcp"}}]}}']),
		],
	])('%s', async (_name, run) => {
		expect(await run()).toMatchObject({ code: 0, stdout: 'Configuration is valid!\n' });
	});
});

describe('told in one line without a stack:', () => {
	test.each([
		['a missing file', () => check(['-f', 'nowhere.yaml']), /nowhere\.yaml.*(not found|does not exist|no such)/i],
		['a folder', () => check(['-f', '.']), /director|folder/i],
		['an empty file', () => check(['-f', file('empty.yaml', '')]), /empty/i],
		['a file of comments', () => check(['-f', file('comments.yaml', '# nothing\n')]), /empty/i],
		['a syntax error', () => check(['-f', file('syntax.yaml', 'mcp:\n  port: [1\n  x: 2\n')]), /syntax\.yaml:\d+:\d+/],
		['both -f and -c', () => check(['-f', 'good.yaml', '-c', good]), /only one of --config or --file/],
		['an unknown flag', () => check(['--validate-onyl']), /unknown option '--validate-onyl'[^]*validate-only/],
		['a stray argument', () => check(['-c', good, 'extra']), /unknown command "extra"; the commands are schema, stdio/],
		['a flag without its value', () => check(['-f']), /argument missing/],
	])('%s', async (_name, run, message) => {
		const ended = await run();
		expect(ended.stderr).toMatch(message);
		expect([ended.code, ended.stdout, /\n\s+at /.test(ended.stderr)]).toEqual([1, '', false]);
	});

	test('a file that may not be read', async () => {
		mkdirSync(join(folder, 'closed'), { recursive: true });
		file('closed/secret.yaml', good);
		chmodSync(join(folder, 'closed/secret.yaml'), 0);
		const ended = await check(['-f', 'closed/secret.yaml']);
		// The superuser may read everything.
		if (process.getuid?.() === 0) expect(ended.code).toBe(0);
		else expect([ended.code, /permission/i.test(ended.stderr)]).toEqual([1, true]);
	});

	test('a value of the environment that means nothing', async () => {
		const ended = await command(['-c', good], { env: { ADMIN_ADDR: 'nonsense' } });
		expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('ADMIN_ADDR')]);
	});
});

describe('hostile files cost little:', () => {
	test.each([
		[
			'an alias bomb',
			`a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
				.split('')
				.map((name, at) => `${name}: &${name} [${`*${'abcdefghij'[at]},`.repeat(9)}]`)
				.join('\n')}\n`,
		],
		['five megabytes', `mcp:\n  targets:\n${'  - name: a\n'.repeat(430_000)}`],
		['very many anchors', `a: [${'&a x,'.repeat(60_000)}]\n`],
		['deep nesting', '['.repeat(100_000)],
	])(
		'%s',
		async (_name, text) => {
			const ended = await check(['-f', file('hostile.yaml', text)]);
			expect([ended.code, ended.stdout]).toEqual([1, '']);
			expect(ended.stderr.length).toBeLessThan(20_000);
			expect(ended.ms).toBeLessThan(8_000);
		},
		30_000,
	);
});

test('a port that somebody has is told, and nothing stays behind', async () => {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
	const { port } = server.address() as AddressInfo;
	const ended = await command(['-c', good.replace('port: 0', `port: ${port}`)]);
	expect(ended.code).toBe(1);
	expect(ended.stderr).toMatch(new RegExp(`${port}.*(in use|taken)`));
	await new Promise((resolve) => server.close(resolve));
});

describe('the command tells', () => {
	test('its version', async () => {
		const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
		expect(await command(['-V'])).toMatchObject({ code: 0, stdout: `${version}\n` });
		const long = await command(['--version']);
		expect(JSON.parse(long.stdout)).toMatchObject({ version });
	});

	test('its flags', async () => {
		const { code, stdout } = await command(['--help']);
		expect(code).toBe(0);
		for (const flag of ['-f, --file', '-c, --config', '--validate-only', '--version', 'schema'])
			expect(stdout).toContain(flag);
	});

	test('its schema, as JSON for editors', async () => {
		const { code, stdout } = await command(['schema']);
		const schema = JSON.parse(stdout) as Record<string, unknown>;
		expect(code).toBe(0);
		expect(schema).toEqual(JSON.parse(readFileSync(join(root, 'schema/config.json'), 'utf8')));
		expect(stdout).toContain('"description"');
	});
});

test('the file that agentgateway writes for itself starts, with one warning for what is left alone', async () => {
	const written = readFileSync(join(root, 'test/config/golden/good/agentgateway-default-file.yaml'), 'utf8');
	const ended = await check(['-f', file('default.yaml', written)]);
	expect(ended).toMatchObject({ code: 0, stdout: 'Configuration is valid!\n' });
	expect(ended.stderr.match(/"database" is known to agentgateway and has no effect/g)).toHaveLength(1);
});
