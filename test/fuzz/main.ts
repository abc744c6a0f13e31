import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';

/** `npm run fuzz`: as many messages as are wanted, each hundred thousand with a seed of its own. */
const { values } = parseArgs({
	options: { messages: { type: 'string' }, seed: { type: 'string' }, corpus: { type: 'string' } },
});
const wanted = Number(values.messages ?? 1_000_000);
const perSeed = 100_000;
const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
let total = 0;
let faults = 0;
let heapAtStart = 0;

for (let seed = first; total < wanted && faults < 5; seed++) {
	const { messages, fault } = await fuzz(seed, Math.min(perSeed, wanted));
	total += messages;
	globalThis.gc?.();
	const heap = process.memoryUsage().heapUsed / 1024 ** 2;
	if (seed === first + 2) heapAtStart = heap;
	const { user, system } = process.cpuUsage();
	const rate = (total / (user + system)) * 1e6;
	process.stdout.write(
		`seed ${seed}: ${total} messages, ${rate.toFixed(0)} a second of CPU, heap ${heap.toFixed(1)} MB\n`,
	);
	if (fault === null) continue;
	faults++;
	const text = JSON.stringify(
		{ ...fault, round: fault.round.map((one) => ({ ...one, body: one.body.toString('latin1') })) },
		null,
		'\t',
	);
	const folder = values.corpus ?? '.';
	mkdirSync(folder, { recursive: true });
	const file = join(folder, `crash-${seed}.json`);
	writeFileSync(file, `${text}\n`);
	process.stdout.write(`${fault.what}\nfound with seed ${seed}; the round is in ${file}\n`);
}
const heapNow = process.memoryUsage().heapUsed / 1024 ** 2;
process.stdout.write(
	`${total} messages, ${faults} faults; heap ${heapAtStart.toFixed(1)} → ${heapNow.toFixed(1)} MB\n`,
);
process.exit(faults === 0 ? 0 : 1);
