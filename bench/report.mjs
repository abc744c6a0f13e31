// The result of a benchmark run: JSON on stdout, a table in docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from './started.mjs';

/** Prints JSON, and a table to stderr; with `write` the table goes into docs/benchmarks.md, too. */
export async function report(cases, { seconds, rounds, connections, rest, write }) {
	const rows = cases.map((one) => ({
		name: one.name,
		cpuMicroseconds: round(middle(one.runs, 'microseconds'), 1),
		busy: round(middle(one.runs, 'busy'), 2),
		requestsPerSecond: Math.round(middle(one.runs, 'rate')),
		p50Milliseconds: round(middle(one.runs, 'p50'), 2),
		p99Milliseconds: round(middle(one.runs, 'p99'), 2),
		memoryMegabytes: round(one.memory / 1e6, 0),
	}));
	const base = rows.find((row) => row.name.startsWith('nginx'))?.cpuMicroseconds ?? null;
	for (const row of rows) row.timesNginx = base === null ? null : round(row.cpuMicroseconds / base, 2);
	const facts = {
		date: new Date().toISOString().slice(0, 10),
		commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes'),
		node: process.version,
		processor: cpus()[0]?.model ?? 'unknown',
		connections,
		seconds,
		rounds,
		startUpMilliseconds: Math.round(rest.milliseconds),
		memoryAtRestMegabytes: round(rest.memory / 1e6, 0),
	};
	process.stdout.write(`${JSON.stringify({ ...facts, cases: rows }, null, '\t')}\n`);
	const text = table(rows, facts);
	process.stderr.write(`\n${text}`);
	if (write) replaceTable(text);
}

function table(rows, facts) {
	const lines = rows.map(
		(row) =>
			`| ${row.name} | ${row.cpuMicroseconds} | ${row.timesNginx ?? '–'} | ${Math.round(row.busy * 100)} % | ${row.requestsPerSecond} | ${row.p50Milliseconds} | ${row.p99Milliseconds} | ${row.memoryMegabytes} |`,
	);
	return `Measured ${facts.date} at ${facts.commit}, Node ${facts.node}, ${facts.processor}; ${facts.rounds} rounds of ${facts.seconds} s, ${facts.connections} connections, medians.
Start-up until it listens: ${facts.startUpMilliseconds} ms. Memory at rest: ${facts.memoryAtRestMegabytes} MB.

| | CPU µs a call | × nginx | core busy | calls/s | p50 ms | p99 ms | memory MB |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}

function replaceTable(text) {
	const file = join(root, 'docs/benchmarks.md');
	const [begin, end] = ['<!-- table -->\n', '<!-- end of table -->\n'];
	const old = readFileSync(file, 'utf8');
	const [from, to] = [old.indexOf(begin), old.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for the table: ${begin.trim()}`);
	writeFileSync(file, old.slice(0, from + begin.length) + text + old.slice(to));
}

function middle(runs, key) {
	const values = runs.map((run) => run[key]).sort((a, b) => a - b);
	return values[Math.floor(values.length / 2)] ?? 0;
}

function round(value, digits) {
	return Number(value.toFixed(digits));
}

function git(...args) {
	try {
		return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
	} catch {
		return 'unknown';
	}
}
