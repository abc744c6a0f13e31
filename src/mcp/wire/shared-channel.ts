import type { Facts } from '../../facts/facts.ts';
import type { HeldBytes } from '../../http/held-bytes.ts';
import { Dictionary } from '../../lib/dictionary.ts';
import type { ReplyChannel, Stoppable } from './channel.ts';

/** What carries the messages of a shared channel: an event stream, or stdout. */
export interface ChannelOutput {
	/** False: the message lies in a queue; `SharedChannel.drained` is to be called once the queue is empty. */
	write(message: Buffer): boolean;
	/** The client does not keep up. Until the queue is empty only responses are written. */
	overflow(): void;
	/** A request has its response, or was taken back. */
	ended(facts: Facts): void;
}

/** What may wait for a client that reads slowly, in messages and in bytes. */
export interface ChannelLimits {
	readonly maximumEvents: number;
	/** Of everything but responses. */
	readonly maximumBytes: number;
	/** Of responses: they are what the client asked for, and one alone may be as large as a result can be. */
	readonly maximumResponseBytes: number;
}

/**
 * One channel for everything that a client is told: all its calls and what belongs to none share it. Each call gets
 * its part as a `ReplyChannel`, so that the dialogues need not know.
 */
export class SharedChannel {
	private readonly output: ChannelOutput;
	private readonly limits: ChannelLimits;
	private readonly parts = new Dictionary<ChannelPart>();
	private queuedEvents = 0;
	private queuedBytes = 0;
	private queuedResponses = 0;
	private full = false;
	private over = false;
	private whenIdle: (() => void) | null = null;

	constructor(output: ChannelOutput, limits: ChannelLimits) {
		this.output = output;
		this.limits = limits;
	}

	/** Requests that wait for their response. */
	get open(): number {
		return this.parts.size;
	}

	/** Sends a message that is no response. False: it was not sent, because the client does not keep up. */
	send(message: Buffer): boolean {
		if (this.over) return true;
		if (this.full) return false;
		if (this.output.write(message)) this.drained();
		else {
			this.queuedEvents++;
			this.queuedBytes += message.length;
			this.check();
		}
		return !this.full;
	}

	/** Sends the response to a request that never had a part: it waits as any response does, and is not left out. */
	answer(message: Buffer): void {
		if (!this.over) this.respond(message);
	}

	/** The part of a request whose id, as JSON text, this is. `body` is released when it is over. */
	part(id: Buffer, facts: Facts, body: HeldBytes | null = null): ChannelPart {
		const key = id.toString('latin1');
		// A second request with the id of an open one is refused by who reads it; its part must not hide the first.
		if (this.parts.get(key) !== undefined) return new ChannelPart(this, null, facts, body);
		const part = new ChannelPart(this, key, facts, body);
		this.parts.add(key, part);
		return part;
	}

	/** The part of an open request; `id` is JSON text. */
	find(id: string): ChannelPart | undefined {
		return this.parts.get(id);
	}

	/** Takes back every call that is under way. */
	cancelAll(reason: string): void {
		for (const part of this.parts.all()) part.cancel(reason);
	}

	/** Ends every request that waits for its response, with the error that says that the gateway stops. */
	stopAll(): void {
		for (const part of this.parts.all()) part.answering?.stop();
	}

	/** Calls `then` as soon as no request waits for its response. */
	onIdle(then: () => void): void {
		if (this.open === 0) then();
		else this.whenIdle = then;
	}

	/** All that was written has left. */
	drained(): void {
		this.queuedEvents = 0;
		this.queuedBytes = 0;
		this.queuedResponses = 0;
		this.full = false;
	}

	/** Nobody reads any more. */
	close(): void {
		if (this.over) return;
		this.over = true;
		for (const part of this.parts.all()) part.leave();
	}

	/** Sends a response; null: the client does not want it any more. */
	finish(part: ChannelPart, message: Buffer | null): void {
		if (part.key !== null) this.parts.delete(part.key);
		if (message !== null && !this.over) this.respond(message);
		this.output.ended(part.facts);
		if (this.open > 0) return;
		const then = this.whenIdle;
		this.whenIdle = null;
		then?.();
	}

	private respond(message: Buffer): void {
		if (this.output.write(message)) return this.drained();
		this.queuedResponses += message.length;
		// The last one does not count: large as it may be, it is no proof that nobody reads.
		if (this.queuedResponses - message.length > this.limits.maximumResponseBytes) this.overflow();
	}

	private check(): void {
		if (this.queuedEvents > this.limits.maximumEvents || this.queuedBytes > this.limits.maximumBytes) this.overflow();
	}

	private overflow(): void {
		if (this.full) return;
		this.full = true;
		this.output.overflow();
	}
}

/** What one request has of a shared channel. */
export class ChannelPart implements ReplyChannel {
	/** Under which the channel knows it; null when it does not. */
	readonly key: string | null;
	readonly facts: Facts;
	answering: Stoppable | null = null;
	private readonly channel: SharedChannel;
	private readonly body: HeldBytes | null;
	private call: { cancel(reason?: string): void } | null = null;
	private gone: (() => void) | null = null;
	private silent = false;
	private over = false;

	constructor(channel: SharedChannel, key: string | null, facts: Facts, body: HeldBytes | null) {
		this.channel = channel;
		this.body = body;
		this.key = key;
		this.facts = facts;
	}

	/** Hands over the way to take the call back. */
	follow(call: { cancel(reason?: string): void }): void {
		if (!this.over) this.call = call;
	}

	cancel(reason?: string): void {
		this.call?.cancel(reason);
	}

	/** The client takes the request back, and does not want to hear of it any more. */
	silence(): void {
		this.silent = true;
	}

	send(message: Buffer): boolean {
		return this.channel.send(message);
	}

	finish(message: Buffer): void {
		if (this.over) return;
		this.over = true;
		this.call = null;
		this.answering = null;
		this.body?.release();
		this.channel.finish(this, this.silent ? null : message);
	}

	onGone(gone: () => void): void {
		this.gone = gone;
	}

	/** The client has gone. */
	leave(): void {
		const { gone } = this;
		this.gone = null;
		this.body?.release();
		gone?.();
	}
}
