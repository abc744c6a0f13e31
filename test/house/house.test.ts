import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { filesBelow, layers } from './imports.ts';

const src = join(root, 'src');
const sources = filesBelow(src, '.ts').filter((path) => !path.endsWith('.test.ts'));
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const codeOf = (path: string) => withoutComments(readFileSync(join(src, path), 'utf8'));

describe('files', () => {
	test('hold at most 400 lines, half of them at most 150', () => {
		const lengths = sources.map((path) => [text(`src/${path}`).split('\n').length - 1, path] as const);
		expect(lengths.filter(([length]) => length > 400)).toEqual([]);
		const sorted = lengths.map(([length]) => length).sort((a, b) => a - b);
		expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(150);
	});

	test('are named after a noun of the field', () => {
		expect(sources.filter((path) => isVague(path))).toEqual([]);
		expect(
			['lib/utils.ts', 'mcp/session-manager.ts', 'http/helpers/x.ts', 'mcp/index.ts'].filter(isVague),
		).toHaveLength(4);
	});

	test('are no barrels: `index.ts` alone hands on what others define', () => {
		const barrels = sources.filter((path) => path !== 'index.ts' && isBarrel(codeOf(path)));
		expect(barrels).toEqual([]);
		expect(isBarrel("export { a } from './a.ts';\nexport * from './b.ts';\n")).toBe(true);
		expect(isBarrel("export { a } from './a.ts';\nexport const b = 1;\n")).toBe(false);
	});

	test('say versions of MCP only where eras are known', () => {
		const era = /20(24|25|26)-\d\d-\d\d/;
		const outside = sources.filter((path) => era.test(codeOf(path)) && !/^mcp\/(wire|upstream)\//.test(path));
		// The Playground is a client of its own; it says which version it speaks.
		expect(outside).toEqual(['admin/playground-client.ts']);
	});

	test('decode JSON in one go only where it is small', () => {
		const decoding = sources.filter((path) => /\bJSON\.parse\(/.test(codeOf(path)));
		// Whoever comes to this list says here what keeps the text under 256 KiB; `scanJson` needs no bound.
		expect(decoding).toEqual([
			'admin/config-writing.ts', // bodies of at most 256 KiB
			'config/edit.ts', // the operator's own file
			'lib/decode-escapes.ts', // parts of 64 KiB
			'mcp/asks/parked.ts', // results of at most 256 KiB; capabilities, see wire/callers.ts
			'mcp/canonical.ts', // capabilities
			'mcp/lists/list-cursor.ts', // cursors of its own length at most
			'mcp/upstream/legacy.ts', // capabilities
			'mcp/upstream/listen.ts', // maximumParsedBytes
			'mcp/upstream/message.ts', // maximumParsedBytes
			'mcp/upstream/modern.ts', // capabilities
			'mcp/wire/legacy-stateless.ts', // capabilities of servers, decoded before within maximumParsedBytes
			'mcp/wire/modern-listen.ts', // the same
		]);
	});

	test('hold no state of their own', () => {
		expect(sources.filter((path) => /^(export )?let /m.test(codeOf(path)))).toEqual([]);
	});
});

describe('documents', () => {
	const documents = [
		'README.md',
		'CONTRIBUTING.md',
		...filesBelow(join(root, 'docs'), '.md').map((path) => `docs/${path}`),
	];

	test.each(documents)('%s links to what exists', (document) => {
		expect(brokenLinks(document, text(document))).toEqual([]);
	});

	test('operations.md names every metric, and none that is not there', () => {
		const sources = filesBelow(join(src, 'telemetry'), '.ts').filter((path) => !path.endsWith('.test.ts'));
		const made = sources.flatMap((path) => namesIn(readFileSync(join(src, 'telemetry', path), 'utf8'), /'(NAME)'/));
		expect(made.length).toBeGreaterThan(20);
		expect(namesIn(text('docs/operations.md'), /`(NAME)/)).toEqual([...new Set(made)].sort());
	});

	test('a broken link would be told', () => {
		expect(brokenLinks('README.md', '[a](docs/nowhere.md) [b](https://example.com) [c](#part)')).toEqual([
			'docs/nowhere.md',
		]);
	});

	test.each(['docs/lifecycle.md', 'docs/architecture.md'])('%s names files and folders that exist', (document) => {
		const named = [
			...text(document).matchAll(
				/`((?:src|ui|test|schema|docs|bin|bench|scripts|examples)\/[\w/.-]*|[\w-]+\/[\w/-]+\.ts)`/g,
			),
		].map(([, path = '']) => path);
		expect(named.length).toBeGreaterThan(7);
		expect(named.filter((path) => !existsSync(join(root, path)) && !existsSync(join(src, path)))).toEqual([]);
	});

	test('docs/architecture.md has a line for each folder, and the layers as they are', () => {
		const architecture = text('docs/architecture.md');
		const tests = readdirSync(join(root, 'test')).map((name) => `test/${name}`);
		const folders = ['ui', 'bin', 'bench', 'tools', 'scripts', 'examples', 'schema', ...tests];
		expect(folders.filter((folder) => !architecture.includes(`| \`${folder}/\` |`))).toEqual([]);
		const drawn = layers.map((floor) =>
			floor.length > 1 && floor[0] !== 'cli' ? `{${floor.join(', ')}}` : floor.join(', '),
		);
		expect(architecture).toContain(`\`${drawn.join(' → ')}\``);
	});
});

describe('the package', () => {
	test('pins every dependency', () => {
		for (const file of ['package.json', 'ui/package.json']) {
			const { dependencies = {}, devDependencies = {} } = JSON.parse(text(file)) as Record<
				string,
				Record<string, string>
			>;
			const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
				([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
			);
			expect(loose, file).toEqual([]);
		}
	});

	test('names no download address in its lock file', () => {
		const { packages } = JSON.parse(text('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
		const addresses = Object.values(packages).filter(({ resolved }) => resolved?.includes('://') === true);
		expect(addresses).toEqual([]);
		expect(text('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
	});

	test('mentions no folder of a machine', () => {
		const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
		const personal = new RegExp(['(?<![\\w.])/home/(?!user)[a-z]', '/Users/[a-z]', `/w${'ork'}/`].join('|'));
		const texts = tracked.filter((path) => !/\.(png|svg)$|package-lock/.test(path) && existsSync(join(root, path)));
		expect(texts.filter((path) => personal.test(text(path)))).toEqual([]);
	});
});

function isVague(path: string): boolean {
	return /(^|\/|-)(utils?|helpers?|manager|service|common|misc|index)(\.ts|\/)/.test(path) && path !== 'index.ts';
}

function isBarrel(code: string): boolean {
	const lines = code.split('\n').filter((line) => line.trim() !== '');
	return lines.length > 0 && lines.every((line) => /^(import|export) .*from '.*';$/.test(line));
}

function withoutComments(code: string): string {
	return code.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function brokenLinks(document: string, markdown: string): string[] {
	return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
		.map(([, target = '']) => target.replace(/#.*$/, ''))
		.filter((target) => target !== '' && !/^[a-z]+:/.test(target))
		.filter((target) => !existsSync(join(root, dirname(document), target)));
}

/** Names of metrics, sorted, each once; NAME stands for one in `where`. */
function namesIn(where: string, { source }: RegExp): string[] {
	const pattern = new RegExp(source.replace('NAME', '(?:agentgateway|process)_[a-z_]+'), 'g');
	return [...new Set([...where.matchAll(pattern)].map(([, name = '']) => name))].sort();
}
