import type {
	Call,
	Caller,
	ClientNotice,
	Failure,
	McpError,
	Resumption,
	Sink,
	Target,
	Ticket,
	Topic,
	Upstream,
	UpstreamEvents,
} from '../model.ts';
import { awayError, code, mcpError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { EraMemory } from './era-memory.ts';
import { Negotiation } from './negotiate.ts';
import { ToolHeaders } from './tool-headers.ts';
import type { TargetOptions } from './target-options.ts';

/** Makes a target. What is learnt about the server's eras is kept for its next connections. */
export function createTarget(options: TargetOptions): Target {
	const memory = new EraMemory(new ToolHeaders((message) => options.warn(message)));
	return {
		name: options.name,
		get local() {
			return options.sessionsEnd?.() ?? !options.overHttp;
		},
		open: (caller, events, resume) => new NegotiatedUpstream(options, memory, caller, events, resume),
	};
}

/** An upstream that negotiates first and then hands calls to the connection. */
class NegotiatedUpstream implements Upstream {
	private readonly options: TargetOptions;
	private readonly memory: EraMemory;
	private readonly caller: Caller;
	private readonly events: UpstreamEvents;
	private negotiation: Negotiation;
	private connection: Connection | null = null;
	private failure: Failure | null = null;
	private closed = false;
	/** Calls that wait for the server's next session; null while there is one. */
	private lost: LostTicket[] | null = null;
	/** Sessions that the server has forgotten; answers may still be on their way. */
	private readonly retired: Negotiation[] = [];

	constructor(
		options: TargetOptions,
		memory: EraMemory,
		caller: Caller,
		events: UpstreamEvents,
		resume: Resumption | null,
	) {
		this.options = options;
		this.memory = memory;
		this.caller = caller;
		this.events = events;
		this.negotiation = this.negotiate(resume);
		// Whoever opens must have the upstream in hand before the first event comes.
		setImmediate(() => {
			if (!this.closed) this.negotiation.begin();
		});
	}

	get pid(): number | null {
		return this.negotiation.pid;
	}

	get resumption(): Resumption | null {
		return this.negotiation.resumption;
	}

	start(call: Call, sink: Sink): Ticket {
		if (this.lost !== null) return this.wait(call, sink);
		if (this.connection !== null && this.failure === null) return this.connection.start(call, sink);
		sink.fail(this.unavailable());
		return nothingToCancel;
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

	async close(keepSession = false): Promise<void> {
		this.closed = true;
		this.settleLost((ticket) => ticket.fail(this.unavailable()));
		await Promise.all([...this.retired, this.negotiation].map((one) => one.close(keepSession)));
	}

	private negotiate(resume: Resumption | null): Negotiation {
		return new Negotiation(
			this.options,
			this.memory,
			this.caller,
			{
				ready: (connection) => this.ready(connection),
				failed: (failure) => {
					if (this.closed || this.failure !== null) return;
					this.failure = failure;
					this.settleLost((ticket) => ticket.fail(this.unavailable()));
					this.events.failed(failure);
				},
				note: (notice) => this.events.note(notice),
				ask: (ask) => this.events.ask(ask),
				lost: (call, sink) => this.repeat(call, sink),
				forgotten: () => this.renew(),
			},
			resume,
		);
	}

	private ready(connection: Connection): void {
		if (this.closed) return;
		this.connection = connection;
		this.events.ready(connection.server);
		this.settleLost((ticket) => ticket.start(connection));
	}

	/** The server has forgotten the session and has not run the call: a new session is opened, the call sent once more. */
	private repeat(call: Call, sink: Sink): Ticket {
		if (this.closed || this.failure !== null) {
			sink.fail(this.unavailable());
			return nothingToCancel;
		}
		this.renew();
		return this.wait(call, sink);
	}

	/** Opens a new session; calls wait for it. */
	private renew(): void {
		if (this.closed || this.failure !== null || this.lost !== null) return;
		this.lost = [];
		this.negotiation.retire();
		this.retired.push(this.negotiation);
		if (this.retired.length > maximumRetired) void this.retired.shift()?.close(true);
		this.connection = null;
		this.negotiation = this.negotiate(null);
		this.negotiation.begin();
	}

	private wait(call: Call, sink: Sink): Ticket {
		const ticket = new LostTicket(call, sink);
		if (this.lost === null || this.lost.length >= maximumLost) ticket.fail(this.unavailable());
		else this.lost.push(ticket);
		return ticket;
	}

	private settleLost(settle: (ticket: LostTicket) => void): void {
		const { lost } = this;
		this.lost = null;
		for (const ticket of lost ?? []) settle(ticket);
	}

	private unavailable(): McpError {
		const otherwise = this.closed ? 'the connection was closed' : 'it has not answered yet';
		return awayError(this.options.name, this.failure, otherwise);
	}
}

const maximumLost = 1000;
/** Of more sessions in a row that a server forgets, the oldest is not waited for: one that forgets all must not fill memory. */
const maximumRetired = 8;
const nothingToCancel: Ticket = { cancel() {} };

/** A call that waits for a session. A second loss fails it: the server is not to be trusted with its sessions. */
class LostTicket implements Ticket {
	private readonly call: Call;
	private sink: Sink | null;
	private ticket: Ticket | null = null;

	constructor(call: Call, sink: Sink) {
		this.call = call;
		this.sink = sink;
	}

	start(connection: Connection): void {
		const { sink } = this;
		if (sink === null) return;
		this.sink = null;
		this.ticket = connection.start(this.call, sink, true);
	}

	fail(error: McpError): void {
		this.sink?.fail(error);
		this.sink = null;
	}

	cancel(reason?: string): void {
		if (this.ticket !== null) return this.ticket.cancel(reason);
		this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}
}
