import type { ReplyStream } from '../../http/exchange.ts';

/** A stream of events that a client may take up again where it lost it. */
export interface ReplayableStream {
	/** What is sent from now on goes there, too. */
	attach(stream: ReplyStream): void;
	/** Sends a message and keeps it. False: the client does not keep up. */
	send(message: Buffer): boolean;
	/** Sends the last message; the stream ends with it. */
	finish(message: Buffer): void;
	keepAlive(): void;
}
