import { isScanFault } from '../../../lib/json-scan.ts';
import type { Ticket } from '../../model.ts';
import { EventStream, type StreamEnd, type StreamFollower } from './event-stream.ts';
import type { HttpChannel } from './http-channel.ts';
import { isPassing, longestPauseMs, pauseOf } from './reconnecting.ts';
import { isMessage, messagesOf, scanMessage } from './scan-message.ts';
import type { Receiver } from './transport.ts';

/** The GET stream for what belongs to no request: opened again when it ends, until it is refused. */
export class Listening implements Ticket, StreamFollower {
	/** Since when the stream stands; null: it does not. */
	hearsSince: number | null = null;
	private readonly channel: HttpChannel;
	private readonly headers: readonly string[];
	readonly receiver: Receiver;
	private stream: EventStream | null = null;
	private lastEventId = '';
	private retryMs = pauseOf(null);
	private pauseMs = this.retryMs;
	private timer: NodeJS.Timeout | null = null;
	/** Whether the server has given the stream once. */
	private stood = false;
	private over = false;

	constructor(channel: HttpChannel, headers: readonly string[], receiver: Receiver) {
		this.channel = channel;
		this.headers = headers;
		this.receiver = receiver;
	}

	begin(): void {
		if (this.over) return;
		this.stream = new EventStream(this.channel, this.headers, this.lastEventId, this);
		this.stream.open();
	}

	cancel(): void {
		this.over = true;
		this.hearsSince = null;
		if (this.timer !== null) clearTimeout(this.timer);
		this.stream?.cancel();
	}

	opened(): void {
		this.stood = true;
		this.hearsSince = performance.now();
		this.pauseMs = this.retryMs;
	}

	event(data: Buffer, type: string): void {
		if (type !== 'message') return;
		const scanned = scanMessage(data);
		if (isScanFault(scanned)) return;
		for (const message of messagesOf(scanned) ?? [scanned])
			if (isMessage(message)) this.receiver.message(message, null);
	}

	closed(end: StreamEnd): void {
		const { reader } = this.stream ?? {};
		this.stream = null;
		this.hearsSince = null;
		if (reader !== undefined) {
			this.lastEventId = reader.lastEventId;
			if (reader.retryMs !== null) this.retryMs = pauseOf(reader.retryMs);
			if (end.how === 'ended') this.pauseMs = this.retryMs;
		}
		if (end.how === 'broke') this.receiver.failed(end.fault);
		// A server that is busy or restarts may have it later. 405: there is no such stream.
		if (end.how === 'refused' && !(end.fault.kind === 'http' && isPassing(end.fault.status))) {
			this.over = true;
			// Where the stream was once, the session is gone; nobody who only listens would ever know otherwise.
			if (this.stood && end.fault.kind === 'http' && end.fault.sessionLost) this.receiver.failed(end.fault);
		}
		if (this.over) return;
		this.timer = setTimeout(() => this.begin(), this.pauseMs);
		this.timer.unref();
		this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
	}
}
