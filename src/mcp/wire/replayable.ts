import type { StreamQueue } from './stream-queue.ts';

/** A stream of events that a client may take up again where it lost it. */
export interface ReplayableStream {
	/** Whether a client is there. */
	readonly attached: boolean;
	/** What is sent from now on goes there; where it went before has ended. */
	attach(queue: StreamQueue): void;
	/** The connection is gone; what is sent from now on is only kept. */
	detach(queue: StreamQueue): void;
	/** Sends a message and keeps it. A client that does not keep up loses its connection, and nothing else. */
	send(message: Buffer): void;
	/** Ends the connection, if its client can come back. */
	pause(): void;
	/** Sends the last message; the stream ends with it. */
	finish(message: Buffer): void;
	keepAlive(): void;
}
