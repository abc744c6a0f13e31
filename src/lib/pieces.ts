/** From here on, a piece is kept as the view that it is. */
const worthKeeping = 1024;
/** … unless it keeps more than so many times its size from being freed. */
const maximumPinned = 8;
const smallestBlock = 1024;
const largestBlock = 64 * 1024;

/**
 * Bytes that come in pieces and are needed together. Small pieces are copied into blocks: whoever sends single bytes
 * (chunks of HTTP, lines of an event) makes a buffer of each, which takes four hundred times its size.
 */
export class Pieces {
	/** Bytes in all. */
	length: number;
	private readonly pieces: Buffer[];
	private block: Buffer | null = null;
	/** What of the block stands in no piece yet. */
	private from = 0;
	private to = 0;

	/** The first piece is kept as it is; often it is the only one. */
	constructor(first: Buffer) {
		this.pieces = [first];
		this.length = first.length;
	}

	add(piece: Buffer): void {
		this.length += piece.length;
		if (piece.length < worthKeeping || piece.length * maximumPinned < piece.buffer.byteLength) return this.copy(piece);
		this.seal();
		this.pieces.push(piece);
	}

	/** All of them, in order. */
	all(): readonly Buffer[] {
		this.seal();
		return this.pieces;
	}

	/** All of them in one. */
	join(): Buffer {
		const all = this.all();
		const [first] = all;
		return first !== undefined && all.length === 1 ? first : Buffer.concat(all, this.length);
	}

	private copy(piece: Buffer): void {
		for (let at = 0; at < piece.length; ) {
			if (this.block === null || this.to === this.block.length) {
				this.seal();
				this.block = Buffer.allocUnsafeSlow(Math.min(Math.max(this.length, smallestBlock), largestBlock));
				this.from = 0;
				this.to = 0;
			}
			const copied = piece.copy(this.block, this.to, at);
			this.to += copied;
			at += copied;
		}
	}

	private seal(): void {
		if (this.block !== null && this.to > this.from) this.pieces.push(this.block.subarray(this.from, this.to));
		this.from = this.to;
	}
}
