import type { Member, Scanned } from '../../lib/json-scan.ts';
import type { Slotted } from '../../lib/slot-list.ts';
import { code, mcpError } from '../errors.ts';
import { askingMethods } from '../legs/lanes.ts';
import { LargeResult } from '../large-result.ts';
import type { Call, McpError, Result, Sink, Ticket } from '../model.ts';
import type { Dialect } from './dialect.ts';
import { memberOf, OnceSink } from './message.ts';
import type { ResultFrame } from './transport/result-frame.ts';
import type { Receiver, TransportFault } from './transport/transport.ts';

/** The connection that a call is under way on. */
export interface CallOwner {
	readonly dialect: Dialect;
	/** The monotonic clock, good enough for time-outs. */
	readonly now: number;
	/** The server has answered a call. */
	answered(): void;
	readResult(call: Call, scanned: Scanned, result: Member): Result;
	errorOf(scanned: Scanned, error: Member): McpError;
	/** The transport gave up on a call. */
	faulted(fault: TransportFault): McpError;
	/** Goes on with a call that the transport gave up on; null where it must not be sent again. */
	recover(call: Call, sink: Sink, fault: TransportFault, sent: Sent): Ticket | null;
	/** A message came with the call that is no answer. */
	unsolicited(scanned: Scanned, call: OpenCall): void;
	cancelled(id: number, reason: string | undefined): void;
	ended(call: OpenCall): void;
	/** The server did not like the headers of the call, which it has not run. */
	relist(call: Call, sink: Sink): Ticket;
}

/** How a call was sent before. */
export interface Sent {
	/** Whether a server may have seen it. Then it is not sent a third time. */
	readonly repeated: boolean;
	/** How often no server could be reached. */
	readonly tries: number;
}

/** A call that is on its way. */
export class OpenCall implements Receiver, Ticket, Slotted {
	slot = -1;
	readonly id: number;
	private readonly connection: CallOwner;
	private readonly call: Call;
	private readonly before: Sent;
	/** When the server last gave a sign of life for it. */
	signAt: number;
	private readonly once: OnceSink;
	private ticket: Ticket | null = null;
	/** Where the call went on when it was lost here. */
	private again: Ticket | null = null;

	constructor(connection: CallOwner, id: number, call: Call, sink: Sink, before: Sent) {
		this.connection = connection;
		this.id = id;
		this.call = call;
		this.before = before;
		this.signAt = connection.now;
		this.once = new OnceSink(sink);
	}

	/** null once the call is over. */
	get sink(): Sink | null {
		return this.once.open;
	}

	/** Whether calls like it may be asked something in their middle. */
	get mayBeAsked(): boolean {
		return askingMethods.has(this.call.method);
	}

	/** Whether a server may ask something in its middle now. */
	get askable(): boolean {
		return this.once.open !== null && this.mayBeAsked;
	}

	sent(ticket: Ticket): void {
		this.ticket = ticket;
	}

	message(scanned: Scanned): void {
		if (this.once.open === null) return;
		this.signAt = this.connection.now;
		const result = memberOf(scanned.members, 'result');
		if (result !== null && !(isNull(scanned, result) && this.hasError(scanned))) return this.read(scanned, result);
		const error = memberOf(scanned.members, 'error');
		if (error !== null) return this.refused(this.connection.errorOf(scanned, error));
		if (memberOf(scanned.members, 'method') !== null) return this.connection.unsolicited(scanned, this);
		this.end()?.fail(mcpError(code.internal, 'the server gave an answer with neither result nor error'));
	}

	/** A large result goes on in its pieces where nobody on its way has to change what stands deep inside. */
	unread(frame: ResultFrame): boolean {
		const sink = this.once.open;
		if (sink?.inPieces === undefined || sink.pass === undefined || this.call.method === 'tools/list') return false;
		const { handshake } = this.connection.dialect;
		// Without a handshake it is the result that says of which type it is.
		if (!handshake && !frame.complete) return false;
		const pieces = sink.inPieces(new LargeResult(frame.pieces, !handshake));
		if (pieces === null) return false;
		this.connection.answered();
		this.end();
		sink.pass(pieces);
		return true;
	}

	failed(fault: TransportFault): void {
		const sink = this.end();
		if (sink !== null) this.again = this.connection.recover(this.call, sink, fault, this.before);
		if (this.again === null) {
			const error = this.connection.faulted(fault);
			sink?.fail(error);
		}
	}

	paused(): void {
		this.once.open?.paused?.();
	}

	cancel(reason?: string): void {
		if (this.again !== null) return this.again.cancel(reason);
		if (this.once.open === null) return;
		this.ticket?.cancel(reason);
		this.connection.cancelled(this.id, reason);
		this.end()?.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	/** The connection is over. */
	abandon(error: McpError): void {
		this.end()?.fail(error);
	}

	/** Gives the call up because of what its server did. */
	refuse(error: McpError, reason?: string): void {
		if (this.once.open === null) return;
		this.ticket?.cancel();
		this.connection.cancelled(this.id, reason);
		this.end()?.fail(error);
	}

	/** Clients rely on it that results are objects: what else comes is told by whom it came. */
	private read(scanned: Scanned, result: Member): void {
		if (scanned.text[result.start] === 0x7b)
			return this.end()?.done(this.connection.readResult(this.call, scanned, result));
		this.connection.answered();
		this.end()?.fail(mcpError(code.internal, 'the server gave a result that is no object'));
	}

	/** Servers that fill in both members, as JSON-RPC 1.0 did, mean the one that is not null. */
	private hasError(scanned: Scanned): boolean {
		const error = memberOf(scanned.members, 'error');
		return error !== null && !isNull(scanned, error);
	}

	private refused(error: McpError): void {
		const sink = this.end();
		if (sink === null) return;
		if (error.code === code.headerMismatch && this.connection.dialect.mirrors && !this.before.repeated)
			this.again = this.connection.relist(this.call, sink);
		else sink.fail(error);
	}

	private end(): Sink | null {
		const sink = this.once.take();
		this.connection.ended(this);
		return sink;
	}
}

function isNull({ text }: Scanned, { start }: Member): boolean {
	return text[start] === 0x6e;
}
