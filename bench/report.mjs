// The result of a benchmark run: JSON on stdout, tables on stderr and in docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from './started.mjs';

/** Less busy than this, the core was not what held the calls up, and the figure says little. */
const leastBusy = 0.95;

/**
 * Prints what was measured for each Node. With `write` each section takes the place of its former table in
 * docs/benchmarks.md; the others stay, and each says when and at which commit it was measured.
 */
export function report(tables, { write }) {
	const facts = {
		date: new Date().toISOString().slice(0, 10),
		commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes'),
		processor: cpus()[0]?.model ?? 'unknown',
	};
	process.stdout.write(`${JSON.stringify({ ...facts, tables }, null, '\t')}\n`);
	const [{ sections }] = tables;
	for (const [at, { name, title }] of sections.entries()) {
		const texts = tables.map(({ node, sections: all }) => `${node}:\n\n${table(all[at])}`);
		const run = `Measured ${facts.date} at ${facts.commit}, ${facts.processor}.`;
		const text = `### ${title}\n\n${run}\n\nNode ${texts.join('\nNode ')}\n`;
		process.stderr.write(`\n${text}`);
		if (write) replace(name, text);
	}
}

function table({ figures, rows }) {
	const keys = Object.keys(figures);
	const heads = ['', ...Object.values(figures), 'target'];
	const lines = rows.map((row) => [row.name, ...keys.map((key) => cell(key, row[key])), verdict(row, figures)]);
	return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function cell(key, value) {
	if (value === null || value === undefined) return '–';
	if (key === 'busy') return `${Math.round(value * 100)} %`;
	return key === 'times' ? value.toFixed(2) : value;
}

/** What a row was to keep, and whether it did. */
function verdict({ target, busy, ...row }, figures) {
	if (target === null || target === undefined) return '–';
	const kept = row[target.figure] <= target.most ? '' : ', **missed**';
	const unsure = 'cpuMicroseconds' in figures && busy < leastBusy ? ', core not busy' : '';
	return `≤ ${target.most}${kept}${unsure}`;
}

function replace(name, text) {
	const file = join(root, 'docs/benchmarks.md');
	const [begin, end] = [`<!-- bench ${name} -->\n`, `<!-- end of bench ${name} -->\n`];
	const old = readFileSync(file, 'utf8');
	const [from, to] = [old.indexOf(begin), old.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}: ${begin.trim()}`);
	writeFileSync(file, old.slice(0, from + begin.length) + text + old.slice(to));
}

function git(...args) {
	try {
		return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
	} catch {
		return 'unknown';
	}
}
