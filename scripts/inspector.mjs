// `npm run inspector`: the MCP Inspector's command line as the client of `agentgateway stdio`, and over HTTP+SSE.
// It needs a newer Node than the gateway does, so it is no part of `npm test`.
// The last line counts: "N passed, N failed".
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture, gateway, installTools, newerNode, root, tools } from '../tools/harness/paths.mjs';
import { startFixture, startGateway } from '../tools/harness/servers.mjs';
import { prepare } from './prepare.mjs';

prepare();
installTools();

const inspector = join(tools, 'node_modules/.bin/mcp-inspector');
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-inspector-'));
const patienceMs = 60_000;
const totals = { passed: 0, failed: 0 };

/** What is asked, and what must be in the answer. */
const questions = {
	'tools/list': [[], /"a_test_simple_text"[^]*"b_test_simple_text"/],
	'tools/call': [['--tool-name', 'b_test_simple_text'], /"text":"This is a simple text/],
	'prompts/get': [['--prompt-name', 'a_test_simple_prompt'], /"role":"user"/],
	'resources/list': [[], /"uri":"[^"]*static-text"/],
};

const target = await startFixture('http', 'modern');
try {
	const targets = [{ name: 'a', stdio: { cmd: process.execPath, args: [fixture, '--era', 'legacy'] } }];
	const binds = [
		{
			port: 0,
			listeners: [{ routes: [{ backends: [{ mcp: { targets: [...targets, { name: 'b', ...target.target }] } }] }] }],
		},
	];
	const file = join(folder, 'config.json');
	writeFileSync(file, JSON.stringify({ binds }));
	for (const era of ['legacy', 'auto', 'modern']) {
		for (const [method, [args, expected]] of Object.entries(questions)) {
			const asked = ['--protocol-era', era, '--method', method, ...args];
			await check(`stdio, ${era}: ${method}`, [process.execPath, gateway, 'stdio', '-f', file, ...asked], expected);
		}
	}
	const served = await startGateway(target.target);
	const sse = served.url.replace(/\/mcp$/, '/sse');
	const call = ['--transport', 'sse', '--method', 'tools/call', '--tool-name', 'test_simple_text'];
	await check('HTTP+SSE: tools/call', [sse, ...call], /"text":"This is a simple text/);
	await served.stop();
} finally {
	await target.stop();
	rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

async function check(name, args, expected) {
	const { code, stdout, stderr } = await run([inspector, '--cli', ...args, '--format', 'json']);
	const good = code === 0 && expected.test(stdout);
	totals[good ? 'passed' : 'failed']++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${name}\n`);
	if (!good) process.stdout.write(`exit code ${code}\n${stdout.slice(0, 2000)}\n${stderr.slice(-2000)}\n`);
}

function run(args) {
	const env = { ...process.env, HOME: folder };
	const child = spawn(newerNode, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
	let [stdout, stderr] = ['', ''];
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
	return new Promise((resolve) => {
		child.on('close', (code) => {
			clearTimeout(timer);
			resolve({ code, stdout, stderr });
		});
	});
}
