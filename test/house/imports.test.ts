import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { filesBelow, forbiddenEdges, forbiddenMcpEdges, importGraph, importsOf, rings } from './imports.ts';

const graph = importGraph(join(root, 'src'));

describe('imports', () => {
	test('are found', () => {
		expect(graph.size).toBeGreaterThan(100);
		expect(graph.get('runtime/core.ts')).toContain('admin/admin.ts');
		const text = `import type { A } from '../a.ts';\nimport {\n\tb,\n} from './b.ts';\nexport * from './c.ts';\nconst d = await import('./d.ts');\n`;
		expect(importsOf('x/y.ts', text)).toEqual(['a.ts', 'x/b.ts', 'x/c.ts', 'x/d.ts']);
	});

	test('point down only', () => {
		expect(forbiddenEdges(graph)).toEqual([]);
	});

	test('an upward one, one to a neighbour and one into the configuration would be told', () => {
		const bad = new Map([
			['http/a.ts', ['mcp/b.ts']],
			['facts/a.ts', ['processes/b.ts']],
			['mcp/a.ts', ['config/load.ts', 'config/ir.ts', 'lib/c.ts']],
			['strange/a.ts', ['lib/c.ts']],
		]);
		expect(forbiddenEdges(bad)).toEqual([
			'http/a.ts → mcp/b.ts',
			'facts/a.ts → processes/b.ts',
			'mcp/a.ts → config/load.ts',
			'strange/a.ts → lib/c.ts',
		]);
	});

	test('form no ring', () => {
		expect(rings(graph)).toEqual([]);
		expect(
			rings(
				new Map([
					['a', ['b']],
					['b', ['c']],
					['c', ['a']],
				]),
			),
		).toEqual(['a → b → c → a']);
	});

	test('between the folders of src/mcp point down, too', () => {
		expect(forbiddenMcpEdges(graph)).toEqual([]);
		const bad = new Map([
			['mcp/lists/a.ts', ['mcp/connections/b.ts', 'mcp/legs/c.ts', 'mcp/model.ts']],
			['mcp/asks/a.ts', ['mcp/params/b.ts']],
			['mcp/strange/a.ts', ['mcp/asks/b.ts']],
			['mcp/endpoint.ts', ['mcp/wire/b.ts']],
		]);
		expect(forbiddenMcpEdges(bad)).toEqual([
			'mcp/lists/a.ts → mcp/connections/b.ts',
			'mcp/asks/a.ts → mcp/params/b.ts',
			'mcp/strange/a.ts → mcp/asks/b.ts',
		]);
	});

	test('of what knows no era do not reach the codecs', () => {
		const knowing = /^mcp\/(wire|upstream|endpoint\.ts)/;
		const blind = [...graph].filter(([path]) => path.startsWith('mcp/') && !knowing.test(path));
		expect(blind.length).toBeGreaterThan(50);
		const codecs = /^mcp\/(wire\/|upstream\/(modern|legacy)\.ts)/;
		expect(
			blind.flatMap(([path, to]) => to.filter((one) => codecs.test(one)).map((one) => `${path} → ${one}`)),
		).toEqual([]);
	});

	test('of the UI take nothing of the gateway but the types of its API', () => {
		const ui = join(root, 'ui/src');
		const foreign = filesBelow(ui, '.ts', '.tsx').flatMap((path) =>
			importsOf(`ui/src/${path}`, readFileSync(join(ui, path), 'utf8')).filter((to) => !to.startsWith('ui/')),
		);
		expect(foreign.length).toBeGreaterThan(0);
		expect([...new Set(foreign)]).toEqual(['src/admin/state.ts']);
	});
});
