import type { Exchange, Expiring } from '../../http/exchange.ts';
import type { HeldBytes } from '../../http/held-bytes.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import type { ReplyForm } from './accept.ts';
import type { ReplyChannel, Stoppable } from './channel.ts';
import { eventOf, keepAlive, keepAliveMs, streamHeaders } from './event-stream.ts';
import type { ReplayableStream } from './replayable.ts';
import { type StreamLimits, StreamQueue } from './stream-queue.ts';

/** What is the same for many channels. */
export interface HttpChannelOptions {
	readonly heartbeat: Heartbeat;
	/** Flat headers of the reply beside the content's own. */
	readonly headers: readonly string[];
	readonly limits: StreamLimits;
	/** Milliseconds of silence after which the reply becomes a stream. */
	readonly patience: number;
	/** Opens the record from which a client that lost the stream reads on; null: streams cannot be resumed. */
	record(): ReplayableStream | null;
}

/** Seconds after which a client may try again what was refused because of what goes on here. */
const retryAfter = ['retry-after', '5'];

/**
 * The reply to one POSTed request: JSON when nothing comes before the response, an SSE stream when something does,
 * when the call is silent for long or when the client likes streams better (Streamable HTTP, "Sending Messages to the
 * Server").
 */
export class HttpChannel implements ReplyChannel, Beating, Expiring {
	slot = -1;
	answering: Stoppable | null = null;
	/** Called once when the reply becomes a stream, which may be long before its first message. */
	opened: (() => void) | null = null;
	readonly exchange: Exchange;
	private readonly options: HttpChannelOptions;
	private readonly form: ReplyForm;
	private queue: StreamQueue | null = null;
	private record: ReplayableStream | null = null;
	private lastWrite = performance.now();
	private over = false;
	/** The request, if the call may go on with it when the exchange has closed. */
	private body: HeldBytes | null = null;

	constructor(exchange: Exchange, options: HttpChannelOptions, form: ReplyForm = 'json') {
		this.exchange = exchange;
		this.options = options;
		this.form = form;
		exchange.expiring = this;
		options.heartbeat.add(this);
	}

	get deserted(): boolean {
		return this.record === null ? this.exchange.closed : !this.record.attached;
	}

	onGone(gone: () => void): void {
		this.exchange.onGone(gone);
	}

	/** The request is under way: a client that likes streams better gets one without waiting for the first message. */
	begun(): void {
		if (this.form === 'stream' && !this.over) this.open();
	}

	send(message: Buffer): boolean {
		if (this.over) return true;
		const queue = this.open();
		this.lastWrite = performance.now();
		if (this.record === null) return queue.write(eventOf(message));
		this.record.send(message);
		return true;
	}

	/** As the server does with the gateway, so does the gateway with its client. */
	pause(): void {
		const worthIt = this.queue !== null || this.options.patience < keepAliveMs;
		if (this.over || this.form === 'json-only' || !worthIt) return;
		this.open();
		this.record?.pause();
	}

	finish(message: Buffer, status: number): void {
		if (this.over) return;
		this.stop();
		if (this.queue === null && (this.form !== 'stream' || status !== 200)) return this.whole(message, status);
		const queue = this.open();
		if (this.record !== null) return this.record.finish(message);
		queue.put(eventOf(message));
		queue.end();
	}

	finishPieces(pieces: readonly Buffer[]): void {
		if (this.over) return;
		if (this.queue !== null || this.form === 'stream') return this.finish(Buffer.concat(pieces), 200);
		this.stop();
		this.whole(pieces, 200);
	}

	/** Nothing more is sent: the client has gone, or has been told in another way. */
	stop(): void {
		this.over = true;
		this.body?.release();
		this.options.heartbeat.remove(this);
	}

	/** A client may hang up while its call goes on. */
	closing(): void {
		if (!this.over) this.body = this.exchange.keepBody();
	}

	expire(): void {
		this.answering?.stop();
	}

	broke(): void {
		// A stream that has begun ends with an error; before that, the reply is not the call's any more.
		if (this.queue === null) this.stop();
		this.answering?.stop();
	}

	beat(now: number): void {
		const patience = this.queue === null ? this.options.patience : keepAliveMs;
		if (now - this.lastWrite < patience || (this.queue === null && this.form === 'json-only')) return;
		this.lastWrite = now;
		const queue = this.open();
		if (this.record !== null) this.record.keepAlive();
		else queue.put(keepAlive);
	}

	private whole(message: Buffer | readonly Buffer[], status: number): void {
		const headers = ['content-type', 'application/json', ...this.options.headers];
		if (status === 429 || status === 503) headers.push(...retryAfter);
		this.exchange.respond(status, headers, message);
	}

	private open(): StreamQueue {
		if (this.queue !== null) return this.queue;
		const stream = this.exchange.stream(200, [...streamHeaders, ...this.options.headers]);
		const queue = new StreamQueue(stream, this.options.limits);
		this.queue = queue;
		let gone = false;
		this.exchange.onGone(() => {
			gone = true;
			this.record?.detach(queue);
		});
		// Nobody could resume what nobody has seen.
		if (!gone) this.record = this.options.record();
		this.record?.attach(queue);
		this.opened?.();
		return queue;
	}
}
