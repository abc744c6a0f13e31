/** One figure of a soak beside its target. */
export interface Row {
	what: string;
	/** As it stands in the table: `≤ 100 ms`. */
	target: string;
	measured: string;
	met: boolean;
	/** True: a matter of right or wrong, which a short run on a busy machine must meet as well. */
	correctness: boolean;
}

/** What a soak is given. Whatever it starts it hands to `own`, to be ended in reverse order. */
export interface Scope {
	/** Seconds instead of minutes, for the test suite: same steps, smaller numbers. */
	readonly short: boolean;
	/** Length of the mixed soak. */
	readonly minutes: number;
	/** Faults of the mixed soak to choose from. */
	readonly faults: RegExp;
	own(close: () => Promise<unknown>): void;
	/** Says what goes on. */
	say(text: string): void;
}

export interface Soak {
	readonly name: string;
	run(scope: Scope): Promise<Row[]>;
}

/** A row that holds at any size and speed: `bad` names what is wrong. */
export function none(what: string, bad: readonly string[]): Row {
	const shown = bad.slice(0, 3).join('; ');
	const measured = bad.length === 0 ? '0' : `${bad.length}: ${shown}`;
	return { what, target: '0', measured, met: bad.length === 0, correctness: true };
}

/** A row with a limit; `unit` follows the numbers. Figures of time and memory are judged in full runs only. */
export function atMost(what: string, limit: number, measured: number, unit: string, correctness = false): Row {
	const shown = Math.abs(measured) < 10 ? measured.toFixed(2) : measured.toFixed(0);
	return { what, target: `≤ ${limit}${unit}`, measured: `${shown}${unit}`, met: measured <= limit, correctness };
}

/** Runs a soak, and ends what it has started whatever comes of it; `closing` holds the means to do so earlier. */
export async function runSoak(
	soak: Soak,
	options: Omit<Scope, 'own'>,
	closing: (() => Promise<unknown>)[] = [],
): Promise<Row[]> {
	try {
		return await soak.run({ ...options, own: (close) => closing.push(close) });
	} finally {
		for (const close of closing.splice(0).reverse()) await close().catch((error: Error) => options.say(error.message));
	}
}

export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
