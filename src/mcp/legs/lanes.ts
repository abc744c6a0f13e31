import { inSlices } from '../../lib/in-slices.ts';
import { Slice } from '../../lib/slice.ts';
import { WaitingLine } from '../../lib/waiting-line.ts';
import { awayError, code, mcpError } from '../errors.ts';
import { ExclusiveCall, Seat } from './exclusive-call.ts';
import type { Ask, Call, Caller, Failure, McpError, Sink, Target, Ticket, Upstream } from '../model.ts';
import type { TargetWatch } from '../health/target-watch.ts';

/** How many further connections one pool may open; shared by all of its targets. */
export interface LaneBudget {
	left: number;
	/** Of these, so many at most for one target of one set: a client that asks for all must leave some to the others. */
	readonly share: number;
}

type Start = (call: Call, sink: Sink) => Ticket;

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
	/** The set's own connection, as exclusive calls use it; null while there is none. */
	private first: Seat | null = null;
	private readonly further: Lane[] = [];
	private readonly waiting = new WaitingLine<ExclusiveCall>();
	/** Where calls go on that nothing is to be waited for here; null while the set's own connection stands, or may soon. */
	private onward: Start | null = null;
	private calling = false;
	/** Those who wait are called up in a moment. */
	private later: NodeJS.Immediate | null = null;
	private closed = false;

	constructor(target: Target, caller: Caller, watch: TargetWatch, budget: LaneBudget) {
		this.target = target;
		this.caller = caller;
		this.watch = watch;
		this.budget = budget;
	}

	/** Whether calls have a connection, or wait for one. */
	get busy(): boolean {
		return this.waiting.size > 0 || this.first?.taken === true || this.further.some((lane) => !lane.idle);
	}

	/** How many calls wait for a connection. */
	get queued(): number {
		return this.waiting.size;
	}

	/** Starts a call that wants a connection for itself. `first` is the set's own, which stands. */
	start(first: Upstream, call: Call, sink: Sink): Ticket {
		const exclusive = new ExclusiveCall(call, sink, this.waiting);
		if (this.closed) {
			exclusive.fail(this.closedError);
			return exclusive;
		}
		this.waiting.push(exclusive);
		this.stands(first);
		if (this.waiting.size > maximumWaiting && exclusive.place >= 0) {
			const message = `too many calls wait for target "${this.target.name}"; try again later`;
			exclusive.fail(mcpError(code.internal, message, this.target.name));
		}
		return exclusive;
	}

	/** The set's own connection stands. */
	stands(first: Upstream): void {
		this.onward = null;
		this.seatOf(first);
		this.callUp();
	}

	/** The set's own connection has ended. Who waits has a further one to wait for, or the next of the set's own. */
	lost(): void {
		this.first = null;
	}

	/** Nobody should wait for the set's own connection: who has no further one to wait for goes on elsewhere. */
	strand(onward: Start): void {
		this.onward = onward;
		this.look();
	}

	async close(): Promise<void> {
		this.closed = true;
		if (this.later !== null) clearImmediate(this.later);
		const told = inSlices(this.waiting.clear(), (call) => call.fail(this.closedError));
		await Promise.all([told, ...this.further.splice(0).map((lane) => lane.close())]);
	}

	/** What the server asks over the set's own connection while no call is open. */
	hold(first: Upstream, ask: Ask): void {
		this.seatOf(first).hold(ask);
	}

	private get closedError(): McpError {
		return mcpError(code.internal, 'the connection was closed', this.target.name);
	}

	private seatOf(first: Upstream): Seat {
		if (this.first?.upstream !== first) this.first = new Seat(first, this.caller);
		return this.first;
	}

	/**
	 * Starts who waits, as far as there are connections. Calls that are refused at once leave in the middle of it: thousands
	 * would be as many calls deep, and hold up all others.
	 */
	private callUp(): void {
		if (this.calling) return;
		this.calling = true;
		const slice = new Slice();
		try {
			while (this.waiting.size > 0 && !this.closed) {
				const run = this.place();
				if (run === null) return;
				if (slice.over) return this.callUpLater();
				const next = this.waiting.shift();
				if (next !== null) run(next);
			}
		} finally {
			this.calling = false;
		}
	}

	/** In a moment it is known whether a connection whose call has failed has failed, too. */
	private callUpLater(): void {
		this.later ??= setImmediate(() => {
			this.later = null;
			this.callUp();
		});
	}

	/** What runs the next call; null: all connections are taken. */
	private place(): ((call: ExclusiveCall) => void) | null {
		const { first, further, budget } = this;
		if (first?.taken === false) return (call) => first.run(call, (failed) => this.freed(failed));
		const idle = further.find((lane) => lane.idle);
		if (idle !== undefined) return (call) => idle.run(call);
		// While the target is away, the set's own connection tries whether it is back, after pauses.
		if (first === null || budget.left <= 0 || further.length >= budget.share) return null;
		return (call) => this.open(call);
	}

	private freed(failed: boolean): void {
		if (failed) this.callUpLater();
		else this.callUp();
	}

	private open(call: ExclusiveCall): void {
		this.budget.left--;
		const lane = new Lane(this.target, this.caller, this.watch, {
			free: (failed) => this.freed(failed),
			gone: () => {
				const at = this.further.indexOf(lane);
				if (at >= 0) this.further.splice(at, 1);
				this.budget.left++;
				this.callUpLater();
				this.look();
			},
		});
		this.further.push(lane);
		lane.run(call);
	}

	/** Sends those on who have nothing to wait for here. */
	private look(): void {
		const { onward } = this;
		if (onward === null || this.first !== null || this.further.length > 0) return;
		void inSlices(this.waiting.clear(), (call) => call.start(onward));
	}
}

/** A further connection. */
class Lane {
	private readonly target: string;
	private readonly watch: TargetWatch;
	private readonly events: { free(failed: boolean): void; gone(): void };
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
		this.seat.run(this.call, (failed) => {
			this.call = null;
			if (this.state !== 'ready') return;
			this.events.free(failed);
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
