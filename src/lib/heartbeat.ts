import { SlotList, type Slotted } from './slot-list.ts';

/** Something that wants to be looked at once a second. */
export interface Beating extends Slotted {
	/** `now` counts milliseconds on the monotonic clock. */
	beat(now: number): void;
}

/** Of ten thousand streams each part is done in a few milliseconds; all at once took 40. */
const parts = 8;

/**
 * One timer for all that waits for seconds: silent calls, keep-alives, idle sessions. A timer per call would cost
 * more than the call's bookkeeping. A round visits an eighth at a time; who changes places meanwhile may be visited
 * twice in a round, or not at all.
 */
export class Heartbeat {
	private readonly beating = new SlotList<Beating>();
	private readonly timer: NodeJS.Timeout;
	private readonly report: (fault: unknown) => void;
	private part = 0;

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
	}

	private beat(): void {
		const now = performance.now();
		this.part = (this.part + 1) % parts;
		this.beating.eachOf(this.part, parts, (one) => {
			try {
				one.beat(now);
			} catch (fault) {
				this.beating.remove(one);
				this.report(fault);
			}
		});
	}
}
