// The official suite as a process, and what it found.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.mjs';
import { loopback, newerNode, root, suite } from './paths.mjs';

const longest = 240_000;

async function runSuite(args) {
	const child = new Child(newerNode, ['--import', loopback, suite, ...args], { cwd: root });
	await child.exit(longest);
	return child.text;
}

/** Every scenario that a revision requires, against a server. */
export async function checkServer(url, revision, folder) {
	const output = await runSuite(['server', '--url', url, '--requirements', revision, '-o', folder]);
	const results = readResults(folder, /^server-(.+)-\d{4}-\d\d-\d\dT.*$/);
	// What could not be run at all leaves no result, only a line.
	for (const [, scenario] of output.matchAll(/^✗ (\S+): 0 passed, 1 failed$/gm)) {
		if (!results.some((result) => result.scenario === scenario)) results.push(broken(scenario, 'no result'));
	}
	if (results.length === 0) throw new Error(`The suite found nothing:\n${output.slice(-2000)}`);
	return results;
}

/** Scenarios for clients that need no sign-in: [{ name, versions }]. */
export async function listClientScenarios() {
	const output = await runSuite(['list', '--client']);
	const lines = [...output.matchAll(/^ +- ([\w-]+) \[([^\]]+)\]$/gm)];
	return lines.map(([, name, versions]) => ({ name, versions: versions.split(',') }));
}

/** One scenario, whose server `command` is given the address of. */
export async function checkClient(command, scenario, revision, folder) {
	const where = ['-o', folder, '--timeout', '60000'];
	const output = await runSuite([
		...['client', '--command', command, '--scenario', scenario, '--spec-version', revision],
		...where,
	]);
	const results = readResults(folder, /^(.+)-\d{4}-\d\d-\d\dT.*$/).filter((result) => result.scenario === scenario);
	if (results.length === 0) return [broken(scenario, output.slice(-2000))];
	const exit = /Client exited with code (\d+)|Client timed out/.exec(output);
	// Some scenarios want the client to give up.
	if (exit !== null && /OVERALL: FAILED/.test(output)) results.push(broken(scenario, exit[0], 'client-exit'));
	return results;
}

function broken(scenario, message, id = 'scenario-runs') {
	return { scenario, id, name: id, status: 'FAILURE', message };
}

function readResults(folder, pattern) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder).flatMap((entry) => {
		const scenario = pattern.exec(entry)?.[1];
		const file = join(folder, entry, 'checks.json');
		if (scenario === undefined || !existsSync(file)) return [];
		const checks = JSON.parse(readFileSync(file, 'utf8'));
		return checks.map(({ id, name, status, errorMessage: message = '' }) => ({ scenario, id, name, status, message }));
	});
}
