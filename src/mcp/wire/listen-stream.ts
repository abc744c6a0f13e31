import type { Exchange } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import type { LoggedEvent } from '../sessions/event-log.ts';
import type { Session, SessionStream } from '../sessions/session.ts';
import { eventOf, keepAlive, keepAliveMs, streamHeaders } from './event-stream.ts';
import type { RecordedStream } from './replay.ts';
import { type StreamLimits, StreamQueue } from './stream-queue.ts';

export interface ListenOptions {
	readonly heartbeat: Heartbeat;
	readonly limits: StreamLimits;
	/** Where messages are kept for a client that loses the stream; null: they are not. */
	readonly record: RecordedStream | null;
}

/** What a client has asked to go on from. */
export type GoOn = { readonly missed: readonly LoggedEvent[] } | 'lost' | null;

/** The stream of a GET request, kept alive by comments. */
export class ListenStream implements SessionStream, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly session: Session;
	private readonly options: ListenOptions;
	private queue: StreamQueue | null = null;
	private lastWrite = performance.now();
	private over = false;

	constructor(exchange: Exchange, session: Session, options: ListenOptions) {
		this.exchange = exchange;
		this.session = session;
		this.options = options;
	}

	start(from: GoOn): void {
		const { heartbeat, limits, record } = this.options;
		const queue = new StreamQueue(this.exchange.stream(200, streamHeaders), limits);
		this.queue = queue;
		// Something must be sent for the headers to leave: clients wait for them.
		queue.put(from === 'lost' ? lost : open);
		if (from !== null && from !== 'lost') record?.goOn(queue, from.missed);
		else record?.attach(queue);
		this.exchange.onGone(() => this.stop());
		if (this.over) return;
		heartbeat.add(this);
		this.session.attach(this);
	}

	send(message: Buffer): void {
		if (this.over || this.queue === null) return;
		this.lastWrite = performance.now();
		const { record } = this.options;
		if (record === null) {
			if (!this.queue.write(eventOf(message))) this.end();
			return;
		}
		record.send(message);
		if (!record.attached) this.end();
	}

	end(): void {
		if (this.over) return;
		this.stop();
		this.queue?.end();
	}

	beat(now: number): void {
		this.session.lastUsed = now;
		if (now - this.lastWrite < keepAliveMs) return;
		this.lastWrite = now;
		this.queue?.put(keepAlive);
	}

	private stop(): void {
		this.over = true;
		this.options.heartbeat.remove(this);
		if (this.queue !== null) this.options.record?.detach(this.queue);
		this.session.detach(this);
	}
}

const open = ': open\n\n';
const lost = ': the events after Last-Event-ID are no longer kept; some messages may have been lost\n\n';
