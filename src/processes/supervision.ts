import { StderrRing } from './stderr-ring.ts';

/** How the processes of one target are, all together. */
export type ProcessState = 'stopped' | 'starting' | 'ready' | 'backing off' | 'crash-looping';

/** What is known of the processes of one target. */
export interface ProcessReport {
	readonly state: ProcessState;
	/** When the state began. */
	readonly since: Date;
	/** Why the last process ended; empty while none has, or when its end was wanted. */
	readonly reason: string;
	/** Processes that ended although nobody wanted them to. */
	readonly ends: number;
	/** Lines of stdout that were no messages, and were dropped. */
	readonly junkLines: number;
}

/** What a process had come to when it ended. */
export interface Life {
	/** Its owner wanted it to end. */
	readonly wanted: boolean;
	readonly reason: string;
	readonly wasReady: boolean;
}

/** So many unwanted ends within this time are a crash loop. */
const loopEnds = 5;
const loopMs = 60_000;
const stderrCharacters = 256 * 1024;

/** Watches the processes of one target: what state they are in, why the last one ended, what they wrote to stderr. */
export class Supervision {
	readonly stderr = new StderrRing(stderrCharacters);
	junkLines = 0;
	private readonly now: () => number;
	private starting = 0;
	private ready = 0;
	private ends = 0;
	/** When the last unwanted ends were, on the monotonic clock; the oldest first. */
	private readonly recent: number[] = [];
	private reason = '';
	/** Whether the last end was unwanted. */
	private failing = false;
	private shown: ProcessState = 'stopped';
	private since = new Date();

	/** `now` gives milliseconds on a monotonic clock. */
	constructor(now: () => number) {
		this.now = now;
	}

	started(): void {
		this.starting++;
		this.look();
	}

	becameReady(): void {
		this.starting--;
		this.ready++;
		this.failing = false;
		this.look();
	}

	ended(life: Life): void {
		if (life.wasReady) this.ready--;
		else this.starting--;
		this.failing = !life.wanted;
		this.reason = life.wanted ? '' : life.reason;
		if (!life.wanted) this.fell();
		this.look();
	}

	report(): ProcessReport {
		this.look();
		const { shown: state, since, reason, ends, junkLines } = this;
		return { state, since, reason, ends, junkLines };
	}

	private fell(): void {
		this.ends++;
		this.recent.push(this.now());
		if (this.recent.length > loopEnds) this.recent.shift();
	}

	private look(): void {
		const state = this.stateNow();
		if (state === this.shown) return;
		this.shown = state;
		this.since = new Date();
	}

	private stateNow(): ProcessState {
		const oldest = this.recent.length < loopEnds ? null : (this.recent[0] ?? null);
		const looping = oldest !== null && this.now() - oldest < loopMs;
		if (looping && (this.ready === 0 || this.failing)) return 'crash-looping';
		if (this.ready > 0) return 'ready';
		if (this.starting > 0) return 'starting';
		return this.failing ? 'backing off' : 'stopped';
	}
}
