import type { HeldBytes } from '../../../http/held-bytes.ts';
import type { Scanned } from '../../../lib/json-scan.ts';
import type { Printed } from '../../../processes/process-output.ts';
import type { Ticket } from '../../model.ts';
import type { ResultFrame } from './result-frame.ts';

/**
 * Moves JSON-RPC messages between a dialect and one server. Knows framing, correlation and time, not MCP versions.
 */
export interface Transport {
	/** Sends a request. `receiver` gets what belongs to it, the response last; it settles exactly once. */
	request(request: OutboundRequest, receiver: Receiver): Ticket;
	/** Sends what wants no answer; faults show on later requests. */
	post(post: OutboundPost): void;
	/** Receives what belongs to no request: stdio at once, Streamable HTTP by opening the GET stream. */
	listen(receiver: Receiver, headers: readonly string[]): Ticket;
	/** Tells the server that its session is over, where the transport has a way to (HTTP DELETE). */
	end?(headers: readonly string[]): Promise<void>;
	/** A call has heard nothing for long: the other end may be gone without a word. */
	suspect?(): void;
	close(): Promise<void>;
	/** Calls `then` once requests can be sent, or are known to fail. Absent: at once. */
	whenStarted?(then: () => void): void;
	/** What the process behind it has printed; absent where there is none. */
	readonly printed?: Printed;
	/** The server has answered the greeting: from now on it is used. */
	established?(): void;
	/** Since when what belongs to no request has come without a gap; null: it does not come now. */
	readonly hearsSince: number | null;
	readonly pid: number | null;
	/** Only servers with a handshake are reached this way: there is no era to find out. */
	readonly handshakeOnly?: true;
}

export interface OutboundRequest {
	/** Unique on this transport; the message carries it as a JSON number, also as its progress token if it wants any. */
	readonly id: number;
	/** The whole JSON-RPC message on one line. */
	readonly message: Buffer;
	/** Further HTTP headers, flat name, value; other transports ignore them. */
	readonly headers: readonly string[];
	/** The answer is a stream that lasts; it must not hold what calls need. */
	readonly lasting?: boolean;
}

/** A notification, or a response to a server's request. */
export interface OutboundPost {
	/** The whole JSON-RPC message on one line. */
	readonly message: Buffer;
	/** As those of a request. */
	readonly headers: readonly string[];
	/** Called once what is sent from then on cannot overtake it. */
	readonly settled?: () => void;
	/** Released when the message is kept no longer: the server has taken it, or it was dropped. */
	readonly held?: HeldBytes | null;
}

/** What comes back. A message that is a response to the request ends it; `failed` ends it without one. */
export interface Receiver {
	/** Root scanned with members of the envelope, of `params` and of `result`. `headers` of the HTTP reply, if any. */
	message(message: Scanned, headers: Readonly<Record<string, string | string[] | undefined>> | null): void;
	failed(fault: TransportFault): void;
	/** Takes the response to the request although nobody has looked into it; absent or false: give it as a message. */
	unread?(frame: ResultFrame): boolean;
	/** The server ended the stream of its answer, and said when it wants to be asked for the rest. */
	paused?(): void;
}

export type TransportFault = (
	| {
			/** An HTTP reply that is no success, or is of a wrong kind. */
			readonly kind: 'http';
			readonly status: number;
			/** At most 64 KiB. */
			readonly body: Buffer;
			/** The server does not know the session: 404, or 400 with words that make it likely. */
			readonly sessionLost: boolean | 'likely';
	  }
	| {
			/** The process ended or could not be started. */
			readonly kind: 'process';
			readonly reason: string;
			readonly remedy: string;
			readonly exitCode: number | null;
			readonly signal: string | null;
			readonly stderr: readonly string[];
			/** There was no room for the process; there may be after so many seconds. */
			readonly retryAfter?: number;
	  }
	| {
			/** Refused, reset, closed too early, timed out. */
			readonly kind: 'io';
			readonly reason: string;
			readonly remedy: string;
			/** The address, with the words of the system: for the log, not for clients. */
			readonly where?: string;
			/** Not the connection is at fault, but what the server answered over it. */
			readonly answered?: true;
			/** The transport is over; a new one may work. */
			readonly over?: true;
			/** The gateway itself was short of something; it may be there after so many seconds. */
			readonly retryAfter?: number;
	  }
) & {
	/** No handler of the server can have seen the request: it may be sent again, whatever it does. */
	readonly neverRan?: true;
};

/** Whether nothing more can be had over the transport that gave this fault: its owner has to open another. */
export function endsTransport(fault: TransportFault): boolean {
	return fault.kind === 'process' || (fault.kind === 'http' ? fault.sessionLost === true : fault.over === true);
}
