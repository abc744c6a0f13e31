import { awayError, code, mcpError } from '../errors.ts';
import { ExclusiveCall, Seat } from './exclusive-call.ts';
import type { Ask, Call, Caller, Failure, Sink, Target, Ticket, Upstream } from '../model.ts';
import type { TargetWatch } from '../health/target-watch.ts';

/** How many further connections one pool may open; shared by all of its targets. */
export interface LaneBudget {
	left: number;
	/** Of these, so many at most for one target of one set: a client that asks for all must leave some to the others. */
	readonly share: number;
}

/** Methods in whose middle a server may ask its client something. */
export const askingMethods: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** A connection that nobody needed for so long is closed. */
const idleMs = 30_000;
/** More calls than this do not wait for a connection. */
const maximumWaiting = 1000;

/**
 * One call at a time for each connection to a server that keeps state for it. What such a server asks, or logs, in
 * mid-call says nothing of the call it means; when strangers share a connection, only exclusive use tells.
 * Calls beside the first open further connections within the budget, or wait.
 */
export class Lanes {
	private readonly target: Target;
	private readonly caller: Caller;
	private readonly watch: TargetWatch;
	private readonly budget: LaneBudget;
	/** The set's own connection, as exclusive calls use it. */
	private first: Seat | null = null;
	private readonly further: Lane[] = [];
	private readonly waiting: ExclusiveCall[] = [];
	private closed = false;

	constructor(target: Target, caller: Caller, watch: TargetWatch, budget: LaneBudget) {
		this.target = target;
		this.caller = caller;
		this.watch = watch;
		this.budget = budget;
	}

	/** Whether calls have a connection, or wait for one. */
	get busy(): boolean {
		return this.waiting.length > 0 || this.first?.taken === true || this.further.some((lane) => !lane.idle);
	}

	/** Starts a call that wants a connection for itself. `first` is the set's own, which stands. */
	start(first: Upstream, call: Call, sink: Sink): Ticket {
		const exclusive = new ExclusiveCall(call, sink);
		const idle = this.further.find((lane) => lane.idle);
		const seat = this.seatOf(first);
		if (!seat.taken) this.onFirst(seat, exclusive);
		else if (idle !== undefined) idle.run(exclusive);
		else if (this.budget.left > 0 && this.further.length < this.budget.share) this.open(exclusive);
		else if (this.waiting.length < maximumWaiting) this.waiting.push(exclusive);
		else {
			const message = `too many calls wait for target "${this.target.name}"; try again later`;
			exclusive.fail(mcpError(code.internal, message, this.target.name));
		}
		return exclusive;
	}

	async close(): Promise<void> {
		this.closed = true;
		for (const call of this.waiting.splice(0)) call.fail(mcpError(code.internal, 'the connection was closed'));
		await Promise.all(this.further.splice(0).map((lane) => lane.close()));
	}

	/** What the server asks over the set's own connection while no call is open. */
	hold(first: Upstream, ask: Ask): void {
		this.seatOf(first).hold(ask);
	}

	private seatOf(first: Upstream): Seat {
		if (this.first?.upstream !== first) this.first = new Seat(first, this.caller);
		return this.first;
	}

	private onFirst(seat: Seat, call: ExclusiveCall): void {
		seat.run(call, () => {
			if (this.first !== seat) return;
			const next = this.waiting.shift();
			if (next !== undefined && !this.closed) this.onFirst(seat, next);
		});
	}

	private open(call: ExclusiveCall): void {
		this.budget.left--;
		const lane = new Lane(this.target, this.caller, this.watch, {
			free: () => {
				const next = this.waiting.shift();
				if (next !== undefined) lane.run(next);
			},
			gone: () => {
				const at = this.further.indexOf(lane);
				if (at >= 0) this.further.splice(at, 1);
				this.budget.left++;
				const next = this.closed ? undefined : this.waiting.shift();
				if (next !== undefined) this.open(next);
			},
		});
		this.further.push(lane);
		lane.run(call);
	}
}

/** A further connection. */
class Lane {
	private readonly target: string;
	private readonly watch: TargetWatch;
	private readonly events: { free(): void; gone(): void };
	private readonly upstream: Upstream;
	private readonly seat: Seat;
	private state: 'starting' | 'ready' | 'gone' = 'starting';
	private call: ExclusiveCall | null = null;
	private timer: NodeJS.Timeout | null = null;

	constructor(target: Target, caller: Caller, watch: TargetWatch, events: Lane['events']) {
		this.target = target.name;
		this.watch = watch;
		this.events = events;
		watch.starting(target.name);
		this.upstream = target.open(
			caller,
			{
				ready: (server) => {
					if (this.state !== 'starting') return;
					this.state = 'ready';
					watch.ready(this.target, server);
					if (caller.logLevel !== null) this.upstream.setLevel(caller.logLevel);
					this.begin();
				},
				failed: (failure) => this.failed(failure),
				// The set's own connection hears of these, too.
				note() {},
				ask: (ask) => this.seat.hold(ask),
			},
			null,
		);
		this.seat = new Seat(this.upstream, caller);
	}

	get idle(): boolean {
		return this.state === 'ready' && this.call === null;
	}

	run(call: ExclusiveCall): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		this.call = call;
		if (this.state === 'ready') this.begin();
	}

	async close(): Promise<void> {
		if (this.timer !== null) clearTimeout(this.timer);
		if (this.state === 'gone') return;
		this.watch.closed(this.target, this.state === 'ready');
		this.state = 'gone';
		this.call?.fail(mcpError(code.internal, 'the connection was closed', this.target));
		this.events.gone();
		await this.upstream.close();
	}

	private begin(): void {
		if (this.call === null) return;
		this.seat.run(this.call, () => {
			this.call = null;
			if (this.state !== 'ready') return;
			this.events.free();
			if (this.call !== null) return;
			this.timer = setTimeout(() => void this.close(), idleMs);
			this.timer.unref();
		});
	}

	private failed(failure: Failure): void {
		if (this.state === 'gone') return;
		this.watch.failed(this.target, failure, this.state === 'ready');
		this.state = 'gone';
		void this.upstream.close();
		this.call?.fail(awayError(this.target, failure, ''));
		this.events.gone();
	}
}
