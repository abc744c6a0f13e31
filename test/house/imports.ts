import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Paths below a folder, relative to it, with `/`, that end in one of the suffixes. */
export function filesBelow(folder: string, ...suffixes: string[]): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && suffixes.some((suffix) => entry.name.endsWith(suffix)))
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
		.filter((path) => !path.includes('node_modules/'))
		.sort();
}

/** File → files of the same tree that it imports, types included. */
export function importGraph(folder: string): Map<string, string[]> {
	const files = filesBelow(folder, '.ts').filter((path) => !path.endsWith('.test.ts'));
	return new Map(files.map((path) => [path, importsOf(path, readFileSync(join(folder, path), 'utf8'))]));
}

/** What a file imports by a relative path, as paths from the root of its tree. */
export function importsOf(path: string, text: string): string[] {
	const found = text.matchAll(
		/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'|(?:^|\n)import\s*'(\.[^']+)'/g,
	);
	return [...found].map(([, from, lazy, bare]) =>
		join(dirname(path), from ?? lazy ?? bare ?? '').replaceAll('\\', '/'),
	);
}

/**
 * The layers, highest first; layers in one list do not see each other. `config/ir` is the plain data of the
 * configuration, which all below `config` may read.
 */
export const layers: readonly (readonly string[])[] = [
	['cli', 'commands', 'index'],
	['runtime'],
	['admin'],
	['mcp'],
	['policies'],
	['http'],
	['telemetry'],
	['facts', 'processes', 'config/ir'],
	['lib'],
];

/** The layer of a file: `mcp/wire/legacy.ts` → `mcp`. `config` but its `ir` and `version` stand beside the layers. */
export function layerOf(path: string): string {
	if (path === 'config/ir.ts') return 'config/ir';
	return (path.split('/')[0] ?? '').replace(/\.ts$/, '');
}

/** Edges that go up, or to a neighbour, in words. */
export function forbiddenEdges(graph: ReadonlyMap<string, readonly string[]>): string[] {
	const faults: string[] = [];
	for (const [from, imports] of graph)
		for (const to of imports) if (!mayImport(from, to)) faults.push(`${from} → ${to}`);
	return faults;
}

/** The readers of `config/`, beside itself. */
const configReaders = ['cli', 'commands', 'index', 'runtime', 'admin'];

function mayImport(from: string, to: string): boolean {
	const [upper, lower] = [layerOf(from), layerOf(to)];
	if (upper === lower || lower === 'version') return true;
	if (lower === 'config') return configReaders.includes(upper);
	if (upper === 'config') return lower === 'config/ir' || lower === 'lib';
	if (upper === 'config/ir') return lower === 'lib';
	const [high, low] = [upper, lower].map((name) => layers.findIndex((layer) => layer.includes(name)));
	if (high === undefined || low === undefined || high < 0 || low < 0) return false;
	// The command line and its commands are one storey.
	return high < low || (high === 0 && low === 0);
}

/**
 * The folders of `src/mcp`, highest first; folders in one list do not see each other. The files beside them are the model,
 * which all may read, and what puts everything together.
 */
export const mcpFolders: readonly (readonly string[])[] = [
	['wire', 'upstream'],
	['sessions'],
	['connections'],
	['lists'],
	['legs'],
	['health'],
	['asks', 'params'],
];

/** Edges between the folders of `src/mcp` that go up, or to a neighbour, or to or from a folder that has no place. */
export function forbiddenMcpEdges(graph: ReadonlyMap<string, readonly string[]>): string[] {
	const folderOf = (path: string) => /^mcp\/([^/]+)\//.exec(path)?.[1] ?? null;
	const floorOf = (folder: string) => mcpFolders.findIndex((floor) => floor.includes(folder));
	const faults: string[] = [];
	for (const [from, imports] of graph) {
		const upper = folderOf(from);
		for (const to of imports) {
			const lower = folderOf(to);
			if (upper === null || lower === null || upper === lower) continue;
			const [high, low] = [floorOf(upper), floorOf(lower)];
			if (high < 0 || low < 0 || high >= low) faults.push(`${from} → ${to}`);
		}
	}
	return faults;
}

/** Files that lead back to themselves, as `a → b → a`. */
export function rings(graph: ReadonlyMap<string, readonly string[]>): string[] {
	const found: string[] = [];
	const done = new Set<string>();
	const visit = (file: string, path: readonly string[]) => {
		const at = path.indexOf(file);
		if (at >= 0) return void found.push([...path.slice(at), file].join(' → '));
		if (done.has(file)) return;
		for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
		done.add(file);
	};
	for (const file of graph.keys()) visit(file, []);
	return found;
}
