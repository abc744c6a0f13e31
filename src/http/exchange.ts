import type { Facts } from '../facts/facts.ts';
import type { BodyHolder } from './held-bytes.ts';

/**
 * One HTTP request in flight. Callbacks, not promises: this is the path where 2 µs count (docs/benchmarks.md).
 * A reply is given once, by `respond` or by `stream`.
 */
export interface Exchange extends BodyHolder {
	readonly method: string;
	/** Path without query, percent-encoding kept, always starting with `/`. */
	readonly path: string;
	/** Query without `?`, possibly empty. */
	readonly query: string;
	/** Value of the (only) Host header, lower case; empty when there is none. */
	readonly host: string;
	/** Names in lower case. */
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	/** Whether the connection came over loopback. */
	readonly overLoopback: boolean;
	/** Whether the connection is done with it: the reply has been sent, or the client has gone. */
	readonly closed: boolean;
	/** What logs and metrics may read of this request; stages add to it. */
	readonly facts: Facts;
	/** What ends the reply in its own words when a drain is over; without it, or if it does nothing, the server does. */
	expiring: Expiring | null;

	/** Reads the whole body. `done` gets it, or the refusal to answer with. Called once per exchange. */
	body(limit: number, done: (body: Buffer | Refusal) => void): void;
	/** Answers with a whole body, a large one in pieces. `headers` is flat: name, value, name, value. */
	respond(status: number, headers: readonly string[], body: Buffer | readonly Buffer[] | string | null): void;
	/** Answers with a stream that the caller ends. */
	stream(status: number, headers: readonly string[]): ReplyStream;
	/** `gone` is called once if the client goes away before the reply has ended. */
	onGone(gone: () => void): void;
}

/** Something that is still under way when a drain is over. */
export interface Expiring {
	/** Ends the reply now, with what tells the client why. */
	expire(): void;
	/** A fault was thrown, and somebody else replies: what was taken for the reply is given back. */
	broke?(): void;
	/** The exchange is about to close. What still works on its request has to keep its body now. */
	closing?(): void;
}

/** A reply that is written bit by bit. */
export interface ReplyStream {
	/** False: the client reads slowly, wait for `onDrain`. */
	write(chunk: Buffer | string): boolean;
	end(): void;
	onDrain(drain: () => void): void;
	/** Bytes that the client has not taken yet. */
	readonly buffered: number;
}

/** An answer that a stage gives instead of passing the request on. Data, not an exception. */
export interface Refusal {
	readonly refused: true;
	readonly status: number;
	readonly message: string;
	/** One of the `reason` values of the metrics, such as `NotFound`. */
	readonly reason: string;
	readonly headers?: readonly string[];
}

/** What answers a request at the end of a route. */
export interface Backend {
	handle(exchange: Exchange): void;
}
