// Where things are, and that they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const tools = dirname(dirname(fileURLToPath(import.meta.url)));
export const root = dirname(tools);
export const gateway = join(root, 'bin/agentgateway.mjs');
export const fixture = join(root, 'test/fixtures/conformance/server.mjs');
export const everything = join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
export const loopback = join(tools, 'loopback.mjs');
/** The suite uses what Node 20 does not have. */
export const newerNode = join(tools, 'node_modules/.bin/node');
export const suite = join(tools, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Installs the tools when they are missing or older than their lock file. */
export function installTools() {
	const marker = join(tools, 'node_modules/.package-lock.json');
	const lock = join(tools, 'package-lock.json');
	if (existsSync(marker) && existsSync(newerNode) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
	const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
	const done = spawnSync(
		npm,
		[
			'ci',
			// Run by npm, this inherits the strictness of the product, whose Node is older than the tools'.
			'--no-engine-strict',
			...['--no-audit', '--no-fund', '--loglevel=error'],
		],
		{ cwd: tools, stdio: 'inherit' },
	);
	if (done.status !== 0) throw new Error('The tools cannot be installed');
}
