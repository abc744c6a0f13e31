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
import { endAll, startFloor, startGateway, startNginx, startUpstream } from './started.mjs';
import { inTurns } from './turns.mjs';

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
	cases.push({ name, url, pid: server.pid, call });
}
// All are compared to the last one.
const length = { rounds: Number(values.rounds), milliseconds: Number(values.turn), connections: 32 };
const rows = await inTurns(cases.toReversed(), length);
for (const { name, cpuMicroseconds, times } of rows.toReversed()) {
	console.log(`${name.padEnd(12)} ${String(cpuMicroseconds).padStart(7)} µs  ${times} of ${rows[0].name}`);
}
process.exit();

function started(name, path) {
	if (path === 'nginx') return startNginx(folder, upstream.port);
	if (path === 'floor') return startFloor(upstream.port);
	if (path.endsWith('.mjs')) return startFloor(upstream.port, process.execPath, path);
	const program = [process.execPath, ...(process.env.NODE_FLAGS?.split(' ') ?? []), join(path, 'bin/agentgateway.mjs')];
	return startGateway(folder, name, targets, program, values.quiet ? { RUST_LOG: 'warn' } : {});
}
