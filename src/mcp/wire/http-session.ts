import type { Exchange } from '../../http/exchange.ts';
import type { Heartbeat } from '../../lib/heartbeat.ts';
import type { EventLogLimits } from '../sessions/event-log.ts';
import type { Session } from '../sessions/session.ts';
import { keepAliveMs, streamHeaders } from './event-stream.ts';
import type { HttpChannelOptions } from './http-channel.ts';
import { ListenStream } from './listen-stream.ts';
import { Replay, type Resumed, sendAgain } from './replay.ts';
import type { ReplayableStream } from './replayable.ts';
import { type StreamLimits, StreamQueue } from './stream-queue.ts';

/** What is the same for the sessions of a backend. */
export interface HttpSessionOptions {
	readonly heartbeat: Heartbeat;
	/** What waits on one stream. */
	readonly limits: StreamLimits;
	/** What one session keeps for a client that resumes a stream. */
	readonly replay: EventLogLimits;
}

/** From this revision on clients understand events without content, by which a stream can be resumed from its start. */
const firstPrimed = '2025-11-25';
/** A call that takes longer is worth resuming. */
const resumableAfterMs = 1000;

const noHeaders: readonly string[] = [];

/** What HTTP adds to a session: streams that its client can resume. */
export class HttpSession implements HttpChannelOptions {
	readonly heartbeat: Heartbeat;
	readonly limits: StreamLimits;
	readonly headers: readonly string[] = noHeaders;
	readonly patience: number;
	private readonly session: Session;
	private readonly replayLimits: EventLogLimits;
	private readonly primes: boolean;
	/** Made for the first stream: most sessions have none. */
	private replay: Replay | null = null;

	constructor(session: Session, { heartbeat, limits, replay }: HttpSessionOptions) {
		this.session = session;
		this.heartbeat = heartbeat;
		this.limits = limits;
		this.replayLimits = replay;
		this.primes = session.protocolVersion >= firstPrimed;
		this.patience = this.primes && replay.events > 0 ? resumableAfterMs : keepAliveMs;
	}

	record(): ReplayableStream | null {
		return this.kept()?.record() ?? null;
	}

	/** Answers a GET: with the rest of the stream to which the event belongs, else with the session's own stream. */
	get(exchange: Exchange, lastEventId: string | null): void {
		const replay = this.kept();
		const resumed = lastEventId === null ? null : (replay?.resume(lastEventId) ?? 'lost');
		const record = replay?.listen() ?? null;
		if (resumed !== null && resumed !== 'lost' && resumed.record !== record) return this.rest(exchange, resumed);
		const { heartbeat, limits } = this;
		new ListenStream(exchange, this.session, { heartbeat, limits, record }).start(resumed);
	}

	/** The rest of the reply to a request. */
	private rest(exchange: Exchange, { missed, record }: Resumed): void {
		const queue = new StreamQueue(exchange.stream(200, streamHeaders), this.limits);
		if (record !== null) {
			record.goOn(queue, missed);
			// The call has lost the exchange that it came by.
			exchange.expiring = { expire: () => this.session.stopCalls() };
			return exchange.onGone(() => record.detach(queue));
		}
		sendAgain(queue, missed);
		queue.end();
	}

	/** null: nothing is kept. */
	private kept(): Replay | null {
		if (this.replayLimits.events < 1) return null;
		this.replay ??= new Replay(this.replayLimits, this.primes);
		return this.replay;
	}
}
