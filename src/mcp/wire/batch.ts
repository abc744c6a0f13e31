import type { ReplyChannel, Stoppable } from './channel.ts';
import type { HttpChannel } from './http-channel.ts';

/**
 * The reply to a batch (JSON-RPC 2.0, "Batch"; MCP 2025-03-26 only): one JSON array of responses, or a stream with an
 * event for each message when something comes before a response or when it takes long.
 */
export class BatchReply implements Stoppable {
	private readonly channel: HttpChannel;
	/** Responses that are still to come. */
	private missing: number;
	/** Responses that wait for the others; null once they go out as they come. */
	private ready: Buffer[] | null = [];
	private readonly parts: BatchPart[] = [];

	/** `count` responses make the reply. */
	constructor(channel: HttpChannel, count: number) {
		this.channel = channel;
		this.missing = count;
		channel.answering = this;
		channel.opened = () => {
			const early = this.ready ?? [];
			this.ready = null;
			for (const message of early) channel.send(message);
		};
	}

	/** The channel of one request. */
	part(): ReplyChannel {
		const part = new BatchPart(this, this.channel);
		this.parts.push(part);
		return part;
	}

	stop(): void {
		for (const part of this.parts) part.answering?.stop();
	}

	/** One of the responses. */
	answered(message: Buffer): void {
		const last = --this.missing === 0;
		if (this.ready !== null) {
			this.ready.push(message);
			if (last) this.channel.finish(arrayOf(this.ready), 200);
		} else if (last) this.channel.finish(message, 200);
		else this.channel.send(message);
	}
}

class BatchPart implements ReplyChannel {
	answering: Stoppable | null = null;
	private readonly batch: BatchReply;
	private readonly channel: HttpChannel;

	constructor(batch: BatchReply, channel: HttpChannel) {
		this.batch = batch;
		this.channel = channel;
	}

	send(message: Buffer): boolean {
		return this.channel.send(message);
	}

	finish(message: Buffer): void {
		this.batch.answered(message);
	}

	get deserted(): boolean {
		return this.channel.deserted;
	}

	onGone(gone: () => void): void {
		this.channel.onGone(gone);
	}
}

function arrayOf(messages: readonly Buffer[]): Buffer {
	const parts: Buffer[] = [];
	for (const message of messages) parts.push(parts.length === 0 ? opening : comma, message);
	return Buffer.concat([...parts, closing]);
}

const opening = Buffer.from('[');
const comma = Buffer.from(',');
const closing = Buffer.from(']');
