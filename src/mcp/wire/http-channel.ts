import type { Exchange, ReplyStream } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import type { ReplyChannel } from './channel.ts';
import { eventOf, keepAlive, keepAliveMs, streamHeaders } from './event-stream.ts';
import type { ReplayableStream } from './replayable.ts';

/** A client that lets more than this pile up is not reading. */
const maximumBuffered = 1024 * 1024;

/** What is the same for many channels. */
export interface HttpChannelOptions {
	readonly heartbeat: Heartbeat;
	/** Flat headers of the reply beside the content's own. */
	readonly headers: readonly string[];
	/** Opens the record from which a client that lost the stream reads on; null: streams cannot be resumed. */
	record(): ReplayableStream | null;
}

/**
 * The reply to one POSTed request: JSON when nothing comes before the response, an SSE stream when something does or
 * when the call is silent for 15 seconds (Streamable HTTP, "Sending Messages to the Server").
 */
export class HttpChannel implements ReplyChannel, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly options: HttpChannelOptions;
	private stream: ReplyStream | null = null;
	private record: ReplayableStream | null = null;
	private lastWrite = performance.now();
	private over = false;

	constructor(exchange: Exchange, options: HttpChannelOptions) {
		this.exchange = exchange;
		this.options = options;
		options.heartbeat.add(this);
	}

	onGone(gone: () => void): void {
		this.exchange.onGone(gone);
	}

	send(message: Buffer): boolean {
		if (this.over) return true;
		const stream = this.open();
		this.lastWrite = performance.now();
		if (this.record !== null) return this.record.send(message);
		stream.write(eventOf(message));
		return stream.buffered <= maximumBuffered;
	}

	finish(message: Buffer, status: number): void {
		if (this.over) return;
		this.stop();
		if (this.record !== null) this.record.finish(message);
		else if (this.stream === null) {
			this.exchange.respond(status, ['content-type', 'application/json', ...this.options.headers], message);
		} else {
			this.stream.write(eventOf(message));
			this.stream.end();
		}
	}

	/** Nothing more is sent: the client has gone, or has been told in another way. */
	stop(): void {
		this.over = true;
		this.options.heartbeat.remove(this);
	}

	beat(now: number): void {
		if (now - this.lastWrite < keepAliveMs) return;
		this.lastWrite = now;
		this.open();
		if (this.record !== null) this.record.keepAlive();
		else this.stream?.write(keepAlive);
	}

	private open(): ReplyStream {
		if (this.stream === null) {
			this.stream = this.exchange.stream(200, [...streamHeaders, ...this.options.headers]);
			this.record = this.options.record();
			this.record?.attach(this.stream);
		}
		return this.stream;
	}
}
