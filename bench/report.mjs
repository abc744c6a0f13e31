// The result of a benchmark run: JSON on stdout, a table in docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from './started.mjs';

/** Less busy than this, the core was not what held the calls up, and the figure says little. */
const leastBusy = 0.95;
/** Most that p99 of the half-loaded gateway may be, times nginx's. */
const p99Target = 2;

/** Prints JSON, and the tables to stderr; with `write` they go into docs/benchmarks.md, too. */
export async function report(tables, { seconds, rounds, connections, write }) {
	const facts = {
		date: new Date().toISOString().slice(0, 10),
		commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes'),
		processor: cpus()[0]?.model ?? 'unknown',
		connections,
		seconds,
		rounds,
	};
	const results = tables.map(({ node, cases, half, rest }) => ({
		node,
		startUpMilliseconds: Math.round(rest.milliseconds),
		memoryAtRestMegabytes: round(rest.memory / 1e6, 0),
		cases: rowsOf(cases),
		halfLoaded: half,
	}));
	process.stdout.write(`${JSON.stringify({ ...facts, results }, null, '\t')}\n`);
	const head = `Measured ${facts.date} at ${facts.commit}, ${facts.processor}; ${rounds} rounds of ${seconds} s, ${connections} connections, medians.\n`;
	const text = `${head}\n${results.map(section).join('\n')}`;
	process.stderr.write(`\n${text}`);
	if (write) replaceTable(text);
}

function rowsOf(cases) {
	const rows = cases.map((one) => ({
		name: one.name,
		cpuMicroseconds: round(middle(one.runs, 'microseconds'), 1),
		busy: round(middle(one.runs, 'busy'), 2),
		requestsPerSecond: Math.round(middle(one.runs, 'rate')),
		p50Milliseconds: round(middle(one.runs, 'p50'), 2),
		p99Milliseconds: round(middle(one.runs, 'p99'), 2),
		memoryMegabytes: round(one.memory / 1e6, 0),
		target: one.target,
	}));
	const base = rows.find((row) => row.name.startsWith('nginx'))?.cpuMicroseconds ?? null;
	for (const row of rows) row.timesNginx = base === null ? null : round(row.cpuMicroseconds / base, 2);
	return rows;
}

function section({ node, startUpMilliseconds, memoryAtRestMegabytes, cases, halfLoaded }) {
	const lines = cases.map(
		(row) =>
			`| ${row.name} | ${row.cpuMicroseconds} | ${row.timesNginx ?? '–'} | ${verdict(row)} | ${Math.round(row.busy * 100)} % | ${row.requestsPerSecond} | ${row.p50Milliseconds} | ${row.p99Milliseconds} | ${row.memoryMegabytes} |`,
	);
	return `### Node ${node}

Start-up until it listens: ${startUpMilliseconds} ms. Memory at rest: ${memoryAtRestMegabytes} MB.

| | CPU µs a call | × nginx | target | core busy | calls/s | p50 ms | p99 ms | memory MB |
|---|---|---|---|---|---|---|---|---|
${lines.join('\n')}
${halfLoaded.length === 0 ? '' : `\n${latencies(halfLoaded)}`}`;
}

/** What a row was to keep, and whether it did. */
function verdict({ target, timesNginx, busy }) {
	if (target === null) return '–';
	const kept = timesNginx === null || timesNginx <= target ? '' : ', **missed**';
	return `≤ ${target}${kept}${busy < leastBusy ? ', core not busy' : ''}`;
}

function latencies(rows) {
	const base = rows.find(({ name }) => name.startsWith('nginx'));
	const lines = rows.map(({ name, busy, p50, p99 }) => {
		const times = base === undefined ? null : p99 / base.p99;
		const target =
			rows.length === 0 || name === base?.name ? '–' : `≤ ${p99Target}${times > p99Target ? ', **missed**' : ''}`;
		return `| ${name} | ${Math.round(busy * 100)} % | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${times?.toFixed(2) ?? '–'} | ${target} |`;
	});
	return `At ${rows[0].rate} calls/s, sent when they are due, so that what waits counts:

| | core busy | p50 ms | p99 ms | × nginx | target |
|---|---|---|---|---|---|
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
