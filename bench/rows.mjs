// Rows of the issue beside the small calls over HTTP: several things measured in turns, so that what else the machine
// does hits all of them. Each figure is a median over the rounds; a ratio is the median of the rounds' ratios.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareWith } from './client.mjs';
import { processorTime, residentMemory } from './processor.mjs';
import { endAll, root, startGateway } from './started.mjs';
import { load } from './wrk.mjs';

export const seconds = Number(process.env.BENCH_SECONDS ?? 3);
export const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
/** The command of the gateway that is measured. */
export const own = [
	process.env.BENCH_NODE ?? process.execPath,
	...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
	process.env.BENCH_GATEWAY ?? join(root, 'bin/agentgateway.mjs'),
];

/** A folder that goes with the process, as does whatever was started. */
export function scratch() {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-bench-'));
	process.on('exit', () => {
		endAll();
		rmSync(folder, { recursive: true, force: true });
	});
	return folder;
}

/** What `add` takes of a bench: its folder, which rows are wanted, and what each case calls. */
export function casesOf(folder, only, method) {
	const cases = [];
	return {
		cases,
		/** A row; the first, to which the others are compared, is always there. */
		async add(name, server, era, tool = null) {
			if (cases.length > 0 && !only.test(name)) return;
			const url = `http://127.0.0.1:${server.port}/mcp`;
			cases.push({ name, url, pid: server.pid, call: await prepareWith(url, era, method, tool) });
		},
		/** A gateway before HTTP targets `t0`, `t1` … on these ports. */
		gateway(name, ...ports) {
			const targets = ports.map((port, i) => `{ name: t${i}, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`);
			return startGateway(folder, name, targets, own);
		},
	};
}

/**
 * Measures cases (`name`, `url`, `pid`, `call`) in turns, and gives for each the medians and its ratio to the first.
 * A round of the first case stands before each of the others.
 */
export async function inTurns(folder, cases, connections) {
	for (const one of cases) {
		one.runs = [];
		await measure(folder, one, connections, Math.min(2, seconds));
	}
	for (let round = 0; round < rounds; round++) {
		for (const one of cases) one.runs.push(await measure(folder, one, connections, seconds));
	}
	const [base] = cases;
	return cases.map((one) => ({
		name: one.name,
		cpuMicroseconds: rounded(median(one.runs.map((run) => run.microseconds)), 1),
		timesFirst: rounded(median(one.runs.map((run, i) => run.microseconds / base.runs[i].microseconds)), 2),
		perSecond: Math.round(median(one.runs.map((run) => run.rate))),
		rateOfFirst: rounded(median(one.runs.map((run, i) => run.rate / base.runs[i].rate)), 2),
		busy: rounded(median(one.runs.map((run) => run.busy)), 2),
		p50Milliseconds: rounded(median(one.runs.map((run) => run.p50)), 2),
		p99Milliseconds: rounded(median(one.runs.map((run) => run.p99)), 2),
		memoryMegabytes: Math.round(residentMemory(one.pid) / 1e6),
	}));
}

async function measure(folder, one, connections, forSeconds) {
	const before = processorTime(one.pid);
	const began = performance.now();
	const script = join(folder, 'call.lua');
	const result = await load({ script, url: one.url, ...one.call, connections, seconds: forSeconds });
	const used = processorTime(one.pid) - before;
	const wall = (performance.now() - began) * 1000;
	if (result.errors > 0) throw new Error(`${one.name}: ${result.errors} of ${result.requests} requests failed`);
	return { ...result, microseconds: used / result.requests, busy: used / wall };
}

export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function rounded(value, digits) {
	return Number(value.toFixed(digits));
}

/** Prints rows as JSON on stdout and as a table on stderr. */
export function print(title, rows) {
	process.stdout.write(`${JSON.stringify({ title, node: process.version, rounds, seconds, rows }, null, '\t')}\n`);
	process.stderr.write(`\n${title}\n`);
	for (const { name, ...rest } of rows) {
		const figures = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
		process.stderr.write(`${name.padEnd(56)} ${figures.join('  ')}\n`);
	}
}
