// Measures things in turns of a tenth of a second on the same core: what a busy machine does to one, it does to the next.
import { openLoader } from './loader.mjs';
import { processorTime, residentMemory } from './processor.mjs';

/** Calls that each case answers before it is measured, so that all is compiled; as many seconds at most. */
const warmUp = { calls: 15_000, seconds: 4 };

/**
 * Measures cases (`name`, `url`, `pid`, `call` and anything else, which is kept). Before each turn of a case stands one
 * of the first case. Figures are medians over the rounds; `times` is the median of the ratios to the turn of the first
 * case just before, `rate` that of the calls a second.
 */
export async function inTurns(cases, { rounds, milliseconds, connections }) {
	for (const one of cases) {
		one.loader = await openLoader(one.url, one.call, connections);
		one.runs = [];
		const until = performance.now() + warmUp.seconds * 1000;
		for (let calls = 0; calls < warmUp.calls && performance.now() < until; ) calls += await one.loader.closed(200);
	}
	const [first, ...others] = cases;
	for (let round = 0; round < rounds; round++) {
		for (const one of others) {
			const base = await turn(first, milliseconds);
			first.runs.push({ ...base, times: 1, rate: 1 });
			const run = await turn(one, milliseconds);
			const [times, rate] = [run.microseconds / base.microseconds, run.perSecond / base.perSecond];
			one.runs.push({ ...run, times, rate });
		}
	}
	return cases.map(({ loader, runs, url: _url, call: _call, pid, ...rest }) => {
		loader.close();
		const middle = (key) => median(runs.map((run) => run[key]));
		return {
			...rest,
			cpuMicroseconds: rounded(middle('microseconds'), 1),
			times: rounded(middle('times'), 3),
			busy: rounded(middle('busy'), 2),
			perSecond: Math.round(middle('perSecond')),
			rate: rounded(middle('rate'), 2),
			memoryMegabytes: Math.round(residentMemory(pid) / 1e6),
		};
	});
}

async function turn({ loader, pid }, milliseconds) {
	const before = processorTime(pid);
	const began = performance.now();
	const count = await loader.closed(milliseconds);
	const took = (performance.now() - began) * 1000;
	const used = processorTime(pid) - before;
	return { microseconds: used / count, busy: used / took, perSecond: (count * 1e6) / took };
}

export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function rounded(value, digits) {
	return Number(value.toFixed(digits));
}
