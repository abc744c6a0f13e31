/** A member of a `WaitingLine`; the line alone writes `place`. -1 outside of any line. */
export interface Placed {
	place: number;
}

/** Fewer gaps than this are not worth closing. */
const fewGaps = 64;

/** Who waits for a turn, first come, first served. Whoever gives up leaves nothing behind, at the same cost for any length. */
export class WaitingLine<T extends Placed> {
	/** null: one that left. */
	private items: (T | null)[] = [];
	/** Where the first may stand. */
	private head = 0;
	private count = 0;

	get size(): number {
		return this.count;
	}

	/** The one whose turn is next. */
	get first(): T | null {
		for (; this.head < this.items.length; this.head++) {
			const item = this.items[this.head];
			if (item !== null && item !== undefined) return item;
		}
		return null;
	}

	push(item: T): void {
		item.place = this.items.length;
		this.items.push(item);
		this.count++;
	}

	/** Takes out the one whose turn it is; null when nobody waits. */
	shift(): T | null {
		const item = this.first;
		if (item !== null) this.remove(item);
		return item;
	}

	/** Does nothing when the item is in no line. */
	remove(item: T): void {
		const { place } = item;
		if (this.items[place] !== item) return;
		this.items[place] = null;
		item.place = -1;
		this.count--;
		if (this.items.length > 2 * this.count + fewGaps) this.closeUp();
	}

	/** Takes out all, in their order. */
	clear(): T[] {
		const all: T[] = [];
		for (let item = this.shift(); item !== null; item = this.shift()) all.push(item);
		return all;
	}

	private closeUp(): void {
		const items = this.items.filter((item) => item !== null);
		for (const [place, item] of items.entries()) item.place = place;
		this.items = items;
		this.head = 0;
	}
}
