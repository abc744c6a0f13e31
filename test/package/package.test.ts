import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { freePort } from '../support/free-port.ts';

const exec = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-package-'));
const consumer = join(folder, 'consumer');
const global = join(folder, 'global');
let contents: string[];

beforeAll(async () => {
	// Built already; a build here would race with tests that run the gateway.
	const { stdout } = await exec('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
		cwd: root,
	});
	const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
	contents = (packed?.files ?? []).map(({ path }) => path);
	const tarball = join(folder, packed?.filename ?? '');
	mkdirSync(consumer);
	writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }');
	const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
	await exec('npm', ['install', ...quiet, tarball], { cwd: consumer });
	await exec('npm', ['install', ...quiet, '--global', '--prefix', global, '.'], { cwd: root });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
	test('ships what runs, and nothing else', () => {
		const allowed =
			/^(LICENSE|README\.md|package\.json|bin\/agentgateway\.mjs|schema\/config\.json|examples\/demo\.yaml|dist\/(cli|config-worker|heap-flags|index|time-server)\.js|dist\/ui\/.+\.(html|js|css|svg)|dist\/types\/.+\.d\.ts)$/;
		expect(contents.filter((path) => !allowed.test(path))).toEqual([]);
		const needed = ['bin/agentgateway.mjs', 'dist/cli.js', 'dist/ui/index.html', 'dist/types/index.d.ts', 'LICENSE'];
		expect(contents).toEqual(expect.arrayContaining(needed));
	});

	test('installed in an empty folder, it runs a configuration', async () => {
		const command = join(consumer, 'node_modules/.bin/agentgateway');
		const version = await exec(command, ['--version']);
		expect(version.stdout).toContain('0.1.0');
		const port = await freePort();
		const server = join(consumer, 'node_modules/agentgateway/dist/time-server.js');
		const yaml = `mcp:\n  port: ${port}\n  targets:\n  - name: time\n    stdio: { cmd: node, args: [${JSON.stringify(server)}] }\n`;
		writeFileSync(join(consumer, 'config.yaml'), yaml);
		const gateway = start(command, ['-f', 'config.yaml'], consumer);
		expect(await firstTools(gateway, port)).toContain('get_current_time');
		const called = await ask(port, 'tools/call', { name: 'get_current_time', arguments: { timezone: 'UTC' } });
		expect(called).toMatchObject({ result: { structuredContent: { timezone: 'UTC' } } });
		expect(await end(gateway)).toBe(0);
	});

	test('installed globally, it makes its default file with the demo servers', async () => {
		const command = join(global, 'bin/agentgateway');
		const home = join(folder, 'home');
		const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'settings') };
		const made = join(home, 'settings/agentgateway/config.yaml');
		const first = start(command, [], folder, env);
		await until(() => existsSync(made) || first.exitCode !== null);
		await end(first);
		const port = await freePort();
		writeFileSync(made, readFileSync(made, 'utf8').replace('port: 3000', `port: ${port}`));
		const second = start(command, [], folder, env);
		const tools = await firstTools(second, port);
		expect(tools).toEqual(expect.arrayContaining(['time_get_current_time', 'everything_echo']));
		expect(await end(second)).toBe(0);
	});

	test('its types hold in a program that embeds it', async () => {
		writeFileSync(
			join(consumer, 'program.ts'),
			`import { createGateway, type Gateway } from 'agentgateway';
const gateway: Gateway = await createGateway('binds: []');
const addresses: ReadonlyMap<string, readonly string[]> = gateway.addresses();
console.log(addresses.size);
await gateway.close();
`,
		);
		mkdirSync(join(consumer, 'node_modules/@types'), { recursive: true });
		for (const name of ['@types/node', 'undici-types'])
			if (existsSync(join(root, 'node_modules', name)))
				symlinkSync(join(root, 'node_modules', name), join(consumer, 'node_modules', name));
		const options = [
			'--noEmit',
			'--strict',
			'--module',
			'nodenext',
			'--target',
			'es2023',
			'--types',
			'node',
			'program.ts',
		];
		const tsc = exec(join(root, 'node_modules/.bin/tsc'), options, { cwd: consumer });
		await expect(
			tsc.catch((error: { stdout: string }) => Promise.reject(new Error(error.stdout))),
		).resolves.toBeDefined();
	});
});

