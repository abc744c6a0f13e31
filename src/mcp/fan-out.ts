import { Slice } from '../lib/slice.ts';
import type { Notice } from './model.ts';

/** More notices do not wait: then all are told at once, however long it takes. */
const maximumWaiting = 100;

/**
 * Tells each of a set what a server has said, all in the same order. Of ten thousand a few at a time, so that the loop
 * serves others in between; who leaves meanwhile is not told.
 */
export class FanOut<T> {
	private readonly members: ReadonlySet<T>;
	private readonly tell: (member: T, notice: Notice) => void;
	private readonly waiting: Notice[] = [];
	private planned = false;
	/** Those that have not been told the first of what waits; null: nothing is being told. */
	private rest: SetIterator<T> | null = null;

	constructor(members: ReadonlySet<T>, tell: (member: T, notice: Notice) => void) {
		this.members = members;
		this.tell = tell;
	}

	send(notice: Notice): void {
		this.waiting.push(notice);
		if (this.rest === null) this.go(new Slice());
		else if (this.waiting.length > maximumWaiting) this.go(new Slice(Number.POSITIVE_INFINITY));
	}

	private go(slice: Slice): void {
		try {
			while (this.tellNext()) if (slice.over) break;
		} finally {
			// Also when telling one of them has thrown: the others are not to miss it.
			if (this.waiting.length > 0) this.plan();
		}
	}

	/** False: all have been told all. */
	private tellNext(): boolean {
		const [notice] = this.waiting;
		if (notice === undefined) return false;
		this.rest ??= this.members.values();
		const next = this.rest.next();
		if (next.done !== true) this.tell(next.value, notice);
		else {
			this.waiting.shift();
			this.rest = null;
		}
		return true;
	}

	private plan(): void {
		if (this.planned) return;
		this.planned = true;
		setImmediate(() => {
			this.planned = false;
			this.go(new Slice());
		});
	}
}
