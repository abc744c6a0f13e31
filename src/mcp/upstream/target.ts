import type {
	Ask,
	Call,
	Caller,
	ClientNotice,
	Failure,
	McpError,
	Notice,
	Resumption,
	Sink,
	Target,
	Ticket,
	Topic,
	Upstream,
	UpstreamEvents,
} from '../model.ts';
import { Circuit } from '../health/circuit.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import { awayError, code, mcpError } from '../errors.ts';
import { CallClock } from './call-clock.ts';
import { CallLimit, type LimitUser } from './call-limit.ts';
import type { Connection } from './connection.ts';
import { EraMemory } from './era-memory.ts';
import { LostCall } from './lost-calls.ts';
import { ownCall } from '../own-call.ts';
import { Negotiation, type NegotiationEvents } from './negotiate.ts';
import { ToolHeaders } from './tool-headers.ts';
import type { Sent } from './open-call.ts';
import { Start, StartGate } from './start-gate.ts';
import type { TargetOptions } from './target-options.ts';
import type { Vitals } from './vitals.ts';

/** Makes a target. What is learnt about the server's eras is kept for its next connections. */
export function createTarget(options: TargetOptions): Target {
	const memory = new EraMemory(new ToolHeaders((message) => options.warn(message)));
	const callTimeout = options.callTimeout ?? usualCallTimeoutMs;
	const clock = new CallClock(callTimeout === 0 ? Number.POSITIVE_INFINITY : callTimeout);
	const maximum = options.maxConcurrentCalls ?? null;
	const limit = maximum === null ? null : new CallLimit(options.name, maximum);
	const circuit = new Circuit();
	const starts = options.overHttp ? null : new StartGate(circuit);
	const vitals = { circuit, clock, limit, starts, onFault: (fault: unknown) => options.onFault(fault) };
	return {
		name: options.name,
		circuit,
		get local() {
			return options.sessionsEnd?.() ?? !options.overHttp;
		},
		open: (caller, events, resume) => new NegotiatedUpstream(options, memory, vitals, caller, events, resume),
	};
}

/** Servers work on some calls for long; a call that is hung altogether must end some day. */
const usualCallTimeoutMs = 3_600_000;

/** An upstream that negotiates first and then hands calls to the connection. */
class NegotiatedUpstream implements Upstream, NegotiationEvents, LimitUser {
	queued = 0;
	private readonly options: TargetOptions;
	private readonly memory: EraMemory;
	private readonly vitals: Vitals;
	private readonly caller: Caller;
	private readonly events: UpstreamEvents;
	private negotiation: Negotiation;
	private connection: Connection | null = null;
	private failure: Failure | null = null;
	private closed = false;
	/** Its place among the starts of the target; null where they cost nothing. */
	private turn: Start | null = null;
	/** Calls that wait for the server's next session; null while there is one. */
	private lost: LostCall[] | null = null;
	/** Calls that wait for their next try. */
	private waiting: Map<LostCall, NodeJS.Timeout> | null = null;
	/** Sessions that the server has forgotten; answers may still be on their way. */
	private retired: readonly Negotiation[] = none;

	constructor(
		options: TargetOptions,
		memory: EraMemory,
		vitals: Vitals,
		caller: Caller,
		events: UpstreamEvents,
		resume: Resumption | null,
	) {
		this.options = options;
		this.memory = memory;
		this.vitals = vitals;
		this.caller = caller;
		this.events = events;
		this.negotiation = this.negotiate(resume);
		// Whoever opens must have the upstream in hand before the first event comes.
		setImmediate(() => {
			if (!this.closed) this.beginInTurn();
		});
	}

	private beginInTurn(): void {
		const { starts } = this.vitals;
		if (starts === null) return this.negotiation.begin();
		this.turn = new Start(
			starts,
			() => this.negotiation.begin(),
			(failure) => this.failed(failure),
		);
		starts.enter(this.turn);
	}

	get served(): boolean {
		return this.connection?.served === true;
	}

	get pid(): number | null {
		return this.negotiation.pid;
	}

	get busy(): boolean {
		if (this.queued > 0 || (this.waiting?.size ?? 0) > 0 || this.lost !== null) return true;
		return this.connection?.busy === true || this.retired.some((one) => one.busy);
	}

	get hearsSince(): number | null {
		return this.failure === null ? this.negotiation.hearsSince : null;
	}

	get resumption(): Resumption | null {
		return this.negotiation.resumption;
	}

	start(call: Call, sink: Sink): Ticket {
		const { limit } = this.vitals;
		return limit === null ? this.begin(call, sink) : limit.start(this, call, sink);
	}

	begin(call: Call, sink: Sink): Ticket {
		return this.send(call, sink, firstTime);
	}

	faulted(fault: unknown): McpError {
		this.vitals.onFault(fault);
		const { name } = this.options;
		return mcpError(code.internal, `the call could not be sent to target "${name}"`, name);
	}

	notify(notice: ClientNotice): void {
		this.connection?.notify(notice);
	}

	setLevel(level: string): void {
		this.connection?.setLevel(level);
	}

	watch(topic: Topic, done: (refusal: McpError | null) => void): void {
		if (this.connection === null || this.failure !== null) return done(this.unavailable());
		this.connection.watch(topic, done);
	}

	unwatch(topic: Topic): void {
		this.connection?.unwatch(topic);
	}

