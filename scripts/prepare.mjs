// Brings node_modules and dist up to date. Run before anything is installed, so it imports nothing but Node.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Installs when node_modules is missing or older than the lock file, builds what is older than its sources. */
export function prepare() {
	process.chdir(root);
	const marker = join(root, 'node_modules/.package-lock.json');
	if (!existsSync(marker) || statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
		run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
	}
	run(process.execPath, [join(root, 'scripts/build.mjs')]);
}

function run(command, args) {
	const done = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
	if (done.status !== 0) process.exit(done.status ?? 1);
}
