/**
 * A map for keys that come and go with each call. Keys may be any text.
 *
 * Not a `Map`, for the reason that stands in `slot-list.ts`.
 */
export class Dictionary<T> {
	/** null: nothing was ever in it, which holds for most of those that idle sessions have. */
	private values: Values<T> | null = null;
	private count = 0;

	get size(): number {
		return this.count;
	}

	get(key: string | number): T | undefined {
		return this.values === null ? undefined : this.values[key];
	}

	/** The key must not be there yet. */
	add(key: string | number, value: T): void {
		this.values ??= emptyValues();
		if (this.values[key] !== undefined) throw new Error(`key ${key} is there already`);
		this.values[key] = value;
		this.count++;
	}

	delete(key: string | number): void {
		if (this.values === null || this.values[key] === undefined) return;
		delete this.values[key];
		this.count--;
	}

	clear(): void {
		this.values = null;
		this.count = 0;
	}

	/** All values now. */
	all(): T[] {
		return this.values === null ? [] : (Object.values(this.values) as T[]);
	}
}

type Values<T> = Record<string | number, T | undefined>;

function emptyValues<T>(): Values<T> {
	return Object.create(null) as Values<T>;
}
