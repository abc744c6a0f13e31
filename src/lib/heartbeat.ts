import { Slice } from './slice.ts';
import { SlotList, type Slotted } from './slot-list.ts';

/** Something that wants to be looked at once a second. */
export interface Beating extends Slotted {
	/** `now` counts milliseconds on the monotonic clock. */
	beat(now: number): void;
}

/** Of ten thousand streams each part is looked at in a millisecond; all at once took 40. */
const parts = 8;

/**
 * One timer for all that waits for seconds: silent calls, keep-alives, idle sessions. A timer per call would cost
 * more than the call's bookkeeping. A round visits an eighth at a time, in slices of bounded time; who changes places
 * meanwhile may be visited twice in a round, or not at all.
 */
export class Heartbeat {
	private readonly beating = new SlotList<Beating>();
	private readonly timer: NodeJS.Timeout;
	/** For bugs that show in the background, where nobody waits. */
	readonly report: (fault: unknown) => void;
	private part = 0;
	/** The rest of a part that took too long; null: the part is done. */
	private rest: NodeJS.Immediate | null = null;

	/** `report` hears what one of them throws; it is not looked at again, and the others do not notice. */
	constructor(report: (fault: unknown) => void, everyMs = 1000) {
		this.report = report;
		this.timer = setInterval(() => this.beat(), everyMs / parts);
		this.timer.unref();
	}

	add(one: Beating): void {
		this.beating.add(one);
	}

	remove(one: Beating): void {
		this.beating.remove(one);
	}

	stop(): void {
		clearInterval(this.timer);
		if (this.rest !== null) clearImmediate(this.rest);
		this.rest = null;
	}

	private beat(): void {
		// A part that takes so long is not joined by the next.
		if (this.rest !== null) return;
		this.part = (this.part + 1) % parts;
		this.goOn(this.beating.lastOf(this.part, parts));
	}

	/**
	 * Looks at those of the part from this place downwards. When many have something to do in the same second
	 * (keep-alives of streams that were opened together, sessions that end), the rest waits until the loop has served
	 * others.
	 */
	private goOn(from: number): void {
		this.rest = null;
		const now = performance.now();
		const slice = new Slice();
		for (let at = from; at >= 0; at -= parts) {
			if (slice.over) {
				// Without a reference to it the loop would sleep until the next timer.
				this.rest = setImmediate(() => this.goOn(at));
				return;
			}
			const one = this.beating.at(at);
			if (one !== undefined) this.look(one, now);
		}
	}

	private look(one: Beating, now: number): void {
		try {
			one.beat(now);
		} catch (fault) {
			this.beating.remove(one);
			this.report(fault);
		}
	}
}
