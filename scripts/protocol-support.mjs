// Runs the matrix of test/matrix and writes docs/protocol-support.md from what has passed; fails when a cell has not.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { prepare, root } from './prepare.mjs';

prepare();
// Inside the project, so that what is bundled there finds its packages.
mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, 'node_modules', '.cache', 'matrix-'));
try {
	const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/matrix/matrix.test.ts', '--reporter=dot'];
	spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, MATRIX_OUT: folder } });
	const outfile = join(folder, 'table.mjs');
	await build({
		entryPoints: [join(root, 'test/matrix/write-table.ts')],
		bundle: true,
		packages: 'external',
		platform: 'node',
		format: 'esm',
		logLevel: 'warning',
		outfile,
	});
	const { tableOfRun } = await import(pathToFileURL(outfile).href);
	const { text, failed } = tableOfRun(folder);
	writeFileSync(join(root, 'docs/protocol-support.md'), text);
	for (const cell of failed) process.stderr.write(`failed: ${cell}\n`);
	process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
