import { SlotList, type Slotted } from '../../lib/slot-list.ts';

/** A connection whose calls may last too long. */
export interface Clocked extends Slotted {
	/** Looks at its calls; false: it has none. */
	look(now: number): boolean;
}

/** How exact time-outs are, upwards and downwards. */
const tickMs = 200;

/**
 * The time of all calls to one target. Runs only while there are any; a timer per call would cost more than the call's
 * bookkeeping.
 */
export class CallClock {
	/** Milliseconds without sign of life after which a call is given up; infinite for never. */
	readonly timeout: number;
	/** The monotonic clock as of the last tick. */
	now = performance.now();
	private readonly clocked = new SlotList<Clocked>();
	private timer: NodeJS.Timeout | null = null;

	constructor(timeout: number) {
		this.timeout = timeout;
	}

	/** Looks at the connection from now on, until it has no calls. */
	watch(one: Clocked): void {
		this.clocked.add(one);
		if (this.timer !== null) return;
		this.now = performance.now();
		this.timer = setInterval(() => this.tick(), tickMs);
		this.timer.unref();
	}

	private tick(): void {
		this.now = performance.now();
		this.clocked.each((one) => {
			if (!one.look(this.now)) this.clocked.remove(one);
		});
		if (this.clocked.size > 0 || this.timer === null) return;
		clearInterval(this.timer);
		this.timer = null;
	}
}
