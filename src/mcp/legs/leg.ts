import { setTimeout as pause } from 'node:timers/promises';
import { inSlices } from '../../lib/in-slices.ts';
import { type Placed, WaitingLine } from '../../lib/waiting-line.ts';
import { Backoff } from '../../processes/backoff.ts';
import type { CircuitFollower } from '../health/circuit.ts';
import { tooMuch } from '../errors.ts';
import { CircuitTrial } from './circuit-trial.ts';
import { askingMethods, type LaneBudget, Lanes } from './lanes.ts';
import { LegLink, type LinkOwner } from './leg-link.ts';
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
} from '../model.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import { unavailable } from './unavailable.ts';
import type { TargetWatch } from '../health/target-watch.ts';
import { WaitingCall } from './waiting-call.ts';

export interface LegOptions {
	readonly target: Target;
	readonly caller: Caller;
	readonly watch: TargetWatch;
	/** Strangers who look alike share the connection; null: private. */
	readonly lanes: LaneBudget | null;
	/** For so many milliseconds calls wait for a connection that is to come back. */
	readonly patience: number;
	readonly events: LegEvents;
}

/** What the owner of a leg hears. */
export interface LegEvents {
	note(leg: Leg, notice: Notice): void;
	ask(ask: Ask): void;
	/** It has a connection, its first or a new one; `renewed`: a new session on the one that it had. */
	joined(leg: Leg, renewed: boolean): void;
	/** A start failed. */
	failed(leg: Leg): void;
	/** A target that was there is gone, for longer than a restart takes; or its circuit has opened or closed. */
	left(leg: Leg): void;
}

/** Somebody who waits for a connection. */
interface Waiter extends Placed {
	/** null: does not wait any longer. */
	known: (() => void) | null;
}

/** More calls do not wait for one connection. */
const maximumWaiting = 1000;
/** A connection that stood for so long was a good one, though nobody used it. */
const stableMs = 30_000;
/** So many in a row may be used, end sooner, and be followed by the next one at once. */
const maximumBrief = 20;
/** When a target is back, those who wait for it do not all come in the same moment. */
const rushMs = 250;
/** Between two looks whether the calls of a leg that has been dropped are over. */
const retiringLookMs = 50;
const dropped: Failure = {
	reason: 'the configuration has changed',
	remedy: '',
	exitCode: null,
	signal: null,
	stderr: [],
};

/**
 * One client's way to one target: its connection, and a new one when it has ended. The first restart is made at once,
 * and calls wait for it; further ones after growing pauses, or when the target's circuit closes.
 */
export class Leg implements CircuitFollower, LinkOwner {
	slot = -1;
	readonly tries = true;
	readonly target: Target;
	state: 'starting' | 'ready' | 'failed' = 'starting';
	upstream: Upstream | null = null;
	server: ServerFacts | null = null;
	/** Of the last connection or start; null once one is ready. */
	failure: Failure | null = null;
	/** Since when there is no connection, in milliseconds since 1970. */
	private awayAt = Date.now();
	/** When the next start is made, on the monotonic clock; 0 while none is planned. */
	retryAt = 0;
	/** Whether it has been waited for long enough. */
	overdue = false;
	private readonly options: LegOptions;
	private readonly lanes: Lanes | null;
	private readonly backoff = new Backoff(Math.random);
	/** Whether the restart without a pause has been used. */
	private rushed = false;
	/** Connections in a row that were of use and did not last. */
	private brief = 0;
	/** Whether nobody has been told yet that the target is gone. */
	private leaving = false;
	private changedAt = 0;
	private retry: NodeJS.Timeout | null = null;
	private patience: NodeJS.Timeout | null = null;
	/** While the circuit is open although there is a connection. */
	private trial: CircuitTrial | null = null;
	private closed = false;
	/** Whether the configuration has dropped it: it ends with the calls that are under way. */
	private retired = false;
	/** Has taken its place. */
	private successor: Leg | null = null;
	private waiting: WaitingLine<Waiter> | null = null;

	constructor(options: LegOptions) {
		const { target, caller, watch, lanes } = options;
		this.options = options;
		this.target = target;
		this.lanes = lanes === null ? null : new Lanes(target, caller, watch, lanes);
	}

	/** Opens the first connection; nothing is opened while the target's circuit is open. */
	begin(resume: Resumption | null): void {
		this.target.circuit.follow(this);
		if (this.target.circuit.passes()) return this.open(resume);
		this.state = 'failed';
		this.failure = this.target.circuit.failure;
		this.plan(0);
	}

