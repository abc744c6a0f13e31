/** Pauses before each further try: 0.5 s, doubled each time up to 30 s, spread so that many do not try at once. */
export class Backoff {
	private readonly random: () => number;
	private tries = 0;

	/** `random` gives numbers from 0 up to 1. */
	constructor(random: () => number) {
		this.random = random;
	}

	/** Milliseconds until the next try: between three quarters and five quarters of the pause, never above the longest. */
	next(): number {
		const pause = Math.min(firstMs * 2 ** this.tries, longestMs);
		this.tries++;
		return Math.min(pause * (0.75 + this.random() / 2), longestMs);
	}

	/** What was tried has worked. */
	reset(): void {
		this.tries = 0;
	}
}

const firstMs = 500;
const longestMs = 30_000;
