import type { Exchange, ReplyStream } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import type { Session, SessionStream } from '../session.ts';
import { eventOf, keepAlive, keepAliveMs, streamHeaders } from './event-stream.ts';

/** A client that lets more than this pile up is not reading. */
const maximumBuffered = 1024 * 1024;

/** The stream of a GET request, kept alive by comments. */
export class ListenStream implements SessionStream, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly session: Session;
	private readonly heartbeat: Heartbeat;
	private reply: ReplyStream | null = null;
	private lastWrite = performance.now();
	private over = false;

	constructor(exchange: Exchange, session: Session, heartbeat: Heartbeat) {
		this.exchange = exchange;
		this.session = session;
		this.heartbeat = heartbeat;
	}

	start(): void {
		this.reply = this.exchange.stream(200, streamHeaders);
		// Something must be sent for the headers to leave: clients wait for them.
		this.reply.write(': open\n\n');
		this.exchange.onGone(() => this.stop());
		this.heartbeat.add(this);
		this.session.attach(this);
	}

	send(message: Buffer): void {
		if (this.over || this.reply === null) return;
		this.reply.write(eventOf(message));
		this.lastWrite = performance.now();
		if (this.reply.buffered > maximumBuffered) this.end();
	}

	end(): void {
		if (this.over) return;
		this.stop();
		this.reply?.end();
	}

	beat(now: number): void {
		this.session.lastUsed = now;
		if (now - this.lastWrite < keepAliveMs) return;
		this.lastWrite = now;
		this.reply?.write(keepAlive);
	}

	private stop(): void {
		this.over = true;
		this.heartbeat.remove(this);
		this.session.detach(this);
	}
}
