import type { HeldBytes } from '../../../http/held-bytes.ts';
import { SlotList, type Slotted } from '../../../lib/slot-list.ts';
import { type Placed, WaitingLine } from '../../../lib/waiting-line.ts';
import type { Ticket } from '../../model.ts';
import type { Poster, PostGate } from './post-gate.ts';

/** More than this must not wait while the server takes nothing; the bytes as over stdio. */
const maximumPosts = 4096;
const maximumBytes = 8 * 1024 * 1024;
/** So long it may take nothing then: a burst says nothing of a server that had no time yet. */
const burstMs = 1000;
/** So many times as much must not wait at all. */
const burst = 4;
/** Of one connection, so many are on their way at once. */
const maximumOnWay = 64;
/** A server that does not answer a message for so long is not waited for. */
const patienceMs = 30_000;

/** Sends a message, and tells `posted` when the server has taken or refused it. */
export type Send = (posted: Posted) => Ticket;

/**
 * What wants no answer, notifications and answers to the server's own requests, from when it is posted until the server
 * has taken it. A server that asks without end and takes none of the answers would fill the memory otherwise.
 */
export class Outbox implements Poster {
	private readonly gate: PostGate;
	private readonly full: (reason: string) => void;
	private readonly waiting = new WaitingLine<Posted>();
	private readonly onWay = new SlotList<Posted>();
	private bytes = 0;
	/** When the server last took something, or had nothing to take. */
	private takenAt = 0;
	private pumping = false;
	private closed = false;

	/** `full` hears why nothing more can be posted. */
	constructor(gate: PostGate, full: (reason: string) => void) {
		this.gate = gate;
		this.full = full;
	}

	/**
	 * `settled` is called once: when the server has taken it, or is not waited for any longer. `held` is released when the
	 * message is kept no longer, however that came.
	 */
	post(bytes: number, send: Send, settled: (() => void) | null, held: HeldBytes | null = null): void {
		if (this.closed) return held?.release();
		const count = this.waiting.size + this.onWay.size;
		// Asked before it is added: one large message is no proof of anything.
		if (this.isFull(count)) {
			held?.release();
			return this.full(`it does not take what it is sent: ${count} messages (${this.bytes} bytes) wait`);
		}
		if (count === 0) this.takenAt = performance.now();
		this.bytes += bytes;
		this.waiting.push(new Posted(this, bytes, send, settled, held));
		this.pump();
	}

	pump(): void {
		if (this.pumping) return;
		this.pumping = true;
		try {
			while (this.onWay.size < maximumOnWay && this.waiting.size > 0 && this.gate.enter(this)) {
				const next = this.waiting.shift();
				if (next === null) return;
				this.onWay.add(next);
				next.begin();
			}
		} finally {
			this.pumping = false;
		}
	}

	/** A message is over. */
	ended(posted: Posted): void {
		this.bytes -= posted.bytes;
		this.takenAt = performance.now();
		this.waiting.remove(posted);
		if (posted.slot < 0) return;
		this.onWay.remove(posted);
		this.gate.leave();
		this.pump();
	}

	/** Gives up all that is not taken. */
	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.gate.forget(this);
		for (const posted of this.waiting.clear()) posted.giveUp();
		this.onWay.each((posted) => posted.giveUp());
	}

	private isFull(count: number): boolean {
		const share = Math.max(count / maximumPosts, this.bytes / maximumBytes);
		return share >= burst || (share >= 1 && performance.now() - this.takenAt > burstMs);
	}
}

/** A message that a server has not taken yet. */
export class Posted implements Slotted, Placed {
	slot = -1;
	place = -1;
	readonly bytes: number;
	private readonly box: Outbox;
	private send: Send | null;
	private ticket: Ticket | null = null;
	private settled: (() => void) | null;
	private readonly held: HeldBytes | null;
	private readonly timer: NodeJS.Timeout;
	private over = false;

	constructor(box: Outbox, bytes: number, send: Send, settled: (() => void) | null, held: HeldBytes | null) {
		this.box = box;
		this.bytes = bytes;
		this.send = send;
		this.settled = settled;
		this.held = held;
		this.timer = setTimeout(() => {
			this.giveUp();
			this.settle();
		}, patienceMs).unref();
	}

	begin(): void {
		const { send } = this;
		this.send = null;
		const ticket = send?.(this) ?? null;
		if (this.over) ticket?.cancel();
		else this.ticket = ticket;
	}

	/** What is sent from now on cannot overtake it. */
	settle(): void {
		const { settled } = this;
		this.settled = null;
		settled?.();
	}

	/** The server has answered, or cannot be reached. */
	end(): void {
		if (!this.finish()) return;
		this.settle();
	}

	giveUp(): void {
		const { ticket } = this;
		if (this.finish()) ticket?.cancel();
	}

	private finish(): boolean {
		if (this.over) return false;
		this.over = true;
		this.send = null;
		this.ticket = null;
		clearTimeout(this.timer);
		this.held?.release();
		this.box.ended(this);
		return true;
	}
}
