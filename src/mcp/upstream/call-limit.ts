import { code, mcpError, tooMuch } from '../errors.ts';
import type { Ask, Call, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { refuseAsk } from '../refuse-ask.ts';

/** Starts a call for real. */
export type StartCall = (call: Call, sink: Sink) => Ticket;

/** So many times as many calls wait as may be under way. */
const waitingShare = 4;
/** Who waits longer is told to come again. */
const longestWaitMs = 30_000;

/** How many calls one target gets at once, over all connections. The next ones wait in their order, then are refused. */
export class CallLimit {
	private readonly target: string;
	private readonly maximum: number;
	private open = 0;
	private readonly waiting: LimitedCall[] = [];

	constructor(target: string, maximum: number) {
		this.target = target;
		this.maximum = maximum;
	}

	start(begin: StartCall, call: Call, sink: Sink): Ticket {
		const one = new LimitedCall(this, begin, call, sink);
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
		const next = this.waiting.shift();
		if (next !== undefined) this.run(next);
	}

	/** A call does not wait any longer. */
	forget(one: LimitedCall): void {
		const at = this.waiting.indexOf(one);
		if (at >= 0) this.waiting.splice(at, 1);
	}

	tooMany(): McpError {
		const { target } = this;
		return { ...tooMuch(`target "${target}" has too many calls under way (maxConcurrentCalls)`), target };
	}

	private run(one: LimitedCall): void {
		this.open++;
		one.run();
	}
}

/** A call that is counted, or waits for its turn. */
class LimitedCall implements Sink, Ticket {
	private readonly limit: CallLimit;
	private readonly begin: StartCall;
	private readonly call: Call;
	private sink: Sink | null;
	private ticket: Ticket | null = null;
	private running = false;
	private timer: NodeJS.Timeout | null = null;

	constructor(limit: CallLimit, begin: StartCall, call: Call, sink: Sink) {
		this.limit = limit;
		this.begin = begin;
		this.call = call;
		this.sink = sink;
	}

	wait(ms: number): void {
		this.timer = setTimeout(() => {
			this.limit.forget(this);
			this.fail(this.limit.tooMany());
		}, ms);
		this.timer.unref();
	}

	run(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.running = true;
		const ticket = this.begin(this.call, this);
		if (this.sink !== null) this.ticket = ticket;
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

	fail(error: McpError): void {
		this.end()?.fail(error);
	}

	private end(): Sink | null {
		const { sink } = this;
		if (sink === null) return null;
		this.sink = null;
		if (this.timer !== null) clearTimeout(this.timer);
		if (this.running) this.limit.left();
		return sink;
	}
}
