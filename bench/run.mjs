// `npm run bench`: what a tools/call costs, directly, through nginx and through the gateway, in one run.
// Linux with two cores, taskset and wrk; nginx is compared with when it is there, another gateway when BENCH_PEER
// names its program. BENCH_SECONDS (4) and BENCH_ROUNDS (3) set the length, BENCH_NODE names further
// Nodes by path, with commas; `-- --write` updates docs/benchmarks.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './client.mjs';
import { openLoader } from './loader.mjs';
import { processorTime, residentMemory } from './processor.mjs';
import { report } from './report.mjs';
import { end, endAll, endEach, root, startFloor, startGateway, startNginx, startUpstream } from './started.mjs';
import { load } from './wrk.mjs';

const seconds = Number(process.env.BENCH_SECONDS ?? 4);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const only = process.env.BENCH_ONLY === undefined ? null : new RegExp(process.env.BENCH_ONLY);
const connections = 32;
const halfLoadedCases = /^nginx|HTTP target, (?:legacy session|modern request)$/;
/** Most that the CPU of a call may be, times nginx's. */
const targets = { native: 2.9, two: 3.2, bridged: 3.8 };
/** Which Node the gateway runs on: this one, and those that are named. */
const nodes = [process.execPath, ...(process.env.BENCH_NODE?.split(',') ?? [])];
const program = (node) => [
	node,
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
	const tables = [];
	for (const node of nodes) {
		const cases = await makeCases(node);
		for (let round = 1; round <= rounds; round++) {
			for (const one of cases) {
				process.stderr.write(`round ${round} of ${rounds}: ${one.name}\n`);
				// The first round also warms up; a short run before it keeps compilation out of the figures.
				if (round === 1) await measure(one, Math.min(seconds, 3));
				one.runs.push(await measure(one, seconds));
			}
		}
		for (const one of cases) one.memory = residentMemory(one.pid);
		const half = await halfLoaded(cases);
		const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
		tables.push({ node: version, cases, half, rest: await atRest(program(node)) });
		await endEach();
	}
	await report(tables, { seconds, rounds, connections, write: process.argv.includes('--write') });
} catch (error) {
	stop(error instanceof Error ? error.message : String(error));
}
process.exit();

async function makeCases(node) {
	const [legacy, modern] = await Promise.all([startUpstream('legacy'), startUpstream('modern')]);
	const list = [];
	const add = async (name, server, era, tool, target = null) => {
		if (only !== null && !only.test(name)) return;
		const url = `http://127.0.0.1:${server.port}/mcp`;
		list.push({ name, url, pid: server.pid, call: await prepare(url, era, tool), target, runs: [] });
	};
	await add('direct, no gateway', legacy, 'legacy', 'echo');
	if (has('nginx')) await add('nginx proxy_pass', await startNginx(folder, legacy.port), 'legacy', 'echo');
	else process.stderr.write('nginx is not installed: left out (Debian package nginx-light)\n');
	await add('Node floor: node:http and undici alone', await startFloor(legacy.port, node), 'legacy', 'echo');
	await addGateway('gateway', program(node), add, legacy, modern);
	const peer = process.env.BENCH_PEER;
	if (peer !== undefined) await addGateway('peer', [peer], add, legacy, modern);
	return list;
}

async function addGateway(label, command, add, legacy, modern) {
	const http = (name, port) => `{ name: ${name}, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`;
	const stdio = `{ name: one, stdio: { cmd: taskset, args: ["-c", "1", "${process.execPath}", "${join(root, 'bench/echo-stdio.mjs')}"] } }`;
	const run = (name, servers, env) => startGateway(folder, `${label}-${name}`, servers, command, env);
	const [one, two, quiet] = await Promise.all([
		run('one', [http('one', legacy.port)]),
		run('two', [http('one', legacy.port), http('two', legacy.port)]),
		run('quiet', [http('one', legacy.port)], { RUST_LOG: 'warn' }),
	]);
	await add(`${label}, HTTP target, legacy session`, one, 'legacy', 'echo', targets.native);
	await add(`${label}, the same without access log`, quiet, 'legacy', 'echo', targets.native);
	await add(`${label}, two HTTP targets, legacy session`, two, 'legacy', 'one_echo', targets.two);
	const oneModern = await run('one-modern', [http('one', modern.port)]);
	await add(`${label}, HTTP target, modern request`, oneModern, 'modern', 'echo', targets.native);
	const twoModern = await run('two-modern', [http('one', modern.port), http('two', modern.port)]);
	await add(`${label}, two HTTP targets, modern request`, twoModern, 'modern', 'one_echo', targets.two);
	const across = await run('across', [http('one', modern.port)]);
	await add(`${label}, legacy session, modern server (bridged)`, across, 'legacy', 'echo', targets.bridged);
	const back = await run('back', [http('one', legacy.port)]);
	await add(`${label}, modern request, legacy server (bridged)`, back, 'modern', 'echo', targets.bridged);
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

/**
 * Latency at the rate at which the gateway's core is half busy, the same for nginx, whose core is less so. Requests are
 * sent when they are due, not when an answer allows it: what waits counts.
 */
async function halfLoaded(cases) {
	const gateway = cases.find(({ name }) => name === 'gateway, HTTP target, legacy session');
	if (gateway === undefined) return [];
	const [middle] = gateway.runs
		.map((run) => run.microseconds)
		.sort((a, b) => a - b)
		.slice(rounds >> 1);
	const rate = Math.round(500_000 / middle);
	const rows = [];
	for (const one of cases.filter(({ name }) => halfLoadedCases.test(name))) {
		const loader = await openLoader(one.url, one.call, connections);
		await loader.open(rate, 1);
		const before = processorTime(one.pid);
		const latencies = await loader.open(rate, seconds);
		const busy = (processorTime(one.pid) - before) / (seconds * 1e6);
		loader.close();
		const at = (share) => latencies[Math.floor(latencies.length * share)];
		rows.push({ name: one.name, rate, busy, p50: at(0.5), p99: at(0.99) });
	}
	return rows;
}

/** Start-up in milliseconds and memory in bytes of a gateway that nobody uses, medians of five. */
async function atRest(command) {
	const runs = [];
	for (let i = 0; i < 5; i++) {
		const target = `{ name: one, mcp: { host: "http://127.0.0.1:9/mcp" } }`;
		const gateway = await startGateway(folder, 'rest', [target], command);
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
