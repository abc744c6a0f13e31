import type { Slotted } from './slot-list.ts';

/** Fewer empty places are not worth a look at all of them. */
const fewEmpty = 32;

/** What waits, in its order: joining, leaving, and being called up cost the same however many wait. */
export class Queue<T extends Slotted> {
	/** null: somebody has left. */
	private places: (T | null)[] = [];
	/** Before it, all places are empty. */
	private head = 0;
	private count = 0;

	get size(): number {
		return this.count;
	}

	add(item: T): void {
		item.slot = this.places.length;
		this.places.push(item);
		this.count++;
	}

	/** Does nothing when the item does not wait. */
	remove(item: T): void {
		const { slot } = item;
		if (slot < 0 || this.places[slot] !== item) return;
		this.places[slot] = null;
		item.slot = -1;
		this.count--;
		if (this.places.length > 2 * this.count + fewEmpty) this.close();
	}

	/** Takes the one that has waited longest. */
	next(): T | undefined {
		while (this.head < this.places.length) {
			const item = this.places[this.head++];
			if (item === null || item === undefined) continue;
			this.remove(item);
			return item;
		}
		return undefined;
	}

	/** Takes all. */
	takeAll(): T[] {
		const all: T[] = [];
		for (let item = this.next(); item !== undefined; item = this.next()) all.push(item);
		return all;
	}

	/** The places that are left close up. */
	private close(): void {
		const left: T[] = [];
		for (const item of this.places) {
			if (item === null) continue;
			item.slot = left.length;
			left.push(item);
		}
		this.places = left;
		this.head = 0;
	}
}
