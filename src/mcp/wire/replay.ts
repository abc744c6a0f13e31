import { randomInt } from 'node:crypto';
import { EventLog, type EventLogLimits, type LoggedEvent } from '../sessions/event-log.ts';
import { eventOf, identified, keepAlive, primingEvent } from './event-stream.ts';
import type { ReplayableStream } from './replayable.ts';
import type { StreamQueue } from './stream-queue.ts';

/** Clients that lost a stream come back after so long. */
const retryMs = 1000;

/** What a client has missed, and where it goes on. */
export interface Resumed {
	readonly missed: readonly LoggedEvent[];
	/** The stream as it goes on; null: it has ended. */
	readonly record: RecordedStream | null;
}

/** The event streams of one session, for a client that resumes them with `Last-Event-ID`. */
export class Replay {
	private readonly log: EventLog;
	private readonly primes: boolean;
	/** Streams that have not ended, by number. */
	private readonly open = new Map<number, RecordedStream>();
	private listening: RecordedStream | null = null;

	/** `primes`: streams begin with an event without content, so that a client can resume before the first message. */
	constructor(limits: EventLogLimits, primes: boolean) {
		this.log = new EventLog(limits, randomInt(2 ** 40));
		this.primes = primes;
	}

	/** Begins the stream of one request. */
	record(): RecordedStream {
		const number = this.log.openStream();
		const record = new RecordedStream(this.log, number, this.primes, () => this.open.delete(number));
		this.open.set(number, record);
		return record;
	}

	/** The stream for what belongs to no request: one for the session, however often its client connects. */
	listen(): RecordedStream {
		this.listening ??= this.record();
		return this.listening;
	}

	/** What came after an event. `lost`: it is not known any more, or never was. */
	resume(lastEventId: string): Resumed | 'lost' {
		const replay = this.log.after(lastEventId);
		if (replay === 'dropped') return this.remains(lastEventId);
		if (replay === 'unknown') return 'lost';
		return { missed: replay.frames, record: this.open.get(replay.stream) ?? null };
	}

	/**
	 * Of the stream of a request the last event is the answer, without which the client would wait for ever, whatever came
	 * before. On the session's own stream a gap is told instead.
	 */
	private remains(lastEventId: string): Resumed | 'lost' {
		const rest = this.log.remains(lastEventId);
		if (rest === null) return 'lost';
		const record = this.open.get(rest.stream) ?? null;
		return record !== null && record === this.listening ? 'lost' : { missed: rest.frames, record };
	}
}

/** One stream whose events are kept. */
export class RecordedStream implements ReplayableStream {
	private readonly log: EventLog;
	private readonly number: number;
	private readonly primes: boolean;
	private readonly ended: () => void;
	private queue: StreamQueue | null = null;

	constructor(log: EventLog, number: number, primes: boolean, ended: () => void) {
		this.log = log;
		this.number = number;
		this.primes = primes;
		this.ended = ended;
	}

	/** Whether a client is there. */
	get attached(): boolean {
		return this.queue !== null;
	}

	attach(queue: StreamQueue): void {
		this.goOn(queue, []);
		if (this.primes) queue.put(primingEvent(this.log.prime(this.number), retryMs));
	}

	/** Sends what the client has missed, and from now on what comes. */
	goOn(queue: StreamQueue, missed: readonly LoggedEvent[]): void {
		this.queue?.end();
		this.queue = queue;
		sendAgain(queue, missed);
	}

	detach(queue: StreamQueue): void {
		if (this.queue === queue) this.queue = null;
	}

	send(message: Buffer): void {
		const frame = eventOf(message);
		const event = identified(this.log.append(this.number, frame), frame);
		if (this.queue === null || this.queue.write(event)) return;
		// It is kept; the client will come back for it.
		this.queue.end();
		this.queue = null;
	}

	pause(): void {
		if (!this.primes) return;
		this.queue?.end();
		this.queue = null;
	}

	finish(message: Buffer): void {
		const frame = eventOf(message);
		const event = identified(this.log.append(this.number, frame), frame);
		this.log.endStream(this.number);
		this.ended();
		// It may be too large to be kept, and so is sent to a slow client, too.
		this.queue?.put(event);
		this.queue?.end();
		this.queue = null;
	}

	keepAlive(): void {
		this.queue?.put(keepAlive);
	}
}

/** Sends events that were kept. */
export function sendAgain(queue: StreamQueue, missed: readonly LoggedEvent[]): void {
	for (const { id, frame } of missed) queue.put(identified(id, frame));
}
