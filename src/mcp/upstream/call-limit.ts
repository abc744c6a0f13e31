import { code, mcpError, tooMuch } from '../errors.ts';
import type { LargeResult } from '../large-result.ts';
import type { Ask, Call, JsonText, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';

/** A connection whose calls are counted. */
export interface LimitUser {
	/** Its calls that wait for their turn. */
	queued: number;
	/** Starts a call for real. */
	begin(call: Call, sink: Sink): Ticket;
	/** A bug showed while it was started: what its client is told. */
	faulted(fault: unknown): McpError;
}

/** So many times as many calls wait as may be under way. */
const waitingShare = 4;
/** Who waits longer is told to come again. */
const longestWaitMs = 30_000;

/** How many calls one target gets at once, over all connections. The next ones wait in their order, then are refused. */
export class CallLimit {
	private readonly target: string;
	private readonly maximum: number;
	private open = 0;
	private calling = false;
	private readonly waiting: LimitedCall[] = [];

	constructor(target: string, maximum: number) {
		this.target = target;
		this.maximum = maximum;
	}

	start(user: LimitUser, call: Call, sink: Sink): Ticket {
		const one = new LimitedCall(this, user, call, sink);
		if (this.open < this.maximum) this.run(one);
		else if (this.waiting.length >= this.maximum * waitingShare) one.fail(this.tooMany());
		else {
			this.waiting.push(one);
			one.wait(longestWaitMs);
		}
		return one;
	}

	/** A call that ran is over. */
	left(): void {
		this.open--;
		this.callUp();
	}

	/** A call does not wait any longer. */
	forget(one: LimitedCall): void {
		const at = this.waiting.indexOf(one);
		if (at >= 0) this.waiting.splice(at, 1);
	}

	/** A connection ends: those of its calls that wait have nothing to wait for. */
	leave(user: LimitUser, error: McpError): void {
		if (user.queued === 0) return;
		for (const one of this.waiting.filter((call) => call.user === user)) {
			this.forget(one);
			one.fail(error);
		}
	}

	tooMany(): McpError {
		const { target } = this;
		return { ...tooMuch(`target "${target}" has too many calls under way (maxConcurrentCalls)`), target };
	}

	private run(one: LimitedCall): void {
		this.open++;
		one.run();
	}

	/** Starts who waits. One that is refused at once leaves in the middle of it: thousands would be as many calls deep. */
	private callUp(): void {
		if (this.calling) return;
		this.calling = true;
		try {
			while (this.open < this.maximum) {
				const next = this.waiting.shift();
				if (next === undefined) return;
				this.run(next);
			}
		} finally {
			this.calling = false;
		}
	}
}

/** A call that is counted, or waits for its turn. */
class LimitedCall implements Sink, Ticket {
	private readonly limit: CallLimit;
	readonly user: LimitUser;
	private readonly call: Call;
	private sink: Sink | null;
	private ticket: Ticket | null = null;
	private running = false;
	private timer: NodeJS.Timeout | null = null;

	constructor(limit: CallLimit, user: LimitUser, call: Call, sink: Sink) {
		this.limit = limit;
		this.user = user;
		this.call = call;
		this.sink = sink;
	}

	wait(ms: number): void {
		this.user.queued++;
		this.timer = setTimeout(() => {
			this.limit.forget(this);
			this.fail(this.limit.tooMany());
		}, ms);
		this.timer.unref();
	}

	run(): void {
		this.stopWaiting();
		this.running = true;
		try {
			const ticket = this.user.begin(this.call, this);
			if (this.sink !== null) this.ticket = ticket;
		} catch (fault) {
			// Thrown on, it would keep this place, and another's answer from its client: that is what has made room.
			this.fail(this.user.faulted(fault));
		}
	}

	cancel(reason?: string): void {
		if (this.sink === null) return;
		if (this.ticket !== null) return this.ticket.cancel(reason);
		this.limit.forget(this);
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
		this.end()?.done(result);
	}

	inPieces(result: LargeResult): readonly JsonText[] | null {
		return this.sink?.inPieces?.(result) ?? null;
	}

	pass(pieces: readonly JsonText[]): void {
		this.end()?.pass?.(pieces);
	}

	fail(error: McpError): void {
		this.end()?.fail(error);
	}

	private end(): Sink | null {
		const { sink } = this;
		if (sink === null) return null;
		this.sink = null;
		this.stopWaiting();
		if (this.running) this.limit.left();
		return sink;
	}

	private stopWaiting(): void {
		if (this.timer === null) return;
		clearTimeout(this.timer);
		this.timer = null;
		this.user.queued--;
	}
}
