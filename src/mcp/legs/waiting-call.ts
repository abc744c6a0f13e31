import { code, mcpError } from '../errors.ts';
import type { Call, Sink, Ticket } from '../model.ts';

/** What a call waits for: a leg that is to come back. */
export interface WaitingPlace {
	/** Calls `then` once it is known whether the leg is there. The answer takes it back. */
	whenKnown(then: () => void): () => void;
	startLate(call: Call, sink: Sink): Ticket;
}

/** A call that could not be sent at once. */
export class WaitingCall implements Ticket {
	private readonly leg: WaitingPlace;
	private readonly call: Call;
	private sink: Sink | null;
	private ticket: Ticket | null = null;
	private forget: (() => void) | null = null;

	constructor(leg: WaitingPlace, call: Call, sink: Sink) {
		this.leg = leg;
		this.call = call;
		this.sink = sink;
	}

	begin(): void {
		this.forget = this.leg.whenKnown(() => this.known());
	}

	cancel(reason?: string): void {
		if (this.ticket !== null) return this.ticket.cancel(reason);
		const { sink } = this;
		this.sink = null;
		this.forget?.();
		sink?.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	private known(): void {
		const { sink } = this;
		this.sink = null;
		if (sink !== null) this.ticket = this.leg.startLate(this.call, sink);
	}
}
