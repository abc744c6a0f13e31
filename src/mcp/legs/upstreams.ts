import type { LaneBudget } from './lanes.ts';
import { Leg, type LegEvents } from './leg.ts';
import type { Ask, Caller, Notice, Resumption, Target } from '../model.ts';
import type { TargetWatch } from '../health/target-watch.ts';

/** What the owner of a set of connections hears. */
export interface UpstreamsEvents {
	/** A notification outside any call. */
	note(target: string, notice: Notice): void;
	/** A server asks something outside any call. */
	ask(ask: Ask): void;
	/** A target has a connection, its first or a new one. */
	joined(leg: Leg): void;
	/** A target joined or left after the set had settled: lists have changed. */
	rosterChanged(): void;
}

export interface UpstreamsOptions {
	readonly targets: readonly Target[];
	readonly caller: Caller;
	readonly watch: TargetWatch;
	readonly events: UpstreamsEvents;
	/** Milliseconds after which the set counts as settled, whoever is missing; calls wait as long for a restart. */
	readonly startTimeout: number;
	/** Strangers who look alike share the set: what a server may ask them needs a connection for itself. null: private. */
	readonly lanes: LaneBudget | null;
	/** Sessions at servers to go on with, by target. */
	readonly resume: ReadonlyMap<string, Resumption> | null;
}

/**
 * The connections that one client (or one pool of alike clients) has to the targets of a backend. A target that
 * fails is tried again with growing pauses for as long as the set is open; the others never notice.
 */
export class Upstreams implements LegEvents {
	/** In the order of the configuration. A reload replaces the list, and never changes it. */
	legs: readonly Leg[];
	/** Those that the configuration has dropped and whose calls are not over. */
	private retiring: Set<Leg> | null = null;
	private readonly options: UpstreamsOptions;
	/** null once it is of no use any more. */
	private deadline: NodeJS.Timeout | null;
	/** Of targets that came later. */
	private lateDeadlines: Set<NodeJS.Timeout> | null = null;
	private settled = false;
	private closed = false;
	private settling: (() => void)[] | null = null;
	/** What servers are to log at least; told to those that join later, too. */
	private level: string | null;

	constructor(options: UpstreamsOptions) {
		this.options = options;
		this.level = options.caller.logLevel;
		this.legs = options.targets.map((target) => this.makeLeg(target, options.watch));
		const first = this.legs;
		this.deadline = setTimeout(() => this.expire(first), options.startTimeout);
		for (const leg of first) leg.begin(options.resume?.get(leg.target.name) ?? null);
		this.look();
	}

	get caller(): Caller {
		return this.options.caller;
	}

	leg(target: string): Leg | undefined {
		for (const leg of this.legs) if (leg.target.name === target) return leg;
		return undefined;
	}

	/**
	 * Calls `then` once every target has answered or failed, at the latest after the start time-out. Targets that are
	 * known to be slow or away are not waited for, unless there are no others.
	 */
	whenSettled(then: () => void): void {
		if (this.settled) then();
		else (this.settling ??= []).push(then);
	}

	/** Like `whenSettled`, but after `ms` whoever is there has to do. */
	whenUsable(ms: number, then: () => void): void {
		if (this.settled) return then();
		let open = true;
		const once = () => {
			if (!open) return;
			open = false;
			clearTimeout(timer);
			then();
		};
		const timer = setTimeout(() => {
			if (this.legs.some(({ state }) => state === 'ready')) once();
		}, ms);
		timer.unref();
		this.whenSettled(once);
	}

	/** Sets what servers log at least, now and when they join later. */
	setLevel(level: string): void {
		this.level = level;
		for (const leg of this.legs) if (leg.state === 'ready') leg.upstream?.setLevel(level);
	}

	/** Sessions at servers, for who wants to go on with them later. */
	resumptions(): Map<string, Resumption> {
		const found = new Map<string, Resumption>();
		for (const { target, upstream } of this.legs) {
			const resumption = upstream?.resumption ?? null;
			if (resumption !== null) found.set(target.name, resumption);
		}
		return found;
	}

