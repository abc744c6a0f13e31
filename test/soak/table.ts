import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../support/gateway.ts';
import type { Row } from './soak.ts';

const [begin, end] = ['<!-- soak -->\n', '<!-- end of soak -->\n'];
const head = '| | target | measured | met | run |\n|---|---|---|---|---|\n';

/**
 * Puts rows into the table of docs/benchmarks.md. Rows of the soaks that have run take the place of their former ones,
 * all others stay; each says when, at which commit and on what it was measured.
 */
export function writeTable(results: ReadonlyMap<string, readonly Row[]>, order: readonly string[]): void {
	const file = join(root, 'docs/benchmarks.md');
	const text = readFileSync(file, 'utf8');
	const [from, to] = [text.indexOf(begin), text.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for the table: ${begin.trim()}`);
	const old = text
		.slice(from + begin.length, to)
		.split('\n')
		.filter((line) => line.includes('<!-- of '));
	const mine = (name: string) => {
		const rows = results.get(name);
		return rows === undefined
			? old.filter((line) => line.includes(`<!-- of ${name} -->`))
			: rows.map((row) => line(name, row));
	};
	const lines = order.flatMap(mine).map((one) => `${one}\n`);
	writeFileSync(file, `${text.slice(0, from + begin.length)}${head}${lines.join('')}${text.slice(to)}`);
}

function line(name: string, { what, target, measured, met }: Row): string {
	const cells = [what, target, measured, met ? 'yes' : '**no**'].map((cell) => cell.replaceAll('|', '\\|'));
	return `| ${cells.join(' | ')} | ${facts()} <!-- of ${name} --> |`;
}

/** Date, commit, Node and machine of a run. */
export function facts(): string {
	const date = new Date().toISOString().slice(0, 10);
	const commit = git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes');
	return `${date} at ${commit}, Node ${process.version}, ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`;
}

function git(...args: string[]): string {
	try {
		return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
	} catch {
		return 'unknown';
	}
}
