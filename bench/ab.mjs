// `node bench/ab.mjs [--era legacy|modern] [--server legacy|modern] [--two] [--quiet] [--rounds 150] [--turn 100] NAME=PATH …`
// Compares builds of the gateway in turns of 100 ms on the same core: what a busy machine does to one, it
// does to the next. PATH is a folder with `bin/agentgateway.mjs` and `dist/`, or `nginx` or `floor`. Prints CPU µs a call
// and the ratio to the build that is named last, median of the pairs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './client.mjs';
import { openLoader } from './loader.mjs';
import { processorTime } from './processor.mjs';
import { endAll, startFloor, startGateway, startNginx, startUpstream } from './started.mjs';

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		era: { type: 'string', default: 'legacy' },
		server: { type: 'string' },
		two: { type: 'boolean', default: false },
		quiet: { type: 'boolean', default: false },
		rounds: { type: 'string', default: '150' },
		turn: { type: 'string', default: '100' },
	},
});
const { era, two } = values;
// The load and what reads the gateway's log stay off the measured core.
spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)]);
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-ab-'));
process.on('exit', () => {
	endAll();
	rmSync(folder, { recursive: true, force: true });
});
const upstream = await startUpstream(values.server ?? era);
const target = (name) => `{ name: ${name}, mcp: { host: "http://127.0.0.1:${upstream.port}/mcp" } }`;
const targets = two ? [target('one'), target('two')] : [target('one')];

const cases = [];
for (const one of positionals) {
	const [name, path = name] = one.split('=');
	const server = await started(name, path);
	const url = `http://127.0.0.1:${server.port}/mcp`;
	const bare = path === 'nginx' || path === 'floor' || path.endsWith('.mjs');
	const call = await prepare(url, bare ? (values.server ?? era) : era, two && !bare ? 'one_echo' : 'echo');
	cases.push({ name, pid: server.pid, loader: await openLoader(url, call, 32), runs: [] });
}
// Until all is compiled; on a busy machine that takes its time.
for (const { loader } of cases) for (let calls = 0; calls < 15_000; ) calls += await loader.closed(200);
for (let round = 0; round < Number(values.rounds); round++)
	for (const one of cases) one.runs.push(await measure(one, Number(values.turn)));
const base = cases.at(-1);
for (const { name, runs } of cases) {
	const ratios = runs.map((value, at) => value / base.runs[at]);
	console.log(
		`${name.padEnd(12)} ${median(runs).toFixed(1).padStart(7)} µs  ${median(ratios).toFixed(3)} of ${base.name}  (least ${Math.min(...runs).toFixed(1)})`,
	);
}
process.exit();

function started(name, path) {
	if (path === 'nginx') return startNginx(folder, upstream.port);
	if (path === 'floor') return startFloor(upstream.port);
	if (path.endsWith('.mjs')) return startFloor(upstream.port, process.execPath, path);
	const program = [process.execPath, ...(process.env.NODE_FLAGS?.split(' ') ?? []), join(path, 'bin/agentgateway.mjs')];
	return startGateway(folder, name, targets, program, values.quiet ? { RUST_LOG: 'warn' } : {});
}

async function measure({ pid, loader }, milliseconds) {
	const before = processorTime(pid);
	const count = await loader.closed(milliseconds);
	return (processorTime(pid) - before) / count;
}

function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1];
}