test('a Node below the floor gets one clear line', async () => {
	const old = join(folder, 'old.cjs');
	writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
	const failed = await exec(process.execPath, ['-r', old, join(root, 'bin/agentgateway.mjs'), '--version']).catch(
		(error: { code: number; stderr: string; stdout: string }) => error,
	);
	expect(failed).toMatchObject({
		code: 1,
		stdout: '',
		stderr: 'agentgateway needs Node 20.19 or newer; this is Node 18.20.4.\n',
	});
});

describe('npm start', () => {
	test('from another folder, with another file: it listens soon and ends with its signal', async () => {
		const port = await freePort();
		// Known by its name in the list of processes.
		const file = `my-${process.pid}.yaml`;
		const yaml = `mcp:\n  port: ${port}\n  targets:\n  - name: time\n    stdio: { cmd: node, args: [${JSON.stringify(join(root, 'dist/time-server.js'))}] }\n`;
		writeFileSync(join(folder, file), yaml);
		const began = performance.now();
		const npm = start('npm', ['--silent', '--prefix', root, 'start', '--', '-f', file], folder);
		expect(await firstTools(npm, port)).toEqual(['get_current_time', 'convert_time']);
		// The goal is two seconds; the bound leaves room for a machine that runs other tests.
		expect(performance.now() - began).toBeLessThan(10_000);
		// npm hands the signal on and ends by it, too.
		await end(npm);
		await until(() => running(file).length === 0);
	}, 30_000);
});

const isolated = { ADMIN_ADDR: '127.0.0.1:0', STATS_ADDR: '127.0.0.1:0', READINESS_ADDR: '127.0.0.1:0' };

function start(command: string, args: string[], cwd: string, env: Record<string, string> = {}): ChildProcess {
	return spawn(command, args, {
		cwd,
		env: { ...process.env, ...isolated, ...env },
		stdio: ['ignore', 'ignore', 'inherit'],
	});
}

function end(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null) return Promise.resolve(child.exitCode);
	return new Promise((resolve) => {
		child.once('exit', resolve);
		child.kill('SIGTERM');
	});
}

/** The names of the tools, as soon as the gateway answers with any. */
async function firstTools(gateway: ChildProcess, port: number): Promise<string[]> {
	const names: string[] = [];
	await until(async () => {
		if (gateway.exitCode !== null) throw new Error(`the gateway ended with ${gateway.exitCode}`);
		const reply = (await ask(port, 'tools/list', {}).catch(() => null)) as {
			result?: { tools: { name: string }[] };
		} | null;
		if (reply === null) return false;
		names.push(...(reply.result?.tools ?? []).map(({ name }) => name));
		return names.length > 0;
	});
	return names;
}

/** Sends one request of 2026-07-28; gives the JSON-RPC response. */
async function ask(port: number, method: string, params: Record<string, unknown>): Promise<unknown> {
	const _meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
		'io.modelcontextprotocol/clientCapabilities': {},
	};
	const headers: Record<string, string> = {
		'content-type': 'application/json',
		accept: 'application/json, text/event-stream',
		'mcp-protocol-version': '2026-07-28',
		'mcp-method': method,
	};
	if (typeof params['name'] === 'string') headers['mcp-name'] = params['name'];
	const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
	return (await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body })).json();
}

async function until(ready: () => boolean | Promise<boolean>): Promise<void> {
	const deadline = Date.now() + 20_000;
	while (!(await ready())) {
		if (Date.now() > deadline) throw new Error('not within 20 s');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** Command lines that contain a text. */
function running(text: string): string[] {
	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
		.map((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
			} catch {
				return '';
			}
		})
		.filter((line) => line.includes(text) && line.includes('agentgateway.mjs'));
}