	ping(): void {
		if (this.failure === null) this.connection?.start(ownCall('ping', {}, this.caller), silent);
	}

	async close(keepSession = false): Promise<void> {
		this.closed = true;
		this.turn?.over(null);
		this.vitals.limit?.leave(this, this.unavailable());
		for (const [one, timer] of this.waiting ?? []) {
			clearTimeout(timer);
			one.fail(this.unavailable());
		}
		this.waiting = null;
		this.settleLost((one) => one.fail(this.unavailable()));
		// Who closes has often nobody left to tell.
		const ending = [...this.retired, this.negotiation].map((one) => one.close(keepSession));
		await Promise.all(ending.map((one) => one.catch((fault: unknown) => this.vitals.onFault(fault))));
	}

	private negotiate(resume: Resumption | null): Negotiation {
		return new Negotiation(this.options, this.memory, this.vitals, this.caller, this, resume);
	}

	note(notice: Notice): void {
		this.events.note(notice);
	}

	ask(ask: Ask): void {
		this.events.ask(ask);
	}

	/** The session at the server is gone, as a stream has shown. */
	sessionForgotten(): void {
		this.renew();
	}

	failed(failure: Failure): void {
		if (this.closed || this.failure !== null) return;
		this.turn?.over(false);
		this.failure = failure;
		this.settleLost((one) => one.fail(this.unavailable()));
		this.events.failed(failure);
	}

	ready(connection: Connection): void {
		if (this.closed) return;
		this.turn?.over(true);
		this.connection = connection;
		this.events.ready(connection.server);
		this.settleLost((one) => one.start((...what) => this.send(...what, { repeated: true, tries: 0 })));
	}

	/** A new session is opened, the call sent once more. A second loss fails it: the server is not to be trusted. */
	forgotten(call: Call, sink: Sink): Ticket {
		if (this.closed || this.failure !== null) return this.refuse(sink);
		this.renew();
		return this.wait(call, sink);
	}

	/** Tries again after growing pauses, in all for about as long as a server takes to restart. */
	unreached(call: Call, sink: Sink, tries: number): Ticket | null {
		const tooMany = tries >= maximumTries || (this.waiting?.size ?? 0) >= maximumLost;
		if (tooMany || this.closed || this.failure !== null || this.vitals.circuit.state === 'open') return null;
		const lost = new LostCall(call, sink, (one) => this.forget(one));
		const timer = setTimeout(
			() => {
				this.waiting?.delete(lost);
				lost.start((...what) => this.send(...what, { repeated: false, tries: tries + 1 }));
			},
			Math.min(firstPauseMs * 2 ** tries, longestPauseMs),
		);
		timer.unref();
		(this.waiting ??= new Map()).set(lost, timer);
		return lost;
	}

	broken(call: Call, sink: Sink): Ticket {
		return this.send(call, sink, { repeated: true, tries: 0 });
	}

	/** Never throws: a call may begin where another one ends, or a timer does, which have nothing to do with its bugs. */
	private send(call: Call, sink: Sink, before: Sent): Ticket {
		try {
			if (this.lost !== null) return this.wait(call, sink);
			if (this.connection !== null && this.failure === null) return this.connection.start(call, sink, before);
			return this.refuse(sink);
		} catch (fault) {
			sink.fail(this.faulted(fault));
			return nothingToCancel;
		}
	}

	private forget(lost: LostCall): void {
		clearTimeout(this.waiting?.get(lost));
		this.waiting?.delete(lost);
	}

	private refuse(sink: Sink): Ticket {
		sink.fail(this.unavailable());
		return nothingToCancel;
	}

	/** Opens a new session; calls wait for it. */
	private renew(): void {
		if (this.closed || this.failure !== null || this.lost !== null) return;
		this.lost = [];
		this.negotiation.retire();
		const [oldest, ...others] = this.retired;
		const full = oldest !== undefined && this.retired.length >= maximumRetired;
		if (full) void oldest.close(true).catch(this.vitals.onFault);
		this.retired = [...(full ? others : this.retired), this.negotiation];
		this.connection = null;
		this.negotiation = this.negotiate(null);
		this.negotiation.begin();
	}

	private wait(call: Call, sink: Sink): Ticket {
		const one = new LostCall(call, sink, () => {});
		if (this.lost === null || this.lost.length >= maximumLost) one.fail(this.unavailable());
		else this.lost.push(one);
		return one;
	}

	private settleLost(settle: (one: LostCall) => void): void {
		const { lost } = this;
		this.lost = null;
		for (const one of lost ?? []) settle(one);
	}

	private unavailable(): McpError {
		const otherwise = this.closed ? 'the connection was closed' : 'it has not answered yet';
		return awayError(this.options.name, this.failure, otherwise);
	}
}

const none: readonly Negotiation[] = [];
const firstTime: Sent = { repeated: false, tries: 0 };
const maximumLost = 1000;
/** Pauses before a server that was not there is tried again; in all about nine seconds. */
const firstPauseMs = 50;
const longestPauseMs = 1000;
const maximumTries = 13;
/** Of more sessions in a row that a server forgets, the oldest is not waited for: one that forgets all must not fill memory. */
const maximumRetired = 8;
const nothingToCancel: Ticket = { cancel() {} };
const silent: Sink = { note() {}, ask: refuseAsk, done() {}, fail() {} };
