/** Random numbers that are the same for the same seed, on every machine: a run that failed can be made again. */
export class Random {
	private state: number;

	constructor(seed: number) {
		this.state = seed >>> 0;
	}

	/** An integer from 0 to `below - 1`. */
	below(below: number): number {
		// mulberry32: small, fast, and good enough to choose among alternatives.
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let value = this.state;
		value = Math.imul(value ^ (value >>> 15), value | 1);
		value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
		return ((value ^ (value >>> 14)) >>> 0) % below;
	}

	/** True once in `times`. */
	once(times: number): boolean {
		return this.below(times) === 0;
	}

	pick<T>(from: readonly T[]): T {
		return from[this.below(from.length)] as T;
	}

	shuffle<T>(list: T[]): T[] {
		for (let at = list.length - 1; at > 0; at--) {
			const other = this.below(at + 1);
			[list[at], list[other]] = [list[other] as T, list[at] as T];
		}
		return list;
	}
}
