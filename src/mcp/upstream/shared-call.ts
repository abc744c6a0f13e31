import type { SlotList, Slotted } from '../../lib/slot-list.ts';
import { code, mcpError } from '../errors.ts';
import type { LargeResult } from '../large-result.ts';
import type { Ask, Call, JsonText, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';

/** The connection that a call is under way on. */
export interface SharedCallOwner {
	/** A log message came with the call; who meant it cannot be told where strangers call at the same time. */
	logged(notice: Notice, sink: Sink, share: SharedCallUser): void;
	/** The server says something in the middle of a call. */
	heard(): void;
	ended(call: SharedCall): void;
}

/** Whose call it is. */
export interface SharedCallUser {
	/** Calls of this user that are under way. */
	readonly calls: SlotList<SharedCall>;
}

/** A call over a connection that counts its calls, or on the way to one. */
export class SharedCall implements Sink, Ticket, Slotted {
	slot = -1;
	readonly share: SharedCallUser;
	readonly call: Call;
	private readonly owner: SharedCallOwner;
	private sink: Sink | null;
	private ticket: Ticket | null = null;

	constructor(owner: SharedCallOwner, share: SharedCallUser, call: Call, sink: Sink) {
		this.owner = owner;
		this.share = share;
		this.call = call;
		this.sink = sink;
	}

	/** Whether it is over. */
	get gone(): boolean {
		return this.sink === null;
	}

	sent(ticket: Ticket): void {
		this.ticket = ticket;
	}

	cancel(reason?: string): void {
		if (this.sink === null) return;
		if (this.ticket !== null) this.ticket.cancel(reason);
		else this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	note(notice: Notice): void {
		const { sink } = this;
		if (sink === null) return;
		this.owner.heard();
		if (notice.method === 'notifications/message') this.owner.logged(notice, sink, this.share);
		else sink.note(notice);
	}

	ask(ask: Ask): void {
		this.owner.heard();
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
		this.owner.ended(this);
		return sink;
	}
}
