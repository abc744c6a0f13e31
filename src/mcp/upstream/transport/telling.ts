import type { Ticket } from '../../model.ts';
import type { HttpChannel } from './http-channel.ts';
import type { Posted } from './outbox.ts';
import { Posting } from './posting.ts';
import type { Receiver } from './transport.ts';

/**
 * A POST that wants no answer. A server may close an idle connection in the very moment in which it is used again. What
 * is told would be lost with it: a cancellation, or the answer that a call waits for. Heard twice, it does no harm.
 */
export class Telling implements Ticket, Receiver {
	private readonly channel: HttpChannel;
	private readonly headers: readonly string[];
	private readonly body: Buffer;
	private readonly posted: Posted;
	private posting: Posting;
	private again = true;

	constructor(channel: HttpChannel, headers: readonly string[], body: Buffer, posted: Posted) {
		this.channel = channel;
		this.headers = headers;
		this.body = body;
		this.posted = posted;
		this.posting = this.send();
	}

	message(): void {
		this.posted.settle();
	}

	failed(): void {
		if (!this.again || this.posting.answered) return this.posted.end();
		this.again = false;
		this.posting = this.send();
	}

	cancel(): void {
		this.again = false;
		this.posting.cancel();
	}

	private send(): Posting {
		const request = { method: 'POST', headers: this.headers, body: this.body, lasting: false } as const;
		const posting = new Posting(this.channel, request, this, null, null);
		// It may fail at once.
		this.posting = posting;
		posting.send();
		return this.posting;
	}
}
