/** Where held bytes are counted. */
export interface HeldCount {
	held: number;
}

/** Counts bytes that are held in memory for a client. */
export interface Holder {
	/** Counts so many bytes more, until they are released: a copy that goes its own way. */
	hold(bytes: number): HeldBytes;
}

/** Counts the body of a request beside what else is kept of it. */
export interface BodyHolder extends Holder {
	/**
	 * For whoever keeps the body longer than the exchange lasts: it counts as held until the result is released, instead
	 * of until the exchange closes. Who asks first has it; there is nothing left to count for the next.
	 */
	keepBody(): HeldBytes;
}

/** Bytes of a request that stay in memory after its exchange, and count as held until they are released. */
export class HeldBytes implements Holder {
	private readonly count: HeldCount | null;
	private bytes: number;

	/** `count` null: nobody counts. */
	constructor(count: HeldCount | null, bytes: number) {
		this.count = count;
		this.bytes = bytes;
		if (count !== null) count.held += bytes;
	}

	hold(bytes: number): HeldBytes {
		return new HeldBytes(this.count, bytes);
	}

	/** Whoever kept the bytes has let go of them. Once is enough, however often it is called. */
	release(): void {
		if (this.count !== null) this.count.held -= this.bytes;
		this.bytes = 0;
	}
}
