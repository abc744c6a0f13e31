// `npm run conformance`: the official suite against our fixture server, through the gateway to it, and with the
// gateway as a client. What fails must be in tools/conformance-baseline.yml with a reason, and fail.
//   --only PATTERN   runs whose name matches
//   --short          both eras through the gateway to the fixture that speaks both: a part of npm test
//   --update         writes what was found into the baseline; reasons are kept
//   --json FILE      all that was found
//   --keep FOLDER    the suite's own results
// The last line counts runs that are as expected: "N passed, N failed".
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, readBaseline, summarize, updated, writeBaseline } from '../tools/harness/baseline.mjs';
import { installTools, root } from '../tools/harness/paths.mjs';
import { listRuns } from '../tools/harness/runs.mjs';
import { prepare } from './prepare.mjs';

const { values: options } = parseArgs({
	options: {
		only: { type: 'string' },
		short: { type: 'boolean', default: false },
		update: { type: 'boolean', default: false },
		json: { type: 'string' },
		keep: { type: 'string' },
	},
});
const started = process.cwd();
prepare();
installTools();

const only = options.only === undefined ? null : new RegExp(options.only);
const runs = listRuns().filter(({ name, short }) => (!options.short || short) && (only?.test(name) ?? true));
const kept = options.keep === undefined ? undefined : resolve(started, options.keep);
const folder = kept ?? mkdtempSync(join(tmpdir(), 'agentgateway-conformance-'));
const baseline = readBaseline();
const found = {};
let asExpected = 0;

print(`${'run'.padEnd(36)} passed failed  expected   seconds`);
for (const { name, run } of runs) {
	const since = Date.now();
	const { summary, differences } = await outcome(run, name);
	found[name] = { ...summary, differences };
	if (options.update && summary !== undefined) baseline[name] = updated(summary, baseline[name]);
	if (differences.length === 0) asExpected++;
	const { passed = '-', failed = '-' } = summary ?? {};
	const expected = baseline[name] === undefined ? '-' : `${baseline[name].passed}/${baseline[name].failed}`;
	const seconds = ((Date.now() - since) / 1000).toFixed(1);
	const verdict = differences.length === 0 ? 'ok' : 'DIFFERS';
	print(
		`${name.padEnd(36)} ${String(passed).padStart(6)} ${String(failed).padStart(6)}  ${expected.padEnd(9)} ${seconds.padStart(8)}  ${verdict}`,
	);
	for (const line of differences) print(`    ${line}`);
}

if (options.update) writeBaseline(baseline);
if (options.json !== undefined) writeFileSync(resolve(started, options.json), `${JSON.stringify(found, null, '\t')}\n`);
if (kept === undefined) rmSync(folder, { recursive: true, force: true });
print(`\n${asExpected} passed, ${runs.length - asExpected} failed`);
process.exitCode = asExpected === runs.length && runs.length > 0 ? 0 : 1;

async function outcome(run, name) {
	try {
		const own = join(folder, name.replaceAll('/', '-'));
		rmSync(own, { recursive: true, force: true });
		const summary = summarize(await run(own));
		return { summary, differences: compare(summary, baseline[name]) };
	} catch (error) {
		return { differences: [`did not run: ${error.message.replaceAll(root, '.')}`] };
	}
}

function print(line) {
	process.stdout.write(`${line}\n`);
}
