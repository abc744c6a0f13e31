import type { Exchange, ReplyStream } from '../http/exchange.ts';
import { apiError, apiHeaders, sendError } from './replies.ts';
import type { StateSnapshot } from './state.ts';

/** What the event stream is told. */
export interface EventsDeps {
	snapshot(): StateSnapshot;
	/** Calls `listener` after each change; the returned function ends that. */
	onChange(listener: () => void): () => void;
	/** Milliseconds on the monotonic clock. */
	now(): number;
	/** Least milliseconds between two states. Default 100. */
	spacingMs?: number;
	/** Milliseconds between keep-alive comments. Default 15,000. */
	keepAliveMs?: number;
}

const maxStreams = 64;
/** A reader that takes nothing for so long is dropped, in keep-alive periods. */
const patience = 2;

interface Reader {
	stream: ReplyStream;
	/** Waits for the client to take what it has. */
	blocked: boolean;
	/** A newer state came while it was blocked. */
	behind: boolean;
	/** Keep-alive periods for which it has been blocked. */
	silent: number;
}

/**
 * Sends each new state to everyone who reads `/api/events` (WHATWG HTML, server-sent events): `event: state`, the
 * revision as id, a whole `StateSnapshot` as data. A state replaces all before it, so a slow reader misses states
 * instead of making the gateway keep them; one that reads nothing for two keep-alive periods is dropped.
 */
export class Events {
	private readonly deps: EventsDeps;
	private readonly spacing: number;
	private readonly readers = new Set<Reader>();
	private lastSent = Number.NEGATIVE_INFINITY;
	private pending: NodeJS.Timeout | null = null;
	private keepAlive: NodeJS.Timeout | null = null;
	private unsubscribe: (() => void) | null = null;

	constructor(deps: EventsDeps) {
		this.deps = deps;
		this.spacing = deps.spacingMs ?? 100;
	}

	/** Answers with a stream that begins with the present state. */
	open(exchange: Exchange): void {
		if (this.readers.size >= maxStreams) {
			const error = apiError('Too many event streams are open.', 'Close other tabs of the UI.');
			return sendError(exchange, 503, error, ['retry-after', '10']);
		}
		const headers = [...apiHeaders, 'content-type', 'text/event-stream', 'x-accel-buffering', 'no'];
		if (exchange.method === 'HEAD') return exchange.respond(200, headers, null);
		const reader: Reader = { stream: exchange.stream(200, headers), blocked: false, behind: false, silent: 0 };
		reader.stream.onDrain(() => this.drained(reader));
		this.add(reader);
		// After `add`: a client that has already gone is dropped at once.
		exchange.onGone(() => this.drop(reader));
		this.lastSent = this.deps.now();
		send(reader, `retry: 2000\n${frame(this.deps.snapshot())}`);
	}

	/** Ends all streams and the timers. */
	close(): void {
		for (const reader of this.readers) {
			this.drop(reader);
			reader.stream.end();
		}
	}

	private add(reader: Reader): void {
		this.readers.add(reader);
		this.unsubscribe ??= this.deps.onChange(() => this.changed());
		if (this.keepAlive !== null) return;
		this.keepAlive = setInterval(() => this.beat(), this.deps.keepAliveMs ?? 15_000);
		this.keepAlive.unref();
	}

	private drop(reader: Reader): void {
		if (!this.readers.delete(reader) || this.readers.size > 0) return;
		// Nobody looks: cost nothing.
		this.unsubscribe?.();
		this.unsubscribe = null;
		if (this.pending !== null) clearTimeout(this.pending);
		if (this.keepAlive !== null) clearInterval(this.keepAlive);
		this.pending = this.keepAlive = null;
	}

	private changed(): void {
		if (this.pending !== null) return;
		const wait = this.lastSent + this.spacing - this.deps.now();
		this.pending = setTimeout(() => this.broadcast(), Math.max(0, wait));
	}

	private broadcast(): void {
		this.pending = null;
		this.lastSent = this.deps.now();
		const text = frame(this.deps.snapshot());
		for (const reader of this.readers) {
			if (reader.blocked) reader.behind = true;
			else send(reader, text);
		}
	}

	private drained(reader: Reader): void {
		reader.blocked = false;
		reader.silent = 0;
		if (!reader.behind || !this.readers.has(reader)) return;
		reader.behind = false;
		send(reader, frame(this.deps.snapshot()));
	}

	private beat(): void {
		for (const reader of this.readers) {
			if (!reader.blocked) send(reader, ': keep-alive\n\n');
			else if (++reader.silent >= patience) {
				this.drop(reader);
				reader.stream.end();
			}
		}
	}
}

function send(reader: Reader, text: string): void {
	reader.blocked = !reader.stream.write(text);
}

function frame(state: StateSnapshot): string {
	// JSON text has no line break of its own, so one `data` line holds it.
	return `id: ${state.revision}\nevent: state\ndata: ${JSON.stringify(state)}\n\n`;
}
