import type { Holder } from '../../http/held-bytes.ts';
import type { Placed, WaitingLine } from '../../lib/waiting-line.ts';
import { code, mcpError } from '../errors.ts';
import type { LargeResult } from '../large-result.ts';
import type {
	Answer,
	Ask,
	Call,
	Caller,
	JsonText,
	McpError,
	Notice,
	Result,
	Sink,
	Ticket,
	Upstream,
} from '../model.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';

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

	/** `over` is called once the connection is free again; `failed`: it may be about to end, too. */
	run(call: ExclusiveCall, over: (failed: boolean) => void): void {
		this.taken = true;
		call.seated((failed) => {
			this.taken = false;
			over(failed);
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
export class ExclusiveCall implements Sink, Ticket, Placed {
	place = -1;
	private readonly call: Call;
	private sink: Sink | null;
	/** Where it waits for its turn. */
	private readonly line: WaitingLine<ExclusiveCall>;
	private ticket: Ticket | null = null;
	private over: ((failed: boolean) => void) | null = null;
	/** Ends the questions that come before the call; null when there are none. */
	private asking: (() => void) | null = null;

	constructor(call: Call, sink: Sink, line: WaitingLine<ExclusiveCall>) {
		this.call = call;
		this.sink = sink;
		this.line = line;
	}

	/** Whether the client has taken it back. */
	get gone(): boolean {
		return this.sink === null;
	}

	/** It has a connection; `over` is called once it needs it no longer. */
	seated(over: (failed: boolean) => void): void {
		this.over = over;
		if (this.sink === null) this.leave(false);
	}

	run(upstream: Upstream): void {
		this.start((call, sink) => upstream.start(call, sink));
	}

	/** Sends it, or has it wait elsewhere. */
	start(start: (call: Call, sink: Sink) => Ticket): void {
		if (this.sink === null) return;
		const ticket = start(this.call, this);
		// One that was refused at once has nothing to be taken back.
		if (!this.gone) this.ticket = ticket;
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

	cancel(reason?: string): void {
		if (this.sink === null) return;
		if (this.ticket !== null) return this.ticket.cancel(reason);
		this.asking?.();
		this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	note(notice: Notice): void {
		this.sink?.note(notice);
	}

	ask(ask: Ask): void {
		if (this.sink === null) refuseAsk(ask);
		else this.sink.ask(ask);
	}

	paused(): void {
		this.sink?.paused?.();
	}

	done(result: Result): void {
		const { sink } = this;
		this.leave(false);
		sink?.done(result);
	}

	inPieces(result: LargeResult): readonly JsonText[] | null {
		return this.sink?.inPieces?.(result) ?? null;
	}

	pass(pieces: readonly JsonText[]): void {
		const { sink } = this;
		this.leave(false);
		sink?.pass?.(pieces);
	}

	fail(error: McpError): void {
		const { sink } = this;
		this.leave(true);
		sink?.fail(error);
	}

	private leave(failed: boolean): void {
		const { over } = this;
		this.sink = null;
		this.over = null;
		this.line.remove(this);
		over?.(failed);
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

	progress(params: JsonText, holder?: Holder | null): void {
		this.ask.progress(params, holder);
	}

	onWithdrawn(then: () => void): void {
		this.ask.onWithdrawn(() => {
			then();
			this.answered();
		});
	}
}
