/** Takes the pieces of a body. */
export type TakePiece = (piece: Buffer) => void;

/** Longer lines in the framing of chunks are refused. */
const maximumLine = 4096;
/** As many bytes in all for trailers, which nobody reads. */
const maximumTrailers = 16 * 1024;
const chunkLine = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

/** Decodes the chunked coding (RFC 9112 §7.1), as it comes. */
export class ChunkedBody {
	private state: 'size' | 'data' | 'data-end' | 'trailers' | 'done' = 'size';
	private left = 0;
	private trailers = 0;
	/** The beginning of a line of which the rest has not come yet. */
	private line = '';

	/** Takes a piece of the stream. Gives how many bytes belong to the body when it ends here, -1 when more follows, null for a fault. */
	push(chunk: Buffer, take: TakePiece): number | null {
		let at = 0;
		while (at < chunk.length) {
			if (this.state === 'data') {
				const end = Math.min(at + this.left, chunk.length);
				this.left -= end - at;
				if (this.left === 0) this.state = 'data-end';
				const piece = chunk.subarray(at, end);
				at = end;
				take(piece);
				continue;
			}
			const found = chunk.indexOf(0x0a, at);
			const end = found < 0 ? chunk.length : found + 1;
			this.line += chunk.toString('latin1', at, end);
			at = end;
			if (this.line.length > maximumLine) return null;
			if (found < 0) return -1;
			if (!this.line.endsWith('\r\n')) return null;
			const line = this.line.slice(0, -2);
			this.line = '';
			if (!this.take(line)) return null;
			if (this.isDone()) return at;
		}
		return -1;
	}

	private isDone(): boolean {
		return this.state === 'done';
	}

	/** False: the line has no place here. */
	private take(line: string): boolean {
		if (this.state === 'data-end') {
			this.state = 'size';
			return line === '';
		}
		if (this.state === 'trailers') {
			this.trailers += line.length + 2;
			if (line === '') this.state = 'done';
			return this.trailers <= maximumTrailers;
		}
		const [, digits] = chunkLine.exec(line) ?? [];
		if (digits === undefined) return false;
		this.left = Number.parseInt(digits, 16);
		this.state = this.left === 0 ? 'trailers' : 'data';
		return true;
	}
}
