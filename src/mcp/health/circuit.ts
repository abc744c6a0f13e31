import { SlotList, type Slotted } from '../../lib/slot-list.ts';
import { Backoff } from '../../processes/backoff.ts';
import type { Failure } from './failure.ts';

/** How a target failed: it did not start, gave no sign of life in time, or could not be reached. */
export type Trouble = 'start' | 'timeout' | 'unreachable';

/** Who hears when a circuit opens or closes. */
export interface CircuitFollower extends Slotted {
	/** Whether it tries the target when it is time. */
	readonly tries: boolean;
	circuitChanged(): void;
}

/** So many failures in a row … */
const failuresToOpen = 5;
/** … over so long a time open the circuit: a server that is only restarted is waited for. */
const spanToOpenMs = 2000;
/** A trial that has no outcome for so long does not keep the next one away. */
const trialMs = 10_000;

/**
 * Whether it makes sense to ask a target at all. `open`: it failed again and again, so whoever wants something of it is
 * told so at once. `half-open`: one trial is under way. Any answer closes it. One for each target, shared by all
 * connections to it.
 */
export class Circuit {
	state: 'closed' | 'open' | 'half-open' = 'closed';
	/** Failures in a row. */
	failures = 0;
	/** The last of them; null after a success. */
	failure: Failure | null = null;
	/** How that was. */
	trouble: Trouble | null = null;
	/** When the circuit opened; null while it is closed. */
	openedAt: Date | null = null;
	/** Whether the last start that somebody waited for took too long, and none has succeeded since. */
	slow = false;
	/** Failures since the start of the gateway, by kind. */
	readonly totals: Record<Trouble, number> = { start: 0, timeout: 0, unreachable: 0 };
	/** Hears of each change of the state. */
	changed: (() => void) | null = null;
	private readonly backoff: Backoff;
	private readonly followers = new SlotList<CircuitFollower>();
	/** When the failures in a row began, on the monotonic clock. */
	private failingSince = 0;
	/** When the next trial may be made. */
	private retryAt = 0;

	/** `random` gives numbers from 0 up to 1. */
	constructor(random: () => number = Math.random) {
		this.backoff = new Backoff(random);
	}

	/** Whether something may be asked of the target now. While the circuit is not closed, asking is the trial. */
	passes(): boolean {
		if (this.state === 'closed') return true;
		const now = performance.now();
		if (now < this.retryAt) return false;
		this.retryAt = now + trialMs;
		this.turn('half-open');
		return true;
	}

	/** Milliseconds until the next trial; 0 while the circuit is closed. */
	get wait(): number {
		return this.state === 'closed' ? 0 : Math.max(0, this.retryAt - performance.now());
	}

	/** The target answered. */
	succeeded(): void {
		if (this.failures === 0 && this.state === 'closed' && !this.slow) return;
		this.failures = 0;
		this.failure = null;
		this.trouble = null;
		this.slow = false;
		this.backoff.reset();
		this.turn('closed');
	}

	/** What was to be the trial has asked the target nothing: the next may be made at once. */
	undecided(): void {
		if (this.state === 'half-open') this.retryAt = performance.now();
	}

	/** `lasted`: for how many milliseconds it was waited for. */
	failed(trouble: Trouble, failure: Failure, lasted = 0): void {
		const now = performance.now();
		this.totals[trouble]++;
		this.failure = failure;
		this.trouble = trouble;
		if (this.failures === 0) this.failingSince = now - lasted;
		this.failures++;
		// What was sent before it opened says nothing that was not known.
		if (this.state === 'open') return;
		if (this.state === 'closed' && (this.failures < failuresToOpen || now - this.failingSince < spanToOpenMs)) return;
		this.retryAt = now + this.backoff.next();
		this.turn('open');
	}

	/** Whether anybody is there who tries the target when it is time. */
	get followed(): boolean {
		let found = false;
		this.followers.each(({ tries }) => {
			found ||= tries;
		});
		return found;
	}

	follow(follower: CircuitFollower): void {
		this.followers.add(follower);
	}

	unfollow(follower: CircuitFollower): void {
		this.followers.remove(follower);
	}

	private turn(state: Circuit['state']): void {
		if (this.state === state) return;
		this.state = state;
		if (state === 'closed') this.openedAt = null;
		else this.openedAt ??= new Date();
		this.changed?.();
		// Who asks during a trial is told the same as before it.
		if (state !== 'half-open') this.followers.each((follower) => follower.circuitChanged());
	}
}
