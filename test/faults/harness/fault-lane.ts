import type { Socket } from 'node:net';

/** What happens to bytes on their way; several may hold at once. Changes apply to open connections, too. */
export interface Toxics {
	/** Milliseconds that each chunk waits. */
	latency?: number;
	/** Bytes a second, each way. */
	bandwidth?: number;
	/** Nothing passes any more, the connections stay open. */
	stall?: boolean;
	/** New connections are closed at once, open ones are cut. */
	down?: boolean;
	/** Bytes a piece, each in a packet of its own. */
	slice?: number;
	/** After so many bytes from the server, a connection is closed. */
	limit?: number;
	/** With `limit`: closed by a reset. */
	limitResets?: boolean;
	/** Milliseconds by which the end of a connection is told later. */
	slowClose?: number;
}

/** One direction of a connection: takes chunks in order and hands each on when the faults allow it. */
export class Lane {
	private readonly from: Socket;
	private readonly to: Socket;
	private readonly toxics: () => Toxics;
	private readonly atLimit: (() => void) | null;
	private readonly queue: { bytes: Buffer | null; due: number }[] = [];
	private passed = 0;
	private timer: NodeJS.Timeout | null = null;
	private ended = false;
	private full = false;

	constructor(from: Socket, to: Socket, toxics: () => Toxics, atLimit: (() => void) | null) {
		this.from = from;
		this.to = to;
		this.toxics = toxics;
		this.atLimit = atLimit;
		from.on('data', (bytes: Buffer) => this.take(bytes, toxics().latency ?? 0));
		from.on('end', () => this.take(null, (toxics().latency ?? 0) + (toxics().slowClose ?? 0)));
		to.on('drain', () => {
			this.full = false;
			this.wake();
		});
	}

	/** Looks again whether something may pass. */
	wake(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		while (!this.ended && this.queue.length > 0) {
			const wait = this.step();
			if (wait === null) return;
			if (wait > 0) {
				this.timer = setTimeout(() => this.wake(), wait);
				return;
			}
		}
		if (!this.ended && this.queue.length === 0) this.from.resume();
	}

	end(): void {
		this.ended = true;
		this.queue.length = 0;
		if (this.timer !== null) clearTimeout(this.timer);
	}

	private take(bytes: Buffer | null, delay: number): void {
		this.queue.push({ bytes, due: performance.now() + delay });
		// What the sender may send on is decided by what the receiver has got.
		if (this.toxics().stall === true || this.queue.length > 64) this.from.pause();
		if (this.timer === null) this.wake();
	}

	/** Hands on one piece. Gives the milliseconds to wait before the next; null: until somebody wakes it. */
	private step(): number | null {
		const { stall, slice, bandwidth, limit } = this.toxics();
		const head = this.queue[0];
		if (head === undefined || stall === true || this.full) return null;
		const early = head.due - performance.now();
		if (early > 0) return early;
		if (head.bytes === null) {
			this.queue.shift();
			this.to.end();
			return 0;
		}
		let size = Math.min(
			head.bytes.length,
			slice ?? Infinity,
			bandwidth === undefined ? Infinity : Math.max(1, Math.floor(bandwidth / 20)),
		);
		if (limit !== undefined && this.atLimit !== null) size = Math.min(size, limit - this.passed);
		if (size > 0) {
			this.full = !this.to.write(head.bytes.subarray(0, size));
			this.passed += size;
			head.bytes = head.bytes.subarray(size);
			if (head.bytes.length === 0) this.queue.shift();
		}
		if (limit !== undefined && this.atLimit !== null && this.passed >= limit) {
			// The last bytes leave before the end does.
			setImmediate(this.atLimit);
			return null;
		}
		if (bandwidth !== undefined) return (1000 * size) / bandwidth;
		return slice === undefined ? 0 : 1;
	}
}
