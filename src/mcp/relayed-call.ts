import { refuseAsk } from './asks/refuse-ask.ts';
import { code, mcpError } from './errors.ts';
import type { LargeResult } from './large-result.ts';
import type { Ask, JsonText, McpError, Notice, Result, Sink, Ticket } from './model.ts';

/**
 * A call in the hands of somebody between its client and its connection, who wants to know when it is over. Passes on
 * what comes of it until then, and takes it back where it has got to.
 */
export abstract class RelayedCall implements Sink, Ticket {
	/** The client's; null once the call is over. */
	protected sink: Sink | null;
	/** Where it went on; null before it has. */
	protected ticket: Ticket | null = null;

	constructor(sink: Sink) {
		this.sink = sink;
	}

	/** Whether it is over. */
	get gone(): boolean {
		return this.sink === null;
	}

	cancel(reason?: string): void {
		if (this.sink === null) return;
		if (this.ticket !== null) this.ticket.cancel(reason);
		else this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
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

	/** Called once when the call is over, before its client hears of it. */
	protected abstract left(): void;

	private end(): Sink | null {
		const { sink } = this;
		if (sink === null) return null;
		this.sink = null;
		this.left();
		return sink;
	}
}