	/** Starts a call at once, or as soon as the connection is there. */
	start(call: Call, sink: Sink): Ticket {
		const { upstream } = this;
		if (upstream !== null && this.state === 'ready' && this.target.circuit.passes())
			return this.send(upstream, call, sink);
		return this.wait(call, sink);
	}

	/** Starts a call over a connection that stands. */
	send(upstream: Upstream, call: Call, sink: Sink): Ticket {
		if (this.lanes !== null && this.server?.handshake === true && wantsExclusive(call))
			return this.lanes.start(upstream, call, sink);
		return upstream.start(call, sink);
	}

	get awaySince(): Date {
		return new Date(this.awayAt);
	}

	/** Whether a connection may be there soon. */
	get hopeful(): boolean {
		if (this.overdue || this.target.circuit.state === 'open') return false;
		return this.state === 'starting' || (this.state === 'failed' && this.server !== null);
	}

	/** Calls `then` as soon as the leg is ready or nobody should wait for it, at once if so. The answer takes it back. */
	whenKnown(then: () => void): () => void {
		if (!this.hopeful) {
			then();
			return () => {};
		}
		const one: Waiter = { place: -1, known: then };
		(this.waiting ??= new WaitingLine()).push(one);
		return () => {
			one.known = null;
			this.waiting?.remove(one);
		};
	}

	/** It has been waited for long enough. */
	expire(): void {
		if (this.state === 'ready' || this.overdue) return;
		this.overdue = true;
		this.tellLeft();
		this.release();
	}

	circuitChanged(): void {
		if (this.closed) return;
		if (this.state === 'ready') this.shut();
		if (this.target.circuit.state === 'open') this.release();
		else if (this.retry !== null)
			this.plan(this.waiting !== null && this.waiting.size > 0 ? 0 : Math.random() * rushMs);
	}

	/** What the target lists comes and goes with its circuit. */
	private shut(): void {
		const { upstream, target } = this;
		const open = target.circuit.state === 'open';
		if (open === (this.trial !== null)) return;
		this.endTrial();
		if (open && upstream !== null) this.trial = new CircuitTrial(target.circuit, upstream);
		this.options.events.left(this);
	}

	private endTrial(): void {
		this.trial?.stop();
		this.trial = null;
	}

	/** Starts a call that has waited. */
	startLate(call: Call, sink: Sink): Ticket {
		if (this.successor !== null) return this.successor.start(call, sink);
		if (this.upstream !== null && this.state === 'ready' && this.target.circuit.passes())
			return this.send(this.upstream, call, sink);
		// Lost again, while others were started.
		if (this.hopeful) return this.wait(call, sink);
		sink.fail(unavailable(this));
		return nothingToCancel;
	}

	/**
	 * The configuration has dropped the target. What is under way has `patience` milliseconds; who waits goes on with
	 * `successor`, if there is one. Resolves when the connection is gone.
	 */
	async retire(successor: Leg | null, patience: number): Promise<void> {
		this.retired = true;
		this.endTrial();
		this.successor = successor;
		this.leaving = false;
		this.overdue = true;
		this.target.circuit.unfollow(this);
		if (this.retry !== null) clearTimeout(this.retry);
		if (this.patience !== null) clearTimeout(this.patience);
		if (this.state !== 'ready') this.failure ??= dropped;
		this.release();
		const until = performance.now() + patience;
		while (this.busy && !this.closed && performance.now() < until) await pause(retiringLookMs);
		if (!this.closed) await this.close(false);
	}

	private get busy(): boolean {
		return this.upstream?.busy === true || this.lanes?.busy === true;
	}

	/** Ends the connection and what exclusive calls have opened. */
	async close(keepSession: boolean): Promise<void> {
		this.closed = true;
		this.endTrial();
		this.target.circuit.unfollow(this);
		if (this.retry !== null) clearTimeout(this.retry);
		if (this.patience !== null) clearTimeout(this.patience);
		this.overdue = true;
		this.release();
		if (this.state !== 'failed') this.options.watch.closed(this.target.name, this.state === 'ready');
		await Promise.all([this.upstream?.close(keepSession), this.lanes?.close()]);
	}

	private open(resume: Resumption | null): void {
		const { watch, caller } = this.options;
		this.state = 'starting';
		this.retryAt = 0;
		this.changedAt = performance.now();
		watch.starting(this.target.name);
		this.upstream = this.target.open(caller, new LegLink(this, resume !== null), resume);
	}

	noted(notice: Notice): void {
		if (!this.closed && !this.retired) this.options.events.note(this, notice);
	}

