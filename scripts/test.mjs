// `npm test`: sets up what is missing, then runs every check. `-- --fast` leaves out lint, browser and the official suite.
// The last line counts: "N passed, N failed".
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const fast = process.argv.includes('--fast');
const work = mkdtempSync(join(tmpdir(), 'agentgateway-test-'));
const totals = { passed: 0, failed: 0, skipped: 0 };

const bin = (name) => join(root, 'node_modules/.bin', name);
const checks = {
	types: ['tsc', '--noEmit', '-p', 'tsconfig.json'],
	'types of the UI': ['tsc', '--noEmit', '-p', 'ui/tsconfig.json'],
	'types of the browser tests': ['tsc', '--noEmit', '-p', 'test/browser/tsconfig.json'],
	lint: ['oxlint', '--deny-warnings'],
	format: ['biome', 'format', '.'],
	'dead code': ['knip', '--no-progress'],
	'generated files': [process.execPath, 'scripts/docs.mjs', '--check'],
};

for (const [name, [command = '', ...args]] of Object.entries(checks)) {
	if (fast && !name.startsWith('types')) continue;
	const { code, output } = await run(command === process.execPath ? command : bin(command), args);
	if (code === 0) totals.passed++;
	else totals.failed++;
	process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}\n${code === 0 ? '' : output}`);
}
await tests();
if (!fast) await conformance();
rmSync(work, { recursive: true, force: true });
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exitCode = totals.failed > 0 ? 1 : 0;

async function tests() {
	const report = join(work, 'vitest.json');
	const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
	if (fast) args.push('--exclude', 'test/browser/**');
	const vitest = join(root, 'node_modules/vitest/vitest.mjs');
	const { code } = await run(process.execPath, [vitest, ...args], true);
	if (!existsSync(report)) {
		totals.failed++;
		return;
	}
	const result = JSON.parse(readFileSync(report, 'utf8'));
	totals.passed += result.numPassedTests;
	totals.failed += result.numFailedTests;
	totals.skipped += result.numPendingTests;
	// A file that does not load, or an unhandled rejection, fails the run without a failed test.
	if (code !== 0 && result.numFailedTests === 0) totals.failed++;
}

/** The part of the official suite that takes half a minute; `npm run conformance` is the whole. */
async function conformance() {
	const { output } = await run(process.execPath, ['scripts/conformance.mjs', '--short']);
	const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
	process.stdout.write(output);
	totals.passed += Number(passed ?? 0);
	totals.failed += passed === undefined ? 1 : Number(failed);
}

function run(command, args, show = false) {
	return new Promise((resolve) => {
		const child = spawn(command, args, {
			cwd: root,
			stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
		});
		let output = '';
		child.stdout?.on('data', (chunk) => (output += chunk));
		child.stderr?.on('data', (chunk) => (output += chunk));
		child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }));
		child.on('close', (code) => resolve({ code, output }));
	});
}
