import type { SlotList, Slotted } from '../../lib/slot-list.ts';
import type { Call, Notice, Sink, Ticket } from '../model.ts';
import { RelayedCall } from '../relayed-call.ts';

/** The connection that a call is under way on. */
export interface SharedCallOwner {
	/** A log message came with the call; who meant it cannot be told where strangers call at the same time. */
	logged(notice: Notice, sink: Sink, share: SharedCallUser): void;
	ended(call: SharedCall): void;
}

/** Whose call it is. */
export interface SharedCallUser {
	/** Calls of this user that are under way. */
	readonly calls: SlotList<SharedCall>;
}

/** A call over a connection that counts its calls, or on the way to one. */
export class SharedCall extends RelayedCall implements Slotted {
	slot = -1;
	readonly share: SharedCallUser;
	readonly call: Call;
	private readonly owner: SharedCallOwner;

	constructor(owner: SharedCallOwner, share: SharedCallUser, call: Call, sink: Sink) {
		super(sink);
		this.owner = owner;
		this.share = share;
		this.call = call;
	}

	sent(ticket: Ticket): void {
		this.ticket = ticket;
	}

	override note(notice: Notice): void {
		const { sink } = this;
		if (sink === null) return;
		if (notice.method === 'notifications/message') this.owner.logged(notice, sink, this.share);
		else sink.note(notice);
	}

	protected left(): void {
		this.owner.ended(this);
	}
}
