import { EventStream, type StreamEnd, type StreamFollower } from './event-stream.ts';
import type { EventReader } from '../../../lib/event-reader.ts';
import type { HttpChannel } from './http-channel.ts';
import { mayHaveRun } from './io-fault.ts';
import { isPassing, longestPauseMs, pauseOf } from './reconnecting.ts';
import type { TransportFault } from './transport.ts';

/** So often a server is asked for the rest without giving any; half as often when it does not even answer. */
const maximumAttempts = 10;

/** Who waits for the rest of a stream. */
export interface Waiting {
	event(data: Buffer, type: string): void;
	/** The rest cannot be had; null: the server does not say why. */
	gaveUp(fault: TransportFault | null): void;
}

/**
 * The rest of an answer whose stream ended too early, by GET with the id of the last event, again and again until
 * `cancel` (MCP transports, "Resumability and redelivery"). Servers also end streams on purpose, to be asked again
 * after `retry` milliseconds.
 */
export class Resuming implements StreamFollower {
	private readonly channel: HttpChannel;
	private readonly headers: readonly string[];
	private readonly waiting: Waiting;
	private stream: EventStream | null = null;
	private lastEventId: string;
	private retryMs: number;
	private pauseMs: number;
	private attempts = 0;
	private timer: NodeJS.Timeout | null = null;
	private over = false;

	/** `reader` has read the part that came. `headers` as of the request, with the session. */
	constructor(channel: HttpChannel, headers: readonly string[], reader: EventReader, waiting: Waiting) {
		this.channel = channel;
		this.headers = forGet(headers);
		this.waiting = waiting;
		this.lastEventId = reader.lastEventId;
		this.retryMs = pauseOf(reader.retryMs);
		this.pauseMs = this.retryMs;
	}

	/** Asks after a pause. */
	begin(): void {
		this.timer = setTimeout(() => {
			this.stream = new EventStream(this.channel, this.headers, this.lastEventId, this);
			this.stream.open();
		}, this.pauseMs);
		this.timer.unref();
	}

	cancel(): void {
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.stream?.cancel();
	}

	event(data: Buffer, type: string): void {
		this.waiting.event(data, type);
	}

	closed(end: StreamEnd): void {
		if (this.over) return;
		const { reader } = this.stream ?? {};
		this.stream = null;
		this.attempts += end.how === 'ended' ? 1 : 2;
		if (reader !== undefined) this.learn(reader);
		if (end.how === 'refused') {
			const { fault } = end;
			// The request itself was accepted: what is refused here is only the rest.
			if (fault.kind !== 'http' || !isPassing(fault.status)) return this.giveUp(fault);
		}
		if (this.attempts >= maximumAttempts) return this.giveUp(end.how === 'ended' ? null : end.fault);
		// A server that answers is asked as it wishes; one that does not, less and less.
		if (end.how === 'ended') this.pauseMs = this.retryMs;
		this.begin();
		this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
	}

	private learn(reader: EventReader): void {
		this.lastEventId = reader.lastEventId === '' ? this.lastEventId : reader.lastEventId;
		if (reader.retryMs !== null) this.retryMs = pauseOf(reader.retryMs);
		if (reader.count === 0) return;
		this.attempts = 0;
		this.pauseMs = this.retryMs;
	}

	private giveUp(fault: TransportFault | null): void {
		// A server that has no such stream (405) says nothing that helps.
		const plain = fault === null || (fault.kind === 'http' && !fault.sessionLost && fault.status < 500);
		this.waiting.gaveUp(plain ? null : mayHaveRun(fault));
	}
}

const ofThePost = /^(accept|accept-encoding|content-type|mcp-method|mcp-name|mcp-param-.*)$/;

/** Headers that describe a POST have nothing to say on a GET. */
function forGet(headers: readonly string[]): string[] {
	const kept: string[] = [];
	for (let at = 0; at + 1 < headers.length; at += 2) {
		const [name = '', value = ''] = headers.slice(at, at + 2);
		if (!ofThePost.test(name)) kept.push(name, value);
	}
	return kept;
}
