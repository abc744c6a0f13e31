import { Dictionary } from '../../lib/dictionary.ts';

/** How much an event log keeps. */
export interface EventLogLimits {
	readonly events: number;
	/** Sum of the frames, in bytes. */
	readonly bytes: number;
}

/** An event to send again. */
export interface LoggedEvent {
	readonly id: string;
	readonly frame: Buffer;
}

/** What a client has missed on a stream. */
export interface Replay {
	readonly stream: number;
	/** In their order; empty when nothing was missed. */
	readonly frames: LoggedEvent[];
	/** Nothing will follow. */
	readonly ended: boolean;
}

/**
 * The events of one session's SSE streams, kept for clients that lost a connection and come back with `Last-Event-ID`
 * (Streamable HTTP, "Resumability and Redelivery"). When there are too many, the oldest go first, whatever their
 * stream. Only streams cost something; a call that is answered with JSON never comes here.
 *
 * An event id is `<stream>-<sequence>`, both counted up: unique in its session, and of no use in another one.
 */
export class EventLog {
	private readonly limits: EventLogLimits;
	private readonly streams = new Dictionary<LoggedStream>();
	/** Oldest first. Taking from the front of so short an array moves nothing. */
	private readonly events: StoredEvent[] = [];
	private opened: number;
	private held = 0;

	/** `before`: number before that of the first stream. A session that goes on elsewhere must not count anew. */
	constructor(limits: EventLogLimits, before = 0) {
		this.limits = limits;
		this.opened = before;
	}

	/** Kept events. */
	get size(): number {
		return this.events.length;
	}

	/** Bytes of the kept events. */
	get bytes(): number {
		return this.held;
	}

	/** Streams that are open, or of which events are kept. */
	get streamCount(): number {
		return this.streams.size;
	}

	/** Begins a stream and gives its number. Whoever begins it ends it. */
	openStream(): number {
		const number = ++this.opened;
		this.streams.add(number, { number, issued: 0, lost: 0, kept: 0, ended: false });
		return number;
	}

	/** The id of an event without content, from which a client can resume that has seen nothing else yet. */
	prime(stream: number): string {
		return idOf(stream, ++this.open(stream).issued);
	}

	/** Keeps an event and gives its id, which is to be sent with it; `frame` is the event without an id. */
	append(stream: number, frame: Buffer): string {
		const owner = this.open(stream);
		const sequence = ++owner.issued;
		if (frame.length > this.limits.bytes || this.limits.events < 1) {
			owner.lost = sequence;
			return idOf(stream, sequence);
		}
		while (this.held + frame.length > this.limits.bytes || this.events.length >= this.limits.events) this.dropOldest();
		this.events.push({ stream: owner, sequence, frame: alone(frame) });
		this.held += frame.length;
		owner.kept++;
		return idOf(stream, sequence);
	}

	/** Says that nothing will follow. What was kept stays until newer events need its place. */
	endStream(stream: number): void {
		const ended = this.streams.get(stream);
		if (ended === undefined) return;
		ended.ended = true;
		this.forgetIfOver(ended);
	}

	/**
	 * What came after an event on the same stream. `unknown`: no event had this id; `dropped`: an event after it, or
	 * the whole stream, is no longer here.
	 */
	after(lastEventId: string): Replay | 'unknown' | 'dropped' {
		const [, streamText, sequenceText] = idForm.exec(lastEventId) ?? [];
		if (streamText === undefined || sequenceText === undefined) return 'unknown';
		const [number, sequence] = [Number(streamText), Number(sequenceText)];
		const stream = this.streams.get(number);
		if (stream === undefined) return number <= this.opened ? 'dropped' : 'unknown';
		if (sequence > stream.issued) return 'unknown';
		if (sequence < stream.lost) return 'dropped';
		return this.replay(stream, sequence);
	}

	/** What is still kept of what came after an event of which `after` says `dropped`; null: nothing. */
	remains(lastEventId: string): Replay | null {
		const [, streamText, sequenceText] = idForm.exec(lastEventId) ?? [];
		const stream = this.streams.get(Number(streamText));
		return stream === undefined || stream.kept === 0 ? null : this.replay(stream, Number(sequenceText));
	}

	private replay(stream: LoggedStream, sequence: number): Replay {
		const { number } = stream;
		const missed = this.events.filter((event) => event.stream === stream && event.sequence > sequence);
		const frames = missed.map((event) => ({ id: idOf(number, event.sequence), frame: event.frame }));
		return { stream: number, frames, ended: stream.ended };
	}

	private open(stream: number): LoggedStream {
		const open = this.streams.get(stream);
		if (open === undefined || open.ended) throw new Error(`stream ${stream} has ended`);
		return open;
	}

	private dropOldest(): void {
		const event = this.events.shift();
		if (event === undefined) return;
		const { stream } = event;
		this.held -= event.frame.length;
		stream.kept--;
		stream.lost = Math.max(stream.lost, event.sequence);
		this.forgetIfOver(stream);
	}

	private forgetIfOver(stream: LoggedStream): void {
		if (stream.ended && stream.kept === 0) this.streams.delete(stream.number);
	}
}

interface LoggedStream {
	readonly number: number;
	/** The sequence of the newest event. */
	issued: number;
	/** The newest sequence that is no longer kept. */
	lost: number;
	kept: number;
	ended: boolean;
}

interface StoredEvent {
	readonly stream: LoggedStream;
	readonly sequence: number;
	readonly frame: Buffer;
}

function idOf(stream: number, sequence: number): string {
	return `${stream}-${sequence}`;
}

/**
 * The frame, and no more than it. Node cuts small buffers out of a shared slab of 8 KB, which one kept frame would hold
 * in memory as a whole.
 */
function alone(frame: Buffer): Buffer {
	if (frame.buffer.byteLength <= 2 * frame.length) return frame;
	const copy = Buffer.allocUnsafeSlow(frame.length);
	frame.copy(copy);
	return copy;
}

const idForm = /^([1-9]\d{0,14})-([1-9]\d{0,14})$/;
