import { Pieces } from './pieces.ts';

/** Longer event ids cannot come back as a header. */
const maximumIdBytes = 1024;

/**
 * Bytes to events (HTML standard, "Server-sent events"). Works on bytes: an event that lies within one chunk is a view
 * of it, and a large one is put together once.
 */
export class EventReader {
	/** Id of the last whole event that had one, as the bytes of a header; empty for none. */
	lastEventId: string;
	/** What the stream asked clients to wait before they come again. */
	retryMs: number | null = null;
	/** Whole events so far, those without data included. */
	count = 0;
	private readonly take: (data: Buffer, type: string) => void;
	private readonly limit: number;
	private rest: Pieces | null = null;
	private data: Pieces | null = null;
	/** Bytes that wait for the end of their line or of their event. */
	private held = 0;
	private type = 'message';
	private id: string;
	private idSeen = false;
	private first = true;
	private afterReturn = false;
	private tooLong = false;

	/** `limit`: bytes of an event. `take` gets events with data. `lastEventId` of a stream that this one resumes. */
	constructor(limit: number, take: (data: Buffer, type: string) => void, lastEventId = '') {
		this.limit = limit;
		this.take = take;
		this.lastEventId = lastEventId;
		this.id = lastEventId;
	}

	/** False when an event is larger than what is accepted; nothing more is read then. */
	push(chunk: Buffer): boolean {
		if (this.tooLong) return false;
		if (chunk.length === 0) return true;
		// A `\r\n` that was cut in two.
		let from = this.afterReturn && chunk[0] === 0x0a ? 1 : 0;
		this.afterReturn = false;
		let carriage = chunk.indexOf(0x0d, from);
		let feed = chunk.indexOf(0x0a, from);
		for (;;) {
			// Searched on only once passed: anew for each line, a chunk that has only the other kind took quadratic time.
			if (feed >= 0 && feed < from) feed = chunk.indexOf(0x0a, from);
			if (carriage >= 0 && carriage < from) carriage = chunk.indexOf(0x0d, from);
			const at = carriage >= 0 && (feed < 0 || carriage < feed) ? carriage : feed;
			if (at < 0) break;
			this.line(this.whole(chunk.subarray(from, at)));
			from = at + 1;
			if (at === carriage) {
				if (from === chunk.length) this.afterReturn = true;
				else if (chunk[from] === 0x0a) from++;
			}
			if (this.held > this.limit) return this.giveUp();
		}
		if (from < chunk.length) {
			const rest = chunk.subarray(from);
			if (this.rest === null) this.rest = new Pieces(rest);
			else this.rest.add(rest);
			this.held += chunk.length - from;
		}
		return this.held <= this.limit || this.giveUp();
	}

	private giveUp(): false {
		this.tooLong = true;
		this.rest = null;
		this.data = null;
		return false;
	}

	/** A line with what came of it in earlier chunks. */
	private whole(last: Buffer): Buffer {
		if (this.rest === null) return last;
		this.rest.add(last);
		const line = this.rest.join();
		this.rest = null;
		this.held -= line.length - last.length;
		return line;
	}

	private line(text: Buffer): void {
		let from = 0;
		if (this.first) {
			this.first = false;
			if (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf) from = 3;
		}
		if (text.length === from) return this.dispatch();
		const colon = text.indexOf(0x3a, from);
		if (colon === from) return;
		const nameEnd = colon < 0 ? text.length : colon;
		const valueStart = colon < 0 ? text.length : text[colon + 1] === 0x20 ? colon + 2 : colon + 1;
		this.field(text.toString('latin1', from, Math.min(nameEnd, from + 8)), text.subarray(valueStart));
	}

	private field(name: string, value: Buffer): void {
		switch (name) {
			case 'data':
				if (this.data === null) this.data = new Pieces(value);
				else {
					// Several lines are one text with line breaks.
					this.data.add(lineFeed);
					this.data.add(value);
					this.held++;
				}
				this.held += value.length;
				break;
			case 'event':
				this.type = value.length === 0 ? 'message' : value.toString('utf8', 0, 64);
				break;
			case 'id': {
				const id = value.toString('latin1', 0, maximumIdBytes + 1);
				// What cannot be sent back as a header is as good as none.
				this.id = id.length <= maximumIdBytes && !/[^\t\x20-\x7e\x80-\xff]/.test(id) ? id : '';
				this.idSeen = true;
				break;
			}
			case 'retry':
				if (/^\d{1,9}$/.test(value.toString('latin1', 0, 10))) this.retryMs = Number(value.toString('latin1'));
				break;
			default:
		}
	}

	private dispatch(): void {
		const { type, data } = this;
		this.type = 'message';
		this.held = 0;
		this.lastEventId = this.id;
		if (data === null && !this.idSeen) return;
		this.idSeen = false;
		this.count++;
		this.data = null;
		if (data !== null && data.length > 0) this.take(data.join(), type);
	}
}

const lineFeed = Buffer.from('\n');
