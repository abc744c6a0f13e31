import { collectList, isListError, type List } from '../lists/collection.ts';
import type { Federation } from './connections.ts';
import { ExposedList } from '../lists/exposed-list.ts';
import type { Health, TargetHealth } from '../health/health.ts';
import { type ListKind, listKinds, offers } from '../lists/list-kind.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import { gatewayCaller, ownCall } from '../own-call.ts';
import type { Leg } from '../legs/leg.ts';
import { Upstreams } from '../legs/upstreams.ts';

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
	/** When each target that failed is looked at again. */
	private readonly timers = new Map<string, NodeJS.Timeout>();
	/** By target, for each list that was counted. */
	private readonly lists = new Map<ListKind, Map<string, List>>();
	private stopped = false;

	constructor(federation: Federation, health: Health) {
		this.federation = federation;
		this.health = health;
	}

	/** `before`: looked at the targets under the configuration before; what it read of those that are not in `names` stays. */
	start(names: ReadonlySet<string> | null = null, before: Probe | null = null): void {
		for (const [kind, lists] of before?.lists ?? []) this.lists.set(kind, new Map(lists));
		for (const target of this.federation.targets) {
			if (names === null || names.has(target.name)) this.probe(target.name, firstPauseMs);
		}
	}

	async stop(): Promise<void> {
		this.stopped = true;
		for (const timer of this.timers.values()) clearTimeout(timer);
		await Promise.all([...this.open].map((upstreams) => upstreams.close()));
	}

	/** A target has failed; once its clients have gone, nobody else would find out that it is back. */
	watch({ target, state }: TargetHealth): void {
		if (state !== 'failed' || this.stopped || this.timers.has(target)) return;
		for (const { legs } of this.open) if (legs[0]?.target.name === target) return;
		this.again(target, firstPauseMs);
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
			this.count(leg, (counts) => {
				this.health.counted(name, counts);
				this.end(upstreams, () => {});
			});
		});
	}

	private count(leg: Leg, done: (counts: TargetHealth['counts']) => void): void {
		const counts: TargetHealth['counts'] = { tools: null, prompts: null, resources: null };
		const wanted = countedLists.filter(([, kind]) => leg.server !== null && offers(leg.server, kind));
		let open = wanted.length;
		if (open === 0) return done(counts);
		for (const [field, kind] of wanted) {
			collectList(leg, kind, ownCall(kind.method, {}, gatewayCaller), this.federation.listLimits, (list) => {
				this.federation.findings.faults.came(leg.target.name, kind, list);
				if (isListError(list))
					this.federation.findings.warnOnce(`target "${leg.target.name}" failed ${kind.method}: ${list.message}`);
				else {
					counts[field] = list.items.length;
					this.look(kind, leg.target.name, list);
				}
				if (--open === 0) done(counts);
			});
		}
	}

	/** What is odd about the lists is told before any client meets it. */
	private look(kind: ListKind, target: string, list: List): void {
		const { targets, naming, findings } = this.federation;
		findings.read(kind, list);
		if (naming.plain) return;
		const lists = this.lists.get(kind) ?? new Map<string, List>();
		this.lists.set(kind, lists.set(target, list));
		const parts = targets.map(({ name }) => lists.get(name) ?? null);
		findings.look(kind, parts, new ExposedList(kind, parts, naming), naming);
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
			this.timers.delete(name);
			const health = this.health.of(name);
			if (health === undefined || health.state === 'ready') return;
			// A client's connection looks for itself, for as long as it is there.
			if (health.circuit?.followed === true) this.again(name, pause);
			else this.probe(name, Math.min(pause * 2, longestPauseMs));
		}, pause);
		timer.unref();
		clearTimeout(this.timers.get(name));
		this.timers.set(name, timer);
	}
}

const countedLists = [
	['tools', listKinds.tools],
	['prompts', listKinds.prompts],
	['resources', listKinds.resources],
] as const;
