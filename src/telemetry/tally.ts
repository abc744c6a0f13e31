import type { Family, Sample } from './exposition.ts';

/** Upper bounds in seconds of `agentgateway_request_duration_seconds`, from 1 ms to 80 s as agentgateway has them. */
const bounds: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80];

type Labels = Readonly<Record<string, string>>;

/** Requests with the same labels. */
export class Tally {
	count = 0;
	bytes = 0;
	seconds = 0;
	readonly buckets = new Float64Array(bounds.length + 1);
	readonly labels: Labels;

	constructor(labels: Labels) {
		this.labels = labels;
	}

	add(seconds: number, bytes: number): void {
		this.count++;
		this.bytes += bytes;
		this.seconds += seconds;
		let at = 0;
		while (at < bounds.length && seconds > (bounds[at] as number)) at++;
		this.buckets[at] = (this.buckets[at] as number) + 1;
	}
}

/**
 * Tallies by label values. Beyond `limit` combinations further ones share one tally: label values can come from
 * clients and servers, and a metric must not grow with what they think up.
 */
export class Tallies {
	private readonly byKey = new Map<string, Tally>();
	private readonly limit: number;
	private overflow: Tally | null = null;

	constructor(limit: number) {
		this.limit = limit;
	}

	get(key: string): Tally | undefined {
		return this.byKey.get(key);
	}

	/** Makes the tally for a key that `get` did not know. */
	create(key: string, labels: Labels): Tally {
		if (this.byKey.size >= this.limit) {
			this.overflow ??= new Tally(Object.fromEntries(Object.keys(labels).map((name) => [name, 'overflow'])));
			return this.overflow;
		}
		const tally = new Tally(labels);
		this.byKey.set(key, tally);
		return tally;
	}

	counter(name: string, help: string, read: (tally: Tally) => number): Family {
		const all = () => this.all();
		return {
			name,
			help,
			type: 'counter',
			*samples() {
				for (const tally of all()) yield { labels: tally.labels, value: read(tally) };
			},
		};
	}

	histogram(name: string, help: string): Family {
		const all = () => this.all();
		return {
			name,
			help,
			type: 'histogram',
			*samples() {
				for (const tally of all()) yield* histogramSamples(tally);
			},
		};
	}

	private *all(): Iterable<Tally> {
		yield* this.byKey.values();
		if (this.overflow !== null) yield this.overflow;
	}
}

function* histogramSamples(tally: Tally): Iterable<Sample> {
	let below = 0;
	for (let at = 0; at < bounds.length; at++) {
		below += tally.buckets[at] as number;
		yield { suffix: '_bucket', labels: { ...tally.labels, le: String(bounds[at]) }, value: below };
	}
	yield { suffix: '_bucket', labels: { ...tally.labels, le: '+Inf' }, value: tally.count };
	yield { suffix: '_sum', labels: tally.labels, value: tally.seconds };
	yield { suffix: '_count', labels: tally.labels, value: tally.count };
}
