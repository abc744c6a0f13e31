import { collectItems, listKinds } from './catalog.ts';
import type { Federation } from './connections.ts';
import type { Health, TargetHealth } from './health.ts';
import { refuseAsk } from './lanes.ts';
import { gatewayCaller, ownCall } from './own-call.ts';
import { type Leg, Upstreams } from './upstreams.ts';

/** A probe that failed is repeated after this pause, doubled each time up to the longest. */
const firstPauseMs = 5000;
const longestPauseMs = 60_000;
/** A server may be downloaded on its first start (uvx, npx). */
const probeTimeoutMs = 120_000;

/**
 * Opens one connection to each target when the gateway starts, counts what it offers and closes it again. So the
 * log names a target that cannot start before any client meets it, and the first session knows the server's era.
 */
export class Probe {
	private readonly federation: Federation;
	private readonly health: Health;
	private readonly open = new Set<Upstreams>();
	private readonly timers = new Set<NodeJS.Timeout>();
	private stopped = false;

	constructor(federation: Federation, health: Health) {
		this.federation = federation;
		this.health = health;
	}

	start(): void {
		for (const target of this.federation.targets) this.probe(target.name, firstPauseMs);
	}

	async stop(): Promise<void> {
		this.stopped = true;
		for (const timer of this.timers) clearTimeout(timer);
		await Promise.all([...this.open].map((upstreams) => upstreams.close()));
	}

	private probe(name: string, pause: number): void {
		const upstreams = new Upstreams({
			targets: this.federation.targets.filter((target) => target.name === name),
			caller: gatewayCaller,
			watch: this.health,
			startTimeout: probeTimeoutMs,
			lanes: null,
			resume: null,
			events: { note() {}, ask: refuseAsk, joined() {}, rosterChanged() {} },
		});
		this.open.add(upstreams);
		upstreams.whenSettled(() => {
			const leg = upstreams.legs[0];
			if (leg?.state !== 'ready') return this.end(upstreams, () => this.again(name, pause));
			countLists(leg, (counts) => {
				this.health.counted(name, counts);
				this.end(upstreams, () => {});
			});
		});
	}

	private end(upstreams: Upstreams, then: () => void): void {
		this.open.delete(upstreams);
		void upstreams.close().then(() => {
			if (!this.stopped) then();
		});
	}

	/** While no client has a connection, the probe is what finds out that a target is back. */
	private again(name: string, pause: number): void {
		const timer = setTimeout(() => {
			this.timers.delete(timer);
			const health = this.health.of(name);
			if (health?.state === 'ready') return;
			this.probe(name, Math.min(pause * 2, longestPauseMs));
		}, pause);
		timer.unref();
		this.timers.add(timer);
	}
}

function countLists(leg: Leg, done: (counts: TargetHealth['counts']) => void): void {
	const counts: TargetHealth['counts'] = { tools: null, prompts: null, resources: null };
	const wanted = (['tools', 'prompts', 'resources'] as const).filter(
		(field) => field in (leg.server?.capabilities ?? {}),
	);
	let open = wanted.length;
	if (open === 0) return done(counts);
	for (const field of wanted) {
		const kind = listKinds[`${field}/list`];
		if (kind === undefined) throw new Error(`no list of ${field}`);
		collectItems(leg, kind, ownCall(kind.method, {}, gatewayCaller), (items) => {
			if (Array.isArray(items)) counts[field] = items.length;
			if (--open === 0) done(counts);
		});
	}
}