	/**
	 * Ends every connection. Resolves when all of them, child processes included, are gone. With `keepSessions` those at
	 * the servers stay, for who goes on with them.
	 */
	async close(keepSessions = false): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		this.stopWaiting();
		for (const timer of this.lateDeadlines ?? []) clearTimeout(timer);
		this.settle();
		const legs = [...this.legs, ...(this.retiring ?? [])];
		await Promise.all(legs.map((leg) => leg.close(keepSessions)));
	}

	/**
	 * Goes over to the targets of another configuration. Legs of targets that stay are kept as they are; new ones are
	 * opened; those that nobody wants any more finish what is under way within `patience` milliseconds. Resolves when
	 * these are gone.
	 */
	async follow(targets: readonly Target[], watch: TargetWatch, patience: number): Promise<void> {
		if (this.closed) return;
		const before = this.legs;
		this.legs = targets.map((target) => before.find((leg) => leg.target === target) ?? this.makeLeg(target, watch));
		const added = this.legs.filter((leg) => !before.includes(leg));
		for (const leg of added) leg.begin(null);
		// Calls do not wait for them any longer than for those of a new set.
		if (added.length > 0) this.expireLater(added);
		const gone = before.filter((leg) => !this.legs.includes(leg)).map((leg) => this.retire(leg, patience));
		this.look();
		await Promise.all(gone);
	}

	private expireLater(legs: readonly Leg[]): void {
		const deadlines = (this.lateDeadlines ??= new Set());
		const timer = setTimeout(() => {
			deadlines.delete(timer);
			this.expire(legs);
		}, this.options.startTimeout).unref();
		deadlines.add(timer);
	}

	private async retire(leg: Leg, patience: number): Promise<void> {
		const retiring = (this.retiring ??= new Set());
		retiring.add(leg);
		await leg.retire(this.leg(leg.target.name) ?? null, patience);
		retiring.delete(leg);
	}

	private makeLeg(target: Target, watch: TargetWatch): Leg {
		const { caller, lanes, startTimeout: patience } = this.options;
		return new Leg({ target, caller, watch, lanes, patience, events: this });
	}

	note(leg: Leg, notice: Notice): void {
		this.options.events.note(leg.target.name, notice);
	}

	ask(ask: Ask): void {
		this.options.events.ask(ask);
	}

	failed(): void {
		this.look();
	}

	left(): void {
		this.options.events.rosterChanged();
	}

	joined(leg: Leg, renewed: boolean): void {
		if (this.level !== null) leg.upstream?.setLevel(this.level);
		this.options.events.joined(leg);
		// Late, or with a new session under the same connection: what it lists is not what was told.
		if (renewed || this.settled) return this.options.events.rosterChanged();
		this.look();
	}

	/** Settles when nobody is waited for any longer. */
	private look(): void {
		const allSlow = this.legs.every(({ target }) => target.circuit.slow);
		if (!this.legs.some(({ state, target }) => state === 'starting' && (allSlow || !target.circuit.slow)))
			this.settle();
	}

	private expire(legs: readonly Leg[]): void {
		this.settle();
		for (const leg of legs) {
			// One that was there before has its own time to come back; one that has gone again says nothing of its target.
			if (leg.server !== null || !this.legs.includes(leg)) continue;
			if (leg.state === 'starting') leg.target.circuit.slow = true;
			leg.expire();
		}
	}

	private stopWaiting(): void {
		if (this.deadline !== null) clearTimeout(this.deadline);
		this.deadline = null;
	}

	private settle(): void {
		if (this.settled) return;
		this.settled = true;
		if (this.legs.every(({ state }) => state !== 'starting')) this.stopWaiting();
		const { settling } = this;
		this.settling = null;
		for (const then of settling ?? []) then();
	}
}
