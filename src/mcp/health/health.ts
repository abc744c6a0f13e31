import type { Circuit } from './circuit.ts';
import type { Failure, ServerFacts, Target } from '../model.ts';
import type { TargetWatch } from './target-watch.ts';

/** What is known of a target from all its connections together. */
export interface TargetHealth {
	readonly target: string;
	state: 'idle' | 'starting' | 'ready' | 'degraded' | 'failed';
	/** When the state began. */
	since: Date;
	/** Of the last connection that failed; null once one is ready again. */
	failure: Failure | null;
	/** Of the last connection that was ready. */
	server: ServerFacts | null;
	starting: number;
	/** Connections that are ready now. */
	ready: number;
	/** null until the target is known. */
	circuit: Circuit | null;
	/** Lengths of the target's lists as last counted; null while unknown or not offered. */
	counts: { tools: number | null; prompts: number | null; resources: number | null };
}

/**
 * Keeps the health of one backend's targets, fed by every connection. A target is `ready` while its last attempt
 * succeeded, `degraded` when some connections stand although a later one failed, `failed` when none does or its circuit
 * is open, and `idle` before the first.
 */
export class Health implements TargetWatch {
	private readonly targets = new Map<string, TargetHealth>();
	/** Targets that the configuration has dropped and that still have connections. */
	private readonly leaving = new Map<string, TargetHealth>();
	private readonly now: () => Date;
	private readonly changed: (health: TargetHealth, failure: Failure | null) => void;

	/** `changed` is called after each change; with the failure when that was the change. */
	constructor(names: readonly string[], now: () => Date, changed: Health['changed']) {
		this.now = now;
		this.changed = changed;
		for (const target of names) this.targets.set(target, unknownYet(target, now()));
	}

	/** A reload has changed the targets; `fresh` are those that are new, or reached in another way than before. */
	follow(names: readonly string[], fresh: ReadonlySet<string>): void {
		const before = new Map([...this.targets, ...this.leaving]);
		this.targets.clear();
		this.leaving.clear();
		for (const name of names) {
			const known = before.get(name);
			const blank = unknownYet(name, this.now());
			// Connections of the target that had the name before count until they are gone.
			if (known !== undefined && fresh.has(name))
				Object.assign(known, { ...blank, starting: known.starting, ready: known.ready });
			this.targets.set(name, known ?? blank);
			before.delete(name);
		}
		for (const [name, health] of before) if (health.starting + health.ready > 0) this.leaving.set(name, health);
	}

	/** Hears of the circuits of these targets, too. */
	observe(targets: readonly Pick<Target, 'name' | 'circuit'>[]): void {
		for (const { name, circuit } of targets) {
			const health = this.targets.get(name);
			if (health === undefined) continue;
			health.circuit = circuit;
			circuit.changed = () => {
				// It may be that of a target which had the name before.
				if (this.targets.get(name)?.circuit !== circuit) return;
				this.change(name, circuit.state === 'open' ? circuit.failure : null, () => {});
			};
		}
	}

	of(target: string): TargetHealth | undefined {
		return this.targets.get(target);
	}

	all(): Iterable<TargetHealth> {
		return this.targets.values();
	}

	starting(target: string): void {
		this.change(target, null, (health) => {
			health.starting++;
		});
	}

	ready(target: string, server: ServerFacts): void {
		this.change(target, null, (health) => {
			health.starting--;
			health.ready++;
			health.failure = null;
			health.server = server;
		});
	}

	/** A connection failed, before it was ready or after. */
	failed(target: string, failure: Failure, wasReady: boolean): void {
		this.change(target, failure, (health) => {
			if (wasReady) health.ready--;
			else health.starting--;
			health.failure = failure;
		});
	}

	closed(target: string, wasReady: boolean): void {
		this.change(target, null, (health) => {
			if (wasReady) health.ready--;
			else health.starting--;
		});
	}

	counted(target: string, counts: TargetHealth['counts']): void {
		this.change(target, null, (health) => {
			health.counts = counts;
		});
	}

	private change(target: string, failure: Failure | null, apply: (health: TargetHealth) => void): void {
		const health = this.targets.get(target);
		if (health === undefined) return this.left(target, apply);
		apply(health);
		const state = stateOf(health);
		if (state !== health.state) {
			health.state = state;
			health.since = this.now();
		}
		this.changed(health, failure);
	}

	private left(target: string, apply: (health: TargetHealth) => void): void {
		const health = this.leaving.get(target);
		if (health === undefined) return;
		apply(health);
		if (health.starting + health.ready === 0) this.leaving.delete(target);
	}
}

function unknownYet(target: string, since: Date): TargetHealth {
	const counts = { tools: null, prompts: null, resources: null };
	return { target, state: 'idle', since, failure: null, server: null, starting: 0, ready: 0, circuit: null, counts };
}

function stateOf(health: TargetHealth): TargetHealth['state'] {
	if (health.circuit !== null && health.circuit.state !== 'closed') return 'failed';
	if (health.failure !== null) return health.ready > 0 ? 'degraded' : 'failed';
	if (health.ready > 0 || health.server !== null) return 'ready';
	return health.starting > 0 ? 'starting' : 'idle';
}
