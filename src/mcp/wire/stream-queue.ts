import type { ReplyStream } from '../../http/exchange.ts';

/** What may wait on one stream for its client. */
export interface StreamLimits {
	readonly events: number;
	/** Their size. */
	readonly bytes: number;
}

/** A server may say a thousand things at once; a client is slow only if it leaves them there for longer. */
const burstMs = 1000;

/** An event stream whose client may be slower than the server: says when too much waits. */
export class StreamQueue {
	private readonly stream: ReplyStream;
	private readonly limits: StreamLimits;
	/** Events since the client last had taken all. */
	private waiting = 0;
	private emptyAt = performance.now();

	constructor(stream: ReplyStream, limits: StreamLimits) {
		this.stream = stream;
		this.limits = limits;
	}

	/** Sends an event. False: too much waits already, and the event was not sent. */
	write(event: Buffer): boolean {
		if (this.stream.buffered === 0) {
			this.waiting = 0;
			this.emptyAt = performance.now();
		} else if (this.overfull()) return false;
		this.waiting++;
		this.stream.write(event);
		return true;
	}

	/** Sends what has to be sent whatever waits: the last event, what the client asked to have again, comments. */
	put(text: Buffer | string): void {
		this.stream.write(text);
	}

	end(): void {
		this.stream.end();
	}

	/** The size is looked at before an event, so that a large one alone is not held against a client that reads. */
	private overfull(): boolean {
		if (this.stream.buffered > this.limits.bytes) return true;
		return this.waiting >= this.limits.events && performance.now() - this.emptyAt > burstMs;
	}
}
