// Runs the tutorial's own file as a user does: real uvx and npx, the ports as written, the official clients; then
// without uvx. Needs uvx, npx and the package registries. The last line counts: "N passed, N failed".
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { prepare, root } from './prepare.mjs';

const endpoint = new URL('http://localhost:3000/mcp');
const admin = 'http://localhost:15000';
/** Stands in the environment of everything that this run starts. */
const mark = `SEED_RUN_${process.pid}`;
const self = { name: 'seed', version: '1' };
const totals = { passed: 0, failed: 0 };
let gateway = null;

prepare();
process.on('exit', () => gateway?.child.kill('SIGKILL'));
for (const port of [3000, 15000, 15020, 15021]) await mustBeFree(port);
await withUvx();
await withoutUvx();
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exit(totals.failed > 0 ? 1 : 0);

async function withUvx() {
	await step('the gateway starts with the lines of the tutorial', async () => {
		gateway = startGateway(process.env['PATH'] ?? '');
		await gateway.says(/^\S+\s+INFO\s+agentgateway\s*:?\s.*Listening on 0\.0\.0\.0:3000$/m);
		await gateway.says(/^\S+\s+INFO\s+agentgateway\s*:?\s.*Admin UI available at http:\/\/localhost:15000\/ui\/$/m);
	});
	await step('uvx and npx bring both servers', () =>
		until(async () => (await states()).every(({ state }) => state === 'ready'), 180),
	);
	await client('SDK 1.32', () => connect(new OldClient(self), new OldTransport(endpoint)));
	await client('SDK 2.4, old era', () => connect(newClient('legacy'), new NewTransport(endpoint)));
	await client('SDK 2.4, new era', async () => {
		const one = await connect(newClient('auto'), new NewTransport(endpoint));
		expect(one.getProtocolEra() === 'modern', `the era is ${one.getProtocolEra()}`);
		return one;
	});
	await compareTimeServers();
	await stopped();
}

async function withoutUvx() {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-seed-'));
	for (const program of ['node', 'npm', 'npx']) symlinkSync(which(program), join(folder, program));
	const others = (process.env['PATH'] ?? '').split(delimiter).filter((one) => one !== '' && !has(one, 'uvx'));
	await step('it starts without uvx, too', async () => {
		gateway = startGateway([folder, ...others].join(delimiter));
		await gateway.says(/Admin UI available/);
		await until(async () => (await states()).some(({ name, state }) => name === 'everything' && state === 'ready'), 60);
	});
	await step('everything_* works, time says why it is away', async () => {
		const one = await connect(new OldClient(self), new OldTransport(endpoint));
		const names = (await one.listTools()).tools.map((tool) => tool.name);
		expect(names.includes('everything_echo') && !names.some((name) => name.startsWith('time_')), names.join(' '));
		const echo = await one.callTool({ name: 'everything_echo', arguments: { message: 'hello' } });
		expect(JSON.stringify(echo).includes('hello'), JSON.stringify(echo));
		await one.close();
		const time = (await states()).find(({ name }) => name === 'time');
		expect(time?.state === 'failed' && /uvx.*not found/.test(time.reason), JSON.stringify(time));
	});
	await stopped();
	rmSync(folder, { recursive: true });
}

/** Lists and calls tools with one client, and asks for a zone that there is not. */
async function client(name, open) {
	await step(`${name} lists and calls the tools of both servers`, async () => {
		const one = await open();
		const names = (await one.listTools()).tools.map((tool) => tool.name);
		for (const wanted of ['time_get_current_time', 'time_convert_time', 'everything_echo'])
			expect(names.includes(wanted), `${wanted} is not among ${names.join(' ')}`);
		const time = await one.callTool({ name: 'time_get_current_time', arguments: { timezone: 'America/New_York' } });
		expect(JSON.stringify(time).includes('America/New_York'), JSON.stringify(time));
		const wrong = await one.callTool({ name: 'time_get_current_time', arguments: { timezone: 'Mars/Olympus' } });
		expect(wrong.isError === true && JSON.stringify(wrong).includes('Mars/Olympus'), JSON.stringify(wrong));
		const echo = await one.callTool({ name: 'everything_echo', arguments: { message: 'hello' } });
		expect(JSON.stringify(echo).includes('hello'), JSON.stringify(echo));
		await one.close();
	});
}

