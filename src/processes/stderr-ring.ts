/** A process that writes to stderr. */
export interface StderrSource {
	/** What it has written since the last line break. */
	readonly unfinished: string;
}

/** The last lines that the processes of one target wrote to stderr, bounded in size however much they write. */
export class StderrRing {
	private readonly limit: number;
	private readonly kept: { readonly source: object; readonly line: string }[] = [];
	private size = 0;
	/** The process that was started last. */
	newest: StderrSource | null = null;

	/** `limit` in characters over all lines, each of which counts for 64 more. */
	constructor(limit: number) {
		this.limit = limit;
	}

	/** `source` is the process that wrote the line. */
	keep(source: object, line: string): void {
		this.kept.push({ source, line });
		this.size += line.length + lineCost;
		while (this.size > this.limit) this.size -= (this.kept.shift()?.line.length ?? this.size) + lineCost;
	}

	/** The last `count` lines of one process, oldest first. */
	last(source: object, count: number): string[] {
		return this.kept
			.filter((one) => one.source === source)
			.slice(-count)
			.map(({ line }) => line);
	}
}

/** Empty lines must not cost nothing: there would be no end to them. */
const lineCost = 64;
