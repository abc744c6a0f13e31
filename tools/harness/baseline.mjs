// What is known to fail, and why. A run is as expected when exactly that fails and as much passes as last time.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { tools } from './paths.mjs';

const file = join(tools, 'conformance-baseline.yml');
const unexplained = 'unexplained';
const head = `# Per run of "npm run conformance": how many checks pass and fail, and each that fails, with its reason.
# "npm run conformance -- --update" rewrites the counts and keeps the reasons; a check without one fails its run.
# "reported: true" marks runs whose outcome varies, with the reason in its note: they are shown and not compared.
# Checks are written scenario:check. Warnings (a SHOULD of the specification) are listed, but not counted as failed.
`;

export function readBaseline() {
	return parse(readFileSync(file, 'utf8')) ?? {};
}

export function writeBaseline(baseline) {
	const sorted = Object.fromEntries(Object.entries(baseline).sort(([a], [b]) => (a < b ? -1 : 1)));
	writeFileSync(file, head + stringify(sorted, { lineWidth: 118 }));
}

/** Counts, and the failing checks with what the suite says of them. */
export function summarize(checks) {
	const failing = {};
	for (const { scenario, id, status, message } of checks) {
		if (status === 'FAILURE' || status === 'WARNING') failing[`${scenario}:${id}`] ??= `${status}: ${message}`;
	}
	const count = (wanted) => checks.filter(({ status }) => status === wanted).length;
	return { passed: count('SUCCESS'), failed: count('FAILURE'), failing };
}

/** What differs from the baseline, a line each; none if all is as expected. */
export function compare(summary, expected) {
	if (expected === undefined) return ['not in the baseline'];
	if (expected.reported === true) return [];
	const known = expected.failing ?? {};
	const lines = [];
	for (const [check, message] of Object.entries(summary.failing)) {
		if (known[check] === undefined) lines.push(`fails now: ${check}: ${message.replaceAll('\n', ' ').slice(0, 300)}`);
		else if (known[check] === unexplained) lines.push(`has no reason in the baseline: ${check}`);
	}
	for (const check of Object.keys(known)) {
		if (summary.failing[check] === undefined) lines.push(`does not fail any more: ${check}`);
	}
	for (const key of ['passed', 'failed']) {
		if (summary[key] !== expected[key]) lines.push(`${key}: ${summary[key]}, expected ${expected[key]}`);
	}
	return lines;
}

/** The entry that this run would be as expected with. */
export function updated(summary, expected) {
	const reasons = expected?.failing ?? {};
	const failing = Object.fromEntries(
		Object.keys(summary.failing)
			.sort()
			.map((check) => [check, reasons[check] ?? unexplained]),
	);
	if (expected?.reported === true) return { ...expected, passed: summary.passed, failed: summary.failed };
	const note = expected?.note === undefined ? {} : { note: expected.note };
	const list = Object.keys(failing).length === 0 ? {} : { failing };
	return { passed: summary.passed, failed: summary.failed, ...note, ...list };
}
