// `npm run bench`: what a tools/call costs, directly, through nginx and through the gateway, in one run.
// Linux with two cores, taskset and wrk; nginx is compared with when it is there, another gateway when BENCH_PEER
// names its program. BENCH_SECONDS (4) and BENCH_ROUNDS (3) set the length, `-- --write` updates docs/benchmarks.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './client.mjs';
import { processorTime, residentMemory } from './processor.mjs';
import { report } from './report.mjs';
import { end, endAll, root, startFloor, startGateway, startNginx, startUpstream } from './started.mjs';
import { load } from './wrk.mjs';

const seconds = Number(process.env.BENCH_SECONDS ?? 4);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const only = process.env.BENCH_ONLY === undefined ? null : new RegExp(process.env.BENCH_ONLY);
const connections = 32;
const own = [
	process.env.BENCH_NODE ?? process.execPath,
	...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
	join(root, 'bin/agentgateway.mjs'),
];

need('taskset', 'it is part of util-linux');
need('wrk', 'install the package wrk');
if (availableParallelism() < 2) stop('two cores are needed: one for what is measured, one for the rest');
// The load and what reads the gateway's log stay off the measured core.
spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)]);
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-bench-'));
process.on('exit', () => {
	endAll();
	rmSync(folder, { recursive: true, force: true });
});

try {
	const cases = await makeCases();
	for (let round = 1; round <= rounds; round++) {
		for (const one of cases) {
			process.stderr.write(`round ${round} of ${rounds}: ${one.name}\n`);
			// The first round also warms up; a short run before it keeps compilation out of the figures.
			if (round === 1) await measure(one, Math.min(seconds, 3));
			one.runs.push(await measure(one, seconds));
		}
	}
	for (const one of cases) one.memory = residentMemory(one.pid);
	await report(cases, { seconds, rounds, connections, rest: await atRest(), write: process.argv.includes('--write') });
} catch (error) {
	stop(error instanceof Error ? error.message : String(error));
}
process.exit();

async function makeCases() {
	const [legacy, modern] = await Promise.all([startUpstream('legacy'), startUpstream('modern')]);
	const list = [];
	const add = async (name, server, era, tool) => {
		if (only !== null && !only.test(name)) return;
		const url = `http://127.0.0.1:${server.port}/mcp`;
		list.push({ name, url, pid: server.pid, call: await prepare(url, era, tool), runs: [] });
	};
	await add('direct, no gateway', legacy, 'legacy', 'echo');
	if (has('nginx')) await add('nginx proxy_pass', await startNginx(folder, legacy.port), 'legacy', 'echo');
	else process.stderr.write('nginx is not installed: left out (Debian package nginx-light)\n');
	await add('Node floor: node:http and undici alone', await startFloor(legacy.port), 'legacy', 'echo');
	await addGateway('gateway', own, add, legacy, modern);
	const peer = process.env.BENCH_PEER;
	if (peer !== undefined) await addGateway('peer', [peer], add, legacy, modern);
	return list;
}

async function addGateway(label, program, add, legacy, modern) {
	const http = (name, port) => `{ name: ${name}, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`;
	const stdio = `{ name: one, stdio: { cmd: taskset, args: ["-c", "1", "${process.execPath}", "${join(root, 'bench/echo-stdio.mjs')}"] } }`;
	const run = (name, targets, env) => startGateway(folder, `${label}-${name}`, targets, program, env);
	const [one, two, quiet] = await Promise.all([
		run('one', [http('one', legacy.port)]),
		run('two', [http('one', legacy.port), http('two', legacy.port)]),
		run('quiet', [http('one', legacy.port)], { RUST_LOG: 'warn' }),
	]);
	await add(`${label}, HTTP target, legacy session`, one, 'legacy', 'echo');
	await add(`${label}, the same without access log`, quiet, 'legacy', 'echo');
	await add(`${label}, two HTTP targets, legacy session`, two, 'legacy', 'one_echo');
	const oneModern = await run('one-modern', [http('one', modern.port)]);
	await add(`${label}, HTTP target, modern request`, oneModern, 'modern', 'echo');
	const twoModern = await run('two-modern', [http('one', modern.port), http('two', modern.port)]);
	await add(`${label}, two HTTP targets, modern request`, twoModern, 'modern', 'one_echo');
	const across = await run('across', [http('one', modern.port)]);
	await add(`${label}, legacy session, modern server (bridged)`, across, 'legacy', 'echo');
	const back = await run('back', [http('one', legacy.port)]);
	await add(`${label}, modern request, legacy server (bridged)`, back, 'modern', 'echo');
	await add(`${label}, stdio target, legacy session`, await run('stdio', [stdio]), 'legacy', 'echo');
}

async function measure(one, forSeconds) {
	const before = processorTime(one.pid);
	const began = performance.now();
	const result = await load({
		script: join(folder, 'call.lua'),
		url: one.url,
		...one.call,
		connections,
		seconds: forSeconds,
	});
	const used = processorTime(one.pid) - before;
	const wall = (performance.now() - began) * 1000;
	if (result.errors > 0) throw new Error(`${one.name}: ${result.errors} of ${result.requests} requests failed`);
	return { ...result, microseconds: used / result.requests, busy: used / wall };
}

/** Start-up in milliseconds and memory in bytes of a gateway that nobody uses, medians of five. */
async function atRest() {
	const runs = [];
	for (let i = 0; i < 5; i++) {
		const target = `{ name: one, mcp: { host: "http://127.0.0.1:9/mcp" } }`;
		const gateway = await startGateway(folder, 'rest', [target], own);
		await new Promise((resolve) => setTimeout(resolve, 2000));
		runs.push({ milliseconds: gateway.milliseconds, memory: residentMemory(gateway.pid) });
		await end(gateway);
	}
	const median = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[2];
	return { milliseconds: median('milliseconds'), memory: median('memory') };
}

function has(program) {
	return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function need(program, remedy) {
	if (!has(program)) stop(`${program} was not found; ${remedy}`);
}

function stop(message) {
	process.stderr.write(`error: ${message}\n`);
	process.exit(1);
}
