import type { Printed } from '../../processes/process-output.ts';
import type { Caller } from '../model.ts';
import type { Transport } from './transport/transport.ts';

/** How to reach one server. */
export interface TargetOptions {
	readonly name: string;
	/** Whether the transport is HTTP: decides how eras are probed. */
	readonly overHttp: boolean;
	/** Says what is wrong with a server in the log. */
	warn(message: string): void;
	/** Milliseconds without sign of life after which a call is given up, 0 for never; default 1 h. */
	readonly callTimeout?: number;
	/** Calls under way at once over all connections; null for any number. */
	readonly maxConcurrentCalls?: number | null;
	/** Whether the server's sessions end with their connection, as those over HTTP+SSE do. Absent: only off HTTP. */
	sessionsEnd?(): boolean;
	/** Milliseconds until a connection must stand. Default 120 s for a process, 30 s over HTTP. */
	readonly startTimeout?: number;
	/** Opens a fresh transport; may be called again when a server exits on the probe. */
	openTransport(caller: Caller): Transport;
	/** What the process behind a transport has printed. Absent where there is none. */
	printed?(transport: Transport): Printed | null;
	/**
	 * The other way to a server that refuses to be posted to at its URL with 400, 404 or 405: servers of 2024-11-05 give
	 * a stream there. Absent where there is no other way.
	 */
	openFallback?(): Transport;
}
