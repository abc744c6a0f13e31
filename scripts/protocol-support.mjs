// Runs the matrix of test/matrix and writes docs/protocol-support.md from what has passed; fails when a cell has not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-matrix-'));
const vitest = (file) => {
	const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', `test/matrix/${file}`, '--reporter=dot'];
	return spawnSync(process.execPath, args, {
		cwd: root,
		stdio: 'inherit',
		env: { ...process.env, MATRIX_OUT: folder },
	});
};
vitest('matrix.test.ts');
process.exitCode = vitest('table.test.ts').status ?? 1;
rmSync(folder, { recursive: true, force: true });
