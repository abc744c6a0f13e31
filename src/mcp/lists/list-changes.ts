/** Changes of one list within this time are told together. */
const windowMs = 100;

/** Passes on that lists have changed: the first change at once, what follows within the window as one at its end. */
export class ListChanges {
	private readonly pass: (method: string) => void;
	private readonly windows = new Map<string, Window>();

	/** `pass` gets the method of the notification. */
	constructor(pass: (method: string) => void) {
		this.pass = pass;
	}

	add(method: string): void {
		const now = performance.now();
		const window = this.windows.get(method);
		if (window === undefined || now >= window.until) {
			this.windows.set(method, { until: now + windowMs, timer: null });
			return this.pass(method);
		}
		if (window.timer !== null) return;
		window.timer = setTimeout(() => {
			this.windows.delete(method);
			this.add(method);
		}, window.until - now);
		window.timer.unref();
	}

	close(): void {
		for (const { timer } of this.windows.values()) if (timer !== null) clearTimeout(timer);
		this.windows.clear();
	}
}

interface Window {
	/** On the monotonic clock. */
	readonly until: number;
	/** Runs when there is something to tell at the end. */
	timer: NodeJS.Timeout | null;
}
