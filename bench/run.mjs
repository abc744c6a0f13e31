// `npm run bench [-- SECTION…] [--write]`: what the gateway costs, against nginx and bare Node, in one run. Sections: calls,
// half-load, list, large, session-open, memory, at-rest; all of them unless some are named. Linux with two cores,
// taskset and nginx. BENCH_ROUNDS (40) and BENCH_TURN (100 ms) set the length, BENCH_ONLY the rows by a regular
// expression; BENCH_NODE names further Nodes by path, with commas, BENCH_NODE_OPTIONS their options, BENCH_PEER another
// gateway that takes the same file. `--write` puts the tables into docs/benchmarks.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as atRest from './at-rest.mjs';
import * as calls from './calls.mjs';
import * as halfLoad from './half-load.mjs';
import * as large from './large.mjs';
import * as list from './list.mjs';
import * as memory from './memory.mjs';
import { report } from './report.mjs';
import * as sessionOpen from './session-open.mjs';
import { endAll, endEach, root, startGateway } from './started.mjs';

const sections = {
	calls,
	'half-load': halfLoad,
	list,
	large,
	'session-open': sessionOpen,
	memory,
	'at-rest': atRest,
};
const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean' } } });
const unknown = positionals.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0) stop(`no section ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}`);
const names = positionals.length > 0 ? positionals : Object.keys(sections);
need('taskset', 'it is part of util-linux');
need('nginx', 'install the package nginx-light');
if (availableParallelism() < 2) stop('two cores are needed: one for what is measured, one for the rest');
// The load and what reads the gateway's log stay off the measured core.
spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)]);
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-bench-'));
process.on('exit', () => {
	endAll();
	rmSync(folder, { recursive: true, force: true });
});

try {
	const nodes = [process.execPath, ...(process.env.BENCH_NODE?.split(',') ?? [])];
	const tables = [];
	for (const node of nodes) tables.push({ node: versionOf(node), sections: await measureAll(setupFor(node)) });
	report(tables, { write: values.write === true });
} catch (error) {
	stop(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
process.exit();

async function measureAll(setup) {
	const measured = [];
	for (const name of names) {
		process.stderr.write(`${versionOf(setup.node)}: ${name}\n`);
		const { title, figures, measure } = sections[name];
		measured.push({ name, title, figures, rows: await measure(setup) });
		await endEach();
	}
	return measured;
}

/** What a section is given: how long to measure, which rows, the Node of the gateway, and how to start one. */
function setupFor(node) {
	const options = process.env.BENCH_NODE_OPTIONS?.split(' ') ?? [];
	const starts = (command) => (name, targets, env) => startGateway(folder, name, targets, command, env);
	/** The command of the gateway, with options for its Node. */
	const command = (...more) => [node, ...options, ...more, join(root, 'bin/agentgateway.mjs')];
	return {
		folder,
		node,
		rounds: Number(process.env.BENCH_ROUNDS ?? 40),
		milliseconds: Number(process.env.BENCH_TURN ?? 100),
		only: new RegExp(process.env.BENCH_ONLY ?? ''),
		gateway: starts(command()),
		gatewayWith: (...more) => starts(command(...more)),
		peer: process.env.BENCH_PEER === undefined ? null : starts([process.env.BENCH_PEER]),
	};
}

function versionOf(node) {
	return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

function need(program, remedy) {
	if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) stop(`${program} was not found; ${remedy}`);
}

function stop(message) {
	process.stderr.write(`error: ${message}\n`);
	process.exit(1);
}