/** The server of the demo answers as the real one does. */
async function compareTimeServers() {
	await step('the demo time server answers as mcp-server-time', async () => {
		const local = '--local-timezone=Europe/Berlin';
		const real = await connect(new OldClient(self), stdio('uvx', ['mcp-server-time', local]));
		const ours = await connect(
			new OldClient(self),
			stdio(process.execPath, [join(root, 'dist/time-server.js'), local]),
		);
		const zones = ['America/New_York', 'Asia/Kolkata', 'UTC', 'Etc/GMT+5', 'Mars/Olympus', 'europe/london'];
		const calls = [
			...zones.map((timezone) => ({ name: 'get_current_time', arguments: { timezone } })),
			conversion('America/New_York', '12:30', 'Asia/Kathmandu'),
			conversion('Asia/Tokyo', '00:10', 'America/Los_Angeles'),
			conversion('UTC', '12:00', 'UTC'),
			conversion('UTC', '9:5', 'Australia/Eucla'),
			conversion('UTC', '25:00', 'UTC'),
			conversion('X', '12:00', 'UTC'),
		];
		for (const call of calls) {
			const [theirs, own] = await Promise.all([real, ours].map((one) => one.callTool(call)));
			const same = isDeepStrictEqual(comparable(theirs), comparable(own));
			expect(same, `${JSON.stringify(call)}: ${JSON.stringify(theirs)} but ours ${JSON.stringify(own)}`);
		}
		await Promise.all([real.close(), ours.close()]);
	});
}

function conversion(source_timezone, time, target_timezone) {
	return { name: 'convert_time', arguments: { source_timezone, time, target_timezone } };
}

/** Both are asked in the same minute at best: seconds do not count. */
function comparable({ content, structuredContent, isError = false }) {
	return JSON.parse(
		JSON.stringify({ content, structuredContent, isError }).replace(/T(\d\d:)\d\d:\d\d([+-])/g, 'T$1$2'),
	);
}

async function stopped() {
	await step('SIGTERM ends it with code 0 and leaves no process', async () => {
		gateway.child.kill('SIGTERM');
		const code = await gateway.exited;
		expect(code === 0, `exit code ${code}`);
		await until(
			() => marked().length === 0,
			5,
			() => `left: ${marked().join(', ')}`,
		);
	});
	gateway = null;
}

function newClient(mode) {
	return new NewClient(self, { versionNegotiation: { mode } });
}

async function connect(one, transport) {
	await one.connect(transport);
	return one;
}

function stdio(command, args) {
	return new StdioClientTransport({ command, args, stderr: 'ignore', env: { ...process.env } });
}

function startGateway(path) {
	const child = spawn(process.execPath, ['bin/agentgateway.mjs', '-f', 'test/fixtures/seed.yaml'], {
		cwd: root,
		env: { ...process.env, PATH: path, [mark]: '1' },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let log = '';
	let over = false;
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk));
	const exited = new Promise((resolve) => child.on('close', (code) => resolve(code)));
	void exited.then(() => (over = true));
	const says = (pattern) =>
		until(
			() => {
				if (over) throw new Error(`it ended: ${log}`);
				return pattern.test(log);
			},
			20,
			() => log,
		);
	return { child, exited, says };
}

async function states() {
	const state = await (await fetch(`${admin}/api/state`)).json();
	return state.binds.flatMap((bind) =>
		bind.listeners.flatMap((listener) =>
			listener.routes.flatMap((route) => route.backends.flatMap((backend) => backend.targets)),
		),
	);
}

/** Processes that carry the mark of this run, but for this one's own clients. */
function marked() {
	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid))
		.flatMap((pid) => {
			try {
				if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${mark}=`)) return [];
				return [`${pid} ${readlinkSync(`/proc/${pid}/exe`)}`];
			} catch {
				return [];
			}
		});
}

/** Another gateway on the tutorial's ports would answer in this one's place. */
function mustBeFree(port) {
	return new Promise((resolve) => {
		const socket = createConnection(port, '127.0.0.1');
		socket.on('error', resolve);
		socket.on('connect', () => {
			process.stderr.write(`error: port ${port} is in use, and the tutorial's file needs it; end what listens there\n`);
			process.exit(1);
		});
	});
}

async function until(ready, seconds, tell = () => '') {
	const end = Date.now() + seconds * 1000;
	while (!(await ready())) {
		if (Date.now() > end) throw new Error(`not within ${seconds} s. ${tell()}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

function expect(holds, otherwise) {
	if (!holds) throw new Error(otherwise);
}

async function step(name, work) {
	try {
		await work();
		totals.passed++;
		process.stdout.write(`ok   ${name}\n`);
	} catch (error) {
		totals.failed++;
		process.stdout.write(`FAIL ${name}\n     ${error instanceof Error ? error.message : String(error)}\n`);
	}
}

function has(folder, program) {
	try {
		return readdirSync(folder).includes(program);
	} catch {
		return false;
	}
}

function which(program) {
	if (program === 'node') return process.execPath;
	const beside = dirname(process.execPath);
	const folder = [beside, ...(process.env['PATH'] ?? '').split(delimiter)].find((one) => has(one, program));
	if (folder === undefined) throw new Error(`${program} is not on the PATH`);
	return join(folder, program);
}
