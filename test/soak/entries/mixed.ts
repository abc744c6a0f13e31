import { Agent } from 'undici';
import { LegacyClient } from '../../support/rpc-client.ts';
import { median, percentile, relativeSlope } from '../figures.ts';
import { Load } from '../load.ts';
import { atMost, none, type Row, type Scope, sleep, type Soak } from '../soak.ts';
import { endRows, warm } from '../started.ts';
import { mixedFaults } from './mixed-faults.ts';
import { brokenTools, healthyTools, makeWorld, type World } from './mixed-world.ts';

/** Everything at once, with a random fault every ten seconds. What is not aimed at what is broken must not notice. */
export const mixed: Soak = {
	name: 'mixed',
	async run(scope) {
		const world = await makeWorld(scope);
		await warm(scope, world.gateway, [...healthyTools, ...brokenTools]);
		const began = performance.now();
		const end = began + (scope.short ? 12_000 : scope.minutes * 60_000);
		const seen: Seen = { samples: [], faults: [], wrong: [], visits: 0 };
		const streams = await openStreams(world, scope.short ? 2 : 20);
		const { url } = world;
		const good = await new Load({
			url,
			tools: healthyTools,
			clients: 12,
			rate: scope.short ? 60 : 150,
			ms: 50,
		}).start();
		const bad = await new Load({ url, tools: brokenTools, clients: 6, rate: 20 }).start();
		await Promise.all([faults(world, scope, end, seen), visitors(world, end, seen), samples(world, scope, end, seen)]);
		bad.pause();
		await sleep(scope.short ? 5000 : 60_000);
		const stuck = [...bad.open].map(({ what }) => what);
		await good.stop();
		await Promise.race([bad.stop(), sleep(10_000)]);
		for (const failure of good.failures) seen.wrong.push(`${failure.text} [${faultAt(seen, failure.began)}]`);
		seen.wrong.push(...streams.lost());
		await streams.end();
		scope.say(`${bad.answered} calls to the broken targets were answered, ${bad.failures.length} were not`);
		const unsettled = none('mixed soak: calls to broken targets neither answered nor refused', stuck);
		return [...rows(seen, good, scope), unsettled, ...(await endRows(scope, world.gateway))];
	},
};

interface Seen {
	samples: { heap: number; rss: number; stall: number }[];
	faults: { name: string; began: number }[];
	wrong: string[];
	/** Sessions that came, worked and went. */
	visits: number;
}

function rows(seen: Seen, good: Load, scope: Scope): Row[] {
	const total = good.answered + good.failures.length;
	const title = scope.short ? 'mixed soak' : `mixed soak, ${scope.minutes} min`;
	const list = [
		none(
			`${title}: of ${total} calls and ${seen.visits} sessions not aimed at what was broken, not answered rightly`,
			seen.wrong,
		),
	];
	if (seen.samples.length >= 8) {
		// The first third fills caches; a sample that a fault has just filled is no trend, so the median of threes counts.
		const heap = seen.samples.slice(Math.floor(seen.samples.length / 3)).map((one) => one.heap);
		const calm = heap.slice(2).map((_, index) => median(heap.slice(index, index + 3)));
		list.push(atMost(`${title}: heap after collection, slope a sample of 30 s`, 0.5, 100 * relativeSlope(calm), ' %'));
		const rss = seen.samples.map((one) => one.rss);
		scope.say(
			`resident at most ${Math.max(...rss) / 1e6} MB, stall at most ${Math.max(...seen.samples.map((one) => one.stall))} ms`,
		);
		scope.say(`p99 of healthy calls ${percentile(good.latencies, 0.99)} ms`);
	}
	return list;
}

async function faults(world: World, scope: Scope, end: number, seen: Seen): Promise<void> {
	const every = scope.short ? 2000 : 10_000;
	let bag: string[] = [];
	while (performance.now() < end - every) {
		if (bag.length === 0)
			bag = Object.keys(mixedFaults)
				.filter((one) => scope.faults.test(one))
				.sort(() => Math.random() - 0.5);
		const name = bag.pop() ?? '';
		const began = performance.now();
		seen.faults.push({ name, began });
		scope.say(`${Math.round((end - began) / 1000)} s left: ${name}`);
		const undo = await Promise.resolve(mixedFaults[name]?.(world)).catch((error: Error) => scope.say(error.message));
		await sleep(Math.max(0, began + every / 2 - performance.now()));
		await undo?.();
		await sleep(Math.max(0, began + every - performance.now()));
	}
}

/** Sessions that last for some calls: what an opening costs must not depend on what is broken either. */
async function visitors(world: World, end: number, seen: Seen): Promise<void> {
	const agent = new Agent();
	const lane = async () => {
		while (performance.now() < end) {
			const began = performance.now();
			await visit(world, agent, seen).catch((error: Error) =>
				seen.wrong.push(`a session: ${error.message.slice(0, 300)} [${faultAt(seen, began)}]`),
			);
			await sleep(500 + Math.random() * 1000);
		}
	};
	await Promise.all([lane(), lane()]);
	await agent.destroy();
}

async function visit(world: World, agent: Agent, seen: Seen): Promise<void> {
	const client = await LegacyClient.open(world.url, agent);
	const names = await client.toolNames();
	const missing = healthyTools.map((one) => one.replace('echo', 't0')).filter((one) => !names.includes(one));
	if (missing.length > 0) throw new Error(`the list lacks ${missing.join()}`);
	for (const tool of healthyTools) {
		const answer = await client.tool(tool, '{"value":"visit","ms":1}');
		if (answer !== 'visit') throw new Error(`${tool} answered ${answer}`);
	}
	const status = await client.end();
	if (status >= 300) throw new Error(`DELETE answered ${status}`);
	seen.visits++;
}

async function samples(world: World, scope: Scope, end: number, seen: Seen): Promise<void> {
	const every = scope.short ? 3000 : 30_000;
	while (performance.now() < end) {
		await sleep(Math.min(every, Math.max(0, end - performance.now())));
		const { heap, external, rss, stall } = await world.gateway.measure(true);
		seen.samples.push({ heap: heap + external, rss, stall });
		scope.say(
			`heap ${Math.round((heap + external) / 1e5) / 10} MB, resident ${Math.round(rss / 1e6)} MB, stall ${Math.round(stall)} ms`,
		);
	}
}

async function openStreams({ url }: World, count: number): Promise<{ lost(): string[]; end(): Promise<void> }> {
	const agent = new Agent({ bodyTimeout: 0 });
	const list = await Promise.all(
		Array.from({ length: count }, async () => {
			const client = await LegacyClient.open(url, agent);
			return { client, stream: await client.listen() };
		}),
	);
	return {
		lost: () => list.filter(({ stream }) => stream.ended()).map(() => 'an open stream ended'),
		async end() {
			for (const { client, stream } of list) {
				stream.close();
				await client.end();
			}
			await agent.destroy();
		},
	};
}

function faultAt({ faults }: Seen, at: number): string {
	return faults.findLast(({ began }) => began <= at)?.name ?? 'before the first fault';
}
