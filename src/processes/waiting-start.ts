import type { Belonging } from './headcount.ts';

/** A process that somebody wants to start. */
export interface Wish extends Belonging {
	/** Processes with the same label at once; absent: no limit. */
	readonly maximum?: number | undefined;
}

/** A start for which there is no room yet. */
export class WaitingStart {
	readonly wish: Wish;
	private readonly line: Set<WaitingStart>;
	private readonly begin: () => void;
	private readonly timer: NodeJS.Timeout;

	/** Stands at the end of `line`, for `ms` milliseconds at most. `begin` is called once it does not wait any longer. */
	constructor(wish: Wish, line: Set<WaitingStart>, ms: number, begin: () => void) {
		this.wish = wish;
		this.line = line;
		this.begin = begin;
		this.timer = setTimeout(() => this.go(), ms).unref();
		line.add(this);
	}

	/** Waits no longer. */
	go(): void {
		this.cancel();
		this.begin();
	}

	/** Nobody wants it any more. */
	cancel(): void {
		this.line.delete(this);
		clearTimeout(this.timer);
	}
}
