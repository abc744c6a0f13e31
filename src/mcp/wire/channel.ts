import type { BodyHolder } from '../../http/held-bytes.ts';

/** A call that can be told that nobody waits for it any longer. */
export interface Stoppable {
	/** Answers now, with the error that says that the gateway stops. */
	stop(): void;
}

/** Where the messages that belong to one request of a client go. */
export interface ReplyChannel {
	/** Sends a message that comes before the response. False: the client does not keep up. */
	send(message: Buffer): boolean;
	/** Sends the response, after which nothing follows. `status` counts where HTTP has said nothing yet. */
	finish(message: Buffer, status: number): void;
	/** What is to give the response; it sets itself. */
	answering: Stoppable | null;
	/** Sends the response, a large one in pieces, with status 200; absent: the pieces are to be put together. */
	finishPieces?(pieces: readonly Buffer[]): void;
	/** The response will take its time: a client that can come back for it may hang up. */
	pause?(): void;
	/** Counts what is kept of the request; absent: nobody does. */
	readonly exchange?: BodyHolder;
	/** Whether nobody is there to read what is sent, though somebody may come back for it; absent: somebody is. */
	readonly deserted?: boolean;
	/** `gone` is called once if the client goes away before the response. */
	onGone(gone: () => void): void;
}
