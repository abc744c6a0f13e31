import type { Call, Caller, ClientNotice, Failure, Sink, Target, Ticket, Upstream, UpstreamEvents } from '../model.ts';
import { code, mcpError } from '../errors.ts';
import type { Connection } from './dialect.ts';
import { type EraMemory, Negotiation } from './negotiate.ts';
import type { TargetOptions } from './target-options.ts';

/** Makes a target. What is learnt about the server's era is kept for its next connections. */
export function createTarget(options: TargetOptions): Target {
	const memory: EraMemory = { era: null };
	return {
		name: options.name,
		open: (caller, events) => new NegotiatedUpstream(options, memory, caller, events),
	};
}

/** An upstream that negotiates first and then hands calls to the connection. */
class NegotiatedUpstream implements Upstream {
	private readonly name: string;
	private readonly negotiation: Negotiation;
	private connection: Connection | null = null;
	private failure: Failure | null = null;
	private closed = false;

	constructor(options: TargetOptions, memory: EraMemory, caller: Caller, events: UpstreamEvents) {
		this.name = options.name;
		this.negotiation = new Negotiation(options, memory, caller, {
			ready: (connection) => {
				if (this.closed) return;
				this.connection = connection;
				events.ready(connection.server);
			},
			failed: (failure) => {
				if (this.closed || this.failure !== null) return;
				this.failure = failure;
				events.failed(failure);
			},
			note: (notice) => events.note(notice),
		});
		// Whoever opens must have the upstream in hand before the first event comes.
		setImmediate(() => {
			if (!this.closed) this.negotiation.begin();
		});
	}

	get pid(): number | null {
		return this.negotiation.pid;
	}

	start(call: Call, sink: Sink): Ticket {
		if (this.connection !== null && this.failure === null) return this.connection.start(call, sink);
		const reason = this.failure?.reason ?? 'it has not answered yet';
		sink.fail(mcpError(code.internal, `target "${this.name}" is not available: ${reason}`, this.name));
		return { cancel() {} };
	}

	notify(notice: ClientNotice): void {
		this.connection?.notify(notice);
	}

	close(): Promise<void> {
		this.closed = true;
		return this.negotiation.close();
	}
}
