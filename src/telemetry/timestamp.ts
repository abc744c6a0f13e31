/** Microseconds since 1970. */
export type WallClock = () => number;

/** The system's wall clock. Microseconds come from the monotonic clock, which is set anew whenever the two part. */
export function wallClock(): WallClock {
	let base = Date.now() * 1000;
	let started = performance.now();
	return () => {
		const now = performance.now();
		const guess = base + (now - started) * 1000;
		const wall = Date.now() * 1000;
		if (guess >= wall && guess < wall + 1000) return Math.floor(guess);
		base = wall;
		started = now;
		return wall;
	};
}

/** Formats times as RFC 3339 in UTC with six digits, the whole second kept from one line to the next. */
export class Timestamps {
	private second = -1;
	private text = '';

	format(microseconds: number): string {
		const second = Math.floor(microseconds / 1_000_000);
		if (second !== this.second) {
			this.second = second;
			this.text = new Date(second * 1000).toISOString().slice(0, 20);
		}
		return `${this.text}${String(microseconds - second * 1_000_000).padStart(6, '0')}Z`;
	}
}
