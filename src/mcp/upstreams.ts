import { refuseAsk } from './refuse-ask.ts';
import { askingMethods, type LaneBudget, Lanes } from './lanes.ts';
import type {
	Ask,
	Call,
	Caller,
	Failure,
	Notice,
	Resumption,
	ServerFacts,
	Sink,
	Target,
	Ticket,
	Upstream,
} from './model.ts';
import type { TargetWatch } from './target-watch.ts';

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
	/** Milliseconds after which the set counts as settled, whoever is missing. */
	readonly startTimeout: number;
	/** Strangers who look alike share the set: what a server may ask them needs a connection for itself. null: private. */
	readonly lanes: LaneBudget | null;
	/** Sessions at servers to go on with, by target. */
	readonly resume: ReadonlyMap<string, Resumption> | null;
}

/** One target's connection within a set. */
export class Leg {
	readonly target: Target;
	state: 'starting' | 'ready' | 'failed' = 'starting';
	upstream: Upstream | null = null;
	server: ServerFacts | null = null;
	failure: Failure | null = null;
	/** Starts that failed in a row. */
	attempts = 0;
	retry: NodeJS.Timeout | null = null;
	/** Whether the start time-out has passed, so that nobody waits for this leg any longer. */
	overdue = false;
	private readonly lanes: Lanes | null;
	private readonly waiting: (() => void)[] = [];

	constructor(target: Target, lanes: Lanes | null) {
		this.target = target;
		this.lanes = lanes;
	}

	/** Starts a call over the connection, which must stand. */
	start(upstream: Upstream, call: Call, sink: Sink): Ticket {
		if (this.lanes !== null && this.server?.handshake === true && wantsExclusive(call))
			return this.lanes.start(upstream, call, sink);
		return upstream.start(call, sink);
	}

	/** Keeps what the server asks outside calls for the next one; false where a client can be asked at any time. */
	hold(upstream: Upstream, ask: Ask): boolean {
		if (this.lanes === null) return false;
		this.lanes.hold(upstream, ask);
		return true;
	}

	/** Ends what exclusive calls have opened. */
	async close(): Promise<void> {
		await this.lanes?.close();
	}

	/** Calls `then` as soon as the leg is ready, failed or overdue; at once if it is so already. */
	whenKnown(then: () => void): void {
		if (this.state === 'starting' && !this.overdue) this.waiting.push(then);
		else then();
	}

	release(): void {
		for (const then of this.waiting.splice(0)) then();
	}
}

function wantsExclusive({ caller, method }: Call): boolean {
	return (caller.interactive || caller.logLevel !== null) && askingMethods.has(method);
}

const firstRetryMs = 1000;
const longestRetryMs = 30_000;

/**
 * The connections that one client (or one pool of alike clients) has to the targets of a backend. A target that
 * fails is tried again with growing pauses for as long as the set is open; the others never notice.
 */
export class Upstreams {
	readonly legs: readonly Leg[];
	private readonly options: UpstreamsOptions;
	private readonly deadline: NodeJS.Timeout;
	private settled = false;
	private closed = false;
	private readonly settling: (() => void)[] = [];
	/** What servers are to log at least; told to those that join later, too. */
	private level: string | null;

	constructor(options: UpstreamsOptions) {
		this.options = options;
		this.level = options.caller.logLevel;
		const { lanes, caller, watch } = options;
		this.legs = options.targets.map(
			(target) => new Leg(target, lanes === null ? null : new Lanes(target, caller, watch, lanes)),
		);
		this.deadline = setTimeout(() => this.settle(), options.startTimeout);
		for (const leg of this.legs) this.open(leg, options.resume?.get(leg.target.name) ?? null);
		if (this.legs.length === 0) this.settle();
	}

	get caller(): Caller {
		return this.options.caller;
	}

	leg(target: string): Leg | undefined {
		for (const leg of this.legs) if (leg.target.name === target) return leg;
		return undefined;
	}

	/** Calls `then` once every target has answered or failed, at the latest after the start time-out. */
	whenSettled(then: () => void): void {
		if (this.settled) then();
		else this.settling.push(then);
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
		clearTimeout(this.deadline);
		this.settle();
		const ending: Promise<void>[] = [];
		for (const leg of this.legs) {
			if (leg.retry !== null) clearTimeout(leg.retry);
			if (leg.upstream !== null) ending.push(leg.upstream.close(keepSessions));
			ending.push(leg.close());
			if (leg.state !== 'failed') this.options.watch.closed(leg.target.name, leg.state === 'ready');
		}
		await Promise.all(ending);
	}

	private open(leg: Leg, resume: Resumption | null): void {
		leg.state = 'starting';
		leg.retry = null;
		this.options.watch.starting(leg.target.name);
		let current = true;
		const events = {
			ready: (server: ServerFacts) => {
				if (current) this.joined(leg, server);
			},
			failed: (failure: Failure) => {
				if (!current) return;
				current = false;
				this.lost(leg, failure);
			},
			note: (notice: Notice) => {
				if (current && !this.closed) this.options.events.note(leg.target.name, notice);
			},
			ask: (ask: Ask) => {
				if (!current || leg.upstream === null) return refuseAsk(ask);
				if (!leg.hold(leg.upstream, ask)) this.options.events.ask(ask);
			},
		};
		leg.upstream = leg.target.open(this.options.caller, events, resume);
	}

	private joined(leg: Leg, server: ServerFacts): void {
		if (this.closed) return;
		const renewed = leg.state === 'ready';
		leg.state = 'ready';
		leg.server = server;
		leg.failure = null;
		leg.attempts = 0;
		if (this.level !== null) leg.upstream?.setLevel(this.level);
		this.options.events.joined(leg);
		// The server began a new session under the same connection: what it lists may be another.
		if (renewed) return this.options.events.rosterChanged();
		this.options.watch.ready(leg.target.name, server);
		this.known(leg);
	}

	private lost(leg: Leg, failure: Failure): void {
		const upstream = leg.upstream;
		leg.upstream = null;
		leg.failure = failure;
		const wasReady = leg.state === 'ready';
		leg.state = 'failed';
		void upstream?.close();
		if (this.closed) return;
		this.options.watch.failed(leg.target.name, failure, wasReady);
		const pause = Math.min(firstRetryMs * 2 ** leg.attempts, longestRetryMs);
		leg.attempts++;
		leg.retry = setTimeout(() => this.open(leg, null), pause);
		leg.retry.unref();
		if (wasReady) this.options.events.rosterChanged();
		else this.known(leg);
	}

	/** A leg that was starting is ready or failed now. */
	private known(leg: Leg): void {
		leg.release();
		if (this.settled) {
			if (leg.state === 'ready') this.options.events.rosterChanged();
			return;
		}
		if (this.legs.every((one) => one.state !== 'starting')) this.settle();
	}

	private settle(): void {
		if (this.settled) return;
		this.settled = true;
		clearTimeout(this.deadline);
		for (const leg of this.legs) {
			leg.overdue = true;
			leg.release();
		}
		for (const then of this.settling.splice(0)) then();
	}
}
