import { refuseAsk } from '../asks/refuse-ask.ts';
import type { Answer, Ask, Call, Caller, JsonText, Sink, Upstream } from '../model.ts';
import { RelayedCall } from '../relayed-call.ts';

/** A server that wants to know its client's roots asks for them within this time of the handshake. */
const settleMs = 100;
/** So long it takes a server to make use of an answer that it asked for outside calls. */
const digestMs = 50;
/** More questions outside calls are not kept. */
const maximumHeld = 16;

/**
 * A connection that carries one call at a time. What its server asks while no call is open, such as for the client's
 * roots right after the handshake, waits for the next call, and is put to its client before the call is sent: a server
 * that does not know the roots refuses what lies within them.
 */
export class Seat {
	readonly upstream: Upstream;
	taken = false;
	private readonly held: Ask[] = [];
	/** Whether any call's client could be asked. */
	private readonly answers: boolean;
	/** Until when the server's first questions are waited for, on the monotonic clock. */
	private readonly settledAt: number;

	constructor(upstream: Upstream, caller: Caller) {
		this.upstream = upstream;
		this.answers = caller.interactive;
		this.settledAt = caller.capabilities.includes('"roots"') ? performance.now() + settleMs : 0;
	}

	hold(ask: Ask): void {
		if (!this.answers || this.held.length >= maximumHeld) return refuseAsk(ask);
		this.held.push(ask);
		ask.onWithdrawn(() => {
			const at = this.held.indexOf(ask);
			if (at >= 0) this.held.splice(at, 1);
		});
	}

	/** `over` is called once the connection is free again. */
	run(call: ExclusiveCall, over: () => void): void {
		this.taken = true;
		call.seated(() => {
			this.taken = false;
			over();
		});
		const wait = this.settledAt - performance.now();
		if (wait > 0) setTimeout(() => this.begin(call), wait);
		else this.begin(call);
	}

	private begin(call: ExclusiveCall): void {
		if (call.gone) return;
		if (this.held.length === 0) return call.run(this.upstream);
		call.askFirst(this.held.splice(0), (unanswered) => {
			for (const ask of unanswered) this.hold(ask);
			setTimeout(() => call.run(this.upstream), digestMs);
		});
	}
}

/** A call with a connection of its own, or on the way to one. */
export class ExclusiveCall extends RelayedCall {
	private readonly call: Call;
	private over: (() => void) | null = null;
	/** Ends the questions that come before the call; null when there are none. */
	private asking: (() => void) | null = null;

	constructor(call: Call, sink: Sink) {
		super(sink);
		this.call = call;
	}

	/** It has a connection; `over` is called once it needs it no longer. */
	seated(over: () => void): void {
		if (this.gone) over();
		else this.over = over;
	}

	run(upstream: Upstream): void {
		if (this.sink !== null) this.ticket = upstream.start(this.call, this);
	}

	/** Puts questions to the client before the call. `then` gets those that were not answered. */
	askFirst(asks: readonly Ask[], then: (unanswered: readonly Ask[]) => void): void {
		const open = new Set(asks);
		this.asking = () => {
			this.asking = null;
			then([...open]);
		};
		for (const ask of asks) {
			this.ask(
				new ForwardedAsk(ask, () => {
					open.delete(ask);
					if (open.size === 0) this.asking?.();
				}),
			);
		}
	}

	protected left(): void {
		this.asking?.();
		this.over?.();
	}
}

/** A question whose answer somebody else wants to know of. */
class ForwardedAsk implements Ask {
	readonly method: string;
	readonly params: JsonText | null;
	private readonly ask: Ask;
	private readonly answered: () => void;

	constructor(ask: Ask, answered: () => void) {
		this.method = ask.method;
		this.params = ask.params;
		this.ask = ask;
		this.answered = answered;
	}

	answer(answer: Answer): void {
		this.ask.answer(answer);
		this.answered();
	}

	progress(params: JsonText): void {
		this.ask.progress(params);
	}

	onWithdrawn(then: () => void): void {
		this.ask.onWithdrawn(() => {
			then();
			this.answered();
		});
	}
}