	asked(ask: Ask): void {
		if (this.upstream === null || this.retired) return refuseAsk(ask);
		if (this.lanes === null) this.options.events.ask(ask);
		// Kept for the next call: strangers share the connection.
		else this.lanes.hold(this.upstream, ask);
	}

	joined(server: ServerFacts, unheard: boolean): void {
		if (this.closed || this.retired) return;
		const renewed = this.state === 'ready';
		this.state = 'ready';
		this.server = server;
		this.failure = null;
		this.overdue = false;
		this.leaving = false;
		this.changedAt = performance.now();
		if (this.patience !== null) clearTimeout(this.patience);
		this.patience = null;
		if (unheard) this.target.circuit.undecided();
		else this.target.circuit.succeeded();
		if (!renewed) this.options.watch.ready(this.target.name, server);
		this.options.events.joined(this, renewed);
		this.release();
	}

	lost(failure: Failure): void {
		const { upstream } = this;
		const wasReady = this.state === 'ready';
		const lasted = performance.now() - this.changedAt;
		this.endTrial();
		this.upstream = null;
		this.failure = failure;
		this.state = 'failed';
		this.lanes?.lost();
		if (this.retired) this.release();
		void upstream?.close();
		if (this.closed) return;
		this.options.watch.failed(this.target.name, failure, wasReady);
		if (this.retired) return;
		if (wasReady) this.leave(this.wasGood(lasted, upstream?.served === true));
		else {
			// That there is no room for a process or a descriptor says nothing of the server.
			if (failure.retryAfter === undefined && failure.untried !== true)
				this.target.circuit.failed('start', failure, lasted);
			this.tellLeft();
		}
		const atOnce = wasReady && !this.rushed;
		this.rushed ||= wasReady;
		this.plan(atOnce ? 0 : this.pauseAfter(failure));
		if (!this.hopeful) this.release();
		if (!wasReady) this.options.events.failed(this);
		else if (!atOnce) this.tellLeft();
	}

	/** Whether the next connection may be of use, too. A server that answers and dies, again and again, is none to rush for. */
	private wasGood(lasted: number, served: boolean): boolean {
		if (lasted > stableMs) this.brief = 0;
		else if (!served || ++this.brief > maximumBrief) return false;
		return true;
	}

	/** What the gateway itself is short of may be there again soon. */
	private pauseAfter({ retryAfter }: Failure): number {
		const pause = this.backoff.next();
		return retryAfter === undefined ? pause : Math.min(pause, retryAfter * 1000 * (0.75 + Math.random() / 2));
	}

	/** The connection has ended. `good`: it was of use, so that the next one may be, too. */
	private leave(good: boolean): void {
		if (good) {
			this.rushed = false;
			this.backoff.reset();
		}
		this.leaving = true;
		this.awayAt = Date.now();
		this.patience ??= setTimeout(() => this.expire(), this.options.patience);
		this.patience.unref();
	}

	private tellLeft(): void {
		if (!this.leaving) return;
		this.leaving = false;
		this.options.events.left(this);
	}

	private plan(pause: number): void {
		if (this.retry !== null) clearTimeout(this.retry);
		const wait = Math.max(pause, this.target.circuit.wait);
		this.retryAt = performance.now() + wait;
		this.retry = setTimeout(() => {
			this.retry = null;
			if (this.target.circuit.passes()) this.open(null);
			else this.plan(rushMs);
		}, wait);
		this.retry.unref();
	}

	private wait(call: Call, sink: Sink): Ticket {
		if (this.hopeful && (this.waiting?.size ?? 0) + (this.lanes?.queued ?? 0) >= maximumWaiting) {
			sink.fail({ ...tooMuch(`too many calls wait for target "${this.target.name}"`), target: this.target.name });
			return nothingToCancel;
		}
		const waiting = new WaitingCall(this, call, sink);
		waiting.begin();
		return waiting;
	}

	/** Who waits goes on, in slices: a thousand calls that are refused at once would hold up all others. */
	private release(): void {
		const { waiting, upstream } = this;
		this.waiting = null;
		if (upstream !== null && this.state === 'ready') this.lanes?.stands(upstream);
		else this.lanes?.strand((call, sink) => this.startLate(call, sink));
		if (waiting !== null) void inSlices(waiting.clear(), ({ known }) => known?.());
	}
}

const nothingToCancel: Ticket = { cancel() {} };

function wantsExclusive({ caller, method }: Call): boolean {
	return (caller.interactive || caller.logLevel !== null) && askingMethods.has(method);
}
