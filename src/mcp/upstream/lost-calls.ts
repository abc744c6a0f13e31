import { code, mcpError } from '../errors.ts';
import type { Call, McpError, Sink, Ticket } from '../model.ts';

/** Takes over calls that did not reach their server; null where nothing more can be done for them. */
export interface LostCalls {
	/** The server has forgotten the session, and has not run the call. */
	forgotten(call: Call, sink: Sink): Ticket;
	/** The server was not there, `tries` times already. null: it is not tried again. */
	unreached(call: Call, sink: Sink, tries: number): Ticket | null;
	/** The connection broke in the middle of a call that may be sent twice. */
	broken(call: Call, sink: Sink): Ticket;
}

/** Requests that change nothing at the server. */
export const safeMethods: ReadonlySet<string> = new Set([
	...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list'],
	...['prompts/get', 'resources/read', 'completion/complete', 'ping', 'tasks/get'],
]);

/** A call that waits for a session, or for its next try. */
export class LostCall implements Ticket {
	private readonly call: Call;
	private sink: Sink | null;
	private ticket: Ticket | null = null;
	/** Called when it is taken back before it went on. */
	private readonly left: (lost: LostCall) => void;

	constructor(call: Call, sink: Sink, left: (lost: LostCall) => void) {
		this.call = call;
		this.sink = sink;
		this.left = left;
	}

	/** Goes on with what `start` makes of it. */
	start(start: (call: Call, sink: Sink) => Ticket): void {
		const { sink } = this;
		if (sink === null) return;
		this.sink = null;
		this.ticket = start(this.call, sink);
	}

	fail(error: McpError): void {
		const { sink } = this;
		this.sink = null;
		sink?.fail(error);
	}

	cancel(reason?: string): void {
		if (this.ticket !== null) return this.ticket.cancel(reason);
		if (this.sink === null) return;
		this.left(this);
		this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}
}
