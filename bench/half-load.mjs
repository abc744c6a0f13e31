// Latency of a small tools/call where the gateway's core is half busy, and nginx's at the same rate. Requests are sent
// when they are due, not when an answer allows it: what waits counts.
import { prepare } from './client.mjs';
import { openLoader } from './loader.mjs';
import { processorTime } from './processor.mjs';
import { startNginx, startUpstream } from './started.mjs';
import { median, rounded } from './turns.mjs';

export const title = 'Latency at a fixed rate, the core of the gateway half busy, 32 connections';
export const figures = {
	perSecond: 'calls/s',
	busy: 'core busy',
	p50Milliseconds: 'p50 ms',
	p99Milliseconds: 'p99 ms',
	times: 'p99 × nginx',
};
const seconds = 1;

export async function measure(setup) {
	const [legacy, modern] = [await startUpstream('legacy'), await startUpstream('modern')];
	const http = (port) => [`{ name: t0, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`];
	const target = { figure: 'times', most: 2 };
	const cases = [
		{ name: 'nginx `proxy_pass`', server: await startNginx(setup.folder, legacy.port), era: 'legacy', target: null },
		{ name: 'gateway, old client', server: await setup.gateway('half', http(legacy.port)), era: 'legacy', target },
		{ name: 'gateway, new client', server: await setup.gateway('half-new', http(modern.port)), era: 'modern', target },
	];
	for (const one of cases) {
		const url = `http://127.0.0.1:${one.server.port}/mcp`;
		one.loader = await openLoader(url, await prepare(url, one.era, 'echo'), 32);
		one.runs = [];
		for (let calls = 0; calls < 15_000; ) calls += await one.loader.closed(200);
	}
	const rate = await halfBusy(cases[1]);
	for (let round = 0; round < Math.max(5, setup.rounds / 4); round++) {
		for (const one of cases) one.runs.push(await run(one, rate));
	}
	return cases.map(({ name, runs, loader, target: most }) => {
		loader.close();
		const middle = (key) => median(runs.map((one) => one[key]));
		return {
			name,
			target: most,
			perSecond: rate,
			busy: rounded(middle('busy'), 2),
			p50Milliseconds: rounded(middle('p50'), 2),
			p99Milliseconds: rounded(middle('p99'), 2),
			times: rounded(median(runs.map(({ p99 }, at) => p99 / cases[0].runs[at].p99)), 2),
		};
	});
}

/** The rate at which the core is half busy: found by trying, as a call costs more when fewer come at once. */
async function halfBusy(one) {
	let rate = 8000;
	for (let attempt = 0; attempt < 6; attempt++) {
		const { busy } = await run(one, rate);
		rate = Math.round((rate * 0.5) / busy);
	}
	return rate;
}

async function run({ loader, server }, rate) {
	const before = processorTime(server.pid);
	const latencies = await loader.open(rate, seconds);
	const busy = (processorTime(server.pid) - before) / (seconds * 1e6);
	const at = (share) => latencies[Math.floor(latencies.length * share)];
	return { busy, p50: at(0.5), p99: at(0.99) };
}
