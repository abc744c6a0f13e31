// What the gateway takes before anybody uses it.
import { residentMemory } from './processor.mjs';
import { end } from './started.mjs';
import { median } from './turns.mjs';

export const title = 'Started and at rest';
export const figures = { milliseconds: 'ms until it listens', memoryMegabytes: 'memory MB' };

export async function measure(setup) {
	const runs = [];
	for (let i = 0; i < 5; i++) {
		const gateway = await setup.gateway('rest', ['{ name: t0, mcp: { host: "http://127.0.0.1:9/mcp" } }']);
		await new Promise((resolve) => setTimeout(resolve, 2000));
		runs.push({ milliseconds: gateway.milliseconds, memory: residentMemory(gateway.pid) / 1e6 });
		await end(gateway);
	}
	const middle = (key) => Math.round(median(runs.map((run) => run[key])));
	return [{ name: 'gateway', milliseconds: middle('milliseconds'), memoryMegabytes: middle('memory'), target: null }];
}
