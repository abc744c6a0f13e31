// The full soaks, bundled and run by scripts/soak.mjs: `[NAME…] [--minutes N] [--faults REGEX] [--short] [--write]`.
import { parseArgs } from 'node:util';
import { type Row, runSoak } from './soak.ts';
import { soaks } from './soaks.ts';
import { facts, writeTable } from './table.ts';

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		minutes: { type: 'string', default: '60' },
		faults: { type: 'string', default: '' },
		short: { type: 'boolean', default: false },
		write: { type: 'boolean', default: false },
	},
});
const unknown = positionals.filter((name) => !soaks.some((one) => one.name === name));
if (unknown.length > 0) {
	process.stderr.write(`no soak ${unknown.join()}; there are ${soaks.map(({ name }) => name).join(', ')}\n`);
	process.exit(2);
}

process.stdout.write(`${facts()}\n`);
const closing: (() => Promise<unknown>)[] = [];
process.on('SIGTERM', () => {
	void Promise.allSettled(closing.splice(0).map((close) => close())).then(() => process.exit(143));
});
const results = new Map<string, readonly Row[]>();
let failed = 0;
for (const soak of soaks.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
	const began = performance.now();
	const say = (text: string) => void process.stderr.write(`${soak.name}: ${text}\n`);
	const options = { short: values.short, minutes: Number(values.minutes), faults: new RegExp(values.faults), say };
	const rows = await runSoak(soak, options, closing).catch((error: Error): Row[] => [
		{ what: soak.name, target: 'runs to its end', measured: error.message, met: false, correctness: true },
	]);
	results.set(soak.name, rows);
	for (const { what, target, measured, met } of rows) {
		if (!met) failed++;
		process.stdout.write(`${met ? 'ok  ' : 'MISS'} ${what}: ${measured} (target ${target})\n`);
	}
	process.stderr.write(`${soak.name}: ${Math.round((performance.now() - began) / 1000)} s\n`);
}
if (values.write)
	writeTable(
		results,
		soaks.map(({ name }) => name),
	);
process.stdout.write(failed === 0 ? 'all targets met\n' : `${failed} targets missed\n`);
process.exit(failed === 0 ? 0 : 1);
