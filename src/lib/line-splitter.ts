import { Pieces } from './pieces.ts';

/** Why a line was not delivered. */
export type LineFault = { readonly fault: 'too-long'; readonly limit: number };

/**
 * Cuts a byte stream into lines at `\n`; the line break, and a `\r` before it, are not part of the line. A line that
 * lies within one chunk is a view of it and costs no copy.
 */
export class LineSplitter {
	private readonly limit: number;
	private readonly take: (line: Buffer) => void;
	private rest: Pieces | null = null;

	/** `limit` in bytes: a longer line makes `push` return a fault. */
	constructor(limit: number, take: (line: Buffer) => void) {
		this.limit = limit;
		this.take = take;
	}

	/** Takes a chunk; null, or the fault after which nothing more should be pushed. */
	push(chunk: Buffer): LineFault | null {
		let from = 0;
		for (;;) {
			const at = chunk.indexOf(0x0a, from);
			if (at < 0) break;
			const piece = chunk.subarray(from, at);
			from = at + 1;
			if ((this.rest?.length ?? 0) + piece.length > this.limit) return this.tooLong();
			if (this.rest !== null) {
				this.rest.add(piece);
				this.end();
			} else this.deliver(piece);
		}
		if (from < chunk.length) {
			const piece = chunk.subarray(from);
			if (this.rest === null) this.rest = new Pieces(piece);
			else this.rest.add(piece);
			if (this.rest.length > this.limit) return this.tooLong();
		}
		return null;
	}

	/** Delivers what stands behind the last line break, if anything. */
	end(): void {
		if (this.rest === null) return;
		const line = this.rest.join();
		this.rest = null;
		this.deliver(line);
	}

	/** A part of a line is no line: `end` must not deliver it. */
	private tooLong(): LineFault {
		this.rest = null;
		return { fault: 'too-long', limit: this.limit };
	}

	private deliver(line: Buffer): void {
		const text = line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
		if (text.length > 0) this.take(text);
	}
}
