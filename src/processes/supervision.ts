import { Backoff } from './backoff.ts';
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
	/** It had answered something after it was ready. */
	readonly wasOfUse: boolean;
}

/** Clock and chance, from outside. */
export interface SupervisionClock {
	/** Milliseconds, monotonic. */
	now(): number;
	/** From 0 up to 1. */
	random(): number;
}

/** So many unwanted ends within this time are a crash loop. */
const loopEnds = 5;
const loopMs = 60_000;
const stderrCharacters = 256 * 1024;

/**
 * Watches the processes of one target. When five in a row have ended before they were of any use, only one at a time is
 * started, after a pause that grows: many sessions that each start their own would be a storm of starts otherwise.
 */
export class Supervision {
	readonly stderr = new StderrRing(stderrCharacters);
	junkLines = 0;
	private readonly clock: SupervisionClock;
	private readonly backoff: Backoff;
	private starting = 0;
	private ready = 0;
	private ends = 0;
	/** Unwanted ends in a row without anything of use in between. */
	private useless = 0;
	/** When the last unwanted ends were, on the monotonic clock; the oldest first. */
	private readonly recent: number[] = [];
	private reason = '';
	/** Whether the last end was unwanted. */
	private failing = false;
	private nextStart = 0;
	private shown: ProcessState = 'stopped';
	private since = new Date();

	constructor(clock: SupervisionClock) {
		this.clock = clock;
		this.backoff = new Backoff(() => clock.random());
	}

	/** Milliseconds until a process may be started; 0: now. */
	get pause(): number {
		if (this.useless < loopEnds || this.ready > 0) return 0;
		// One trial at a time: its end sets the next pause.
		return Math.max(this.starting, this.nextStart - this.clock.now(), 0);
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
		if (life.wasOfUse) {
			this.useless = 0;
			this.backoff.reset();
		}
		this.failing = !life.wanted;
		this.reason = life.wanted ? '' : life.reason;
		if (!life.wanted) this.fell(life.wasOfUse);
		this.look();
	}

	report(): ProcessReport {
		this.look();
		const { shown: state, since, reason, ends, junkLines } = this;
		return { state, since, reason, ends, junkLines };
	}

	private fell(wasOfUse: boolean): void {
		const now = this.clock.now();
		this.ends++;
		if (!wasOfUse) this.useless++;
		this.recent.push(now);
		if (this.recent.length > loopEnds) this.recent.shift();
		if (this.useless >= loopEnds) this.nextStart = now + this.backoff.next();
	}

	private look(): void {
		const state = this.stateNow();
		if (state === this.shown) return;
		this.shown = state;
		this.since = new Date();
	}

	private stateNow(): ProcessState {
		const oldest = this.recent.length < loopEnds ? null : (this.recent[0] ?? null);
		const looping = oldest !== null && this.clock.now() - oldest < loopMs;
		if (looping && (this.ready === 0 || this.failing)) return 'crash-looping';
		if (this.ready > 0) return 'ready';
		if (this.starting > 0) return 'starting';
		return this.failing ? 'backing off' : 'stopped';
	}
}
