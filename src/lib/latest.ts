/** The newest value under each key, for as long as somebody else holds it. */
export class Latest<T extends object> {
	private readonly values = new Map<string, WeakRef<T>>();

	/** The value; undefined when nobody holds it any more. */
	get(key: string): T | undefined {
		return this.values.get(key)?.deref();
	}

	set(key: string, value: T): void {
		this.values.set(key, new WeakRef(value));
	}
}
