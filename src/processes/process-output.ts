import type { StderrRing, StderrSource } from './stderr-ring.ts';

/** What a process has printed that was no message, for whoever looks why it does not work. */
export interface Printed {
	/** Last stderr lines, oldest first, at most 50. */
	readonly stderr: readonly string[];
	/** The first lines of stdout that were no messages, at most 5 of 200 characters. */
	readonly stray: readonly string[];
}

const mostStderr = 50;
const mostStray = 5;
const longestStray = 200;

/** Remembers what one process prints. Its stderr is in the ring of the target, so this costs next to nothing. */
export class ProcessOutput {
	private readonly ring: StderrRing;
	private readonly source: StderrSource | null;
	private readonly stray: string[];

	/** Of the process that was started last among those of `ring`; `stray` grows while it lives. */
	constructor(ring: StderrRing, stray: string[]) {
		this.ring = ring;
		this.source = ring.newest;
		this.stray = stray;
	}

	get printed(): Printed {
		const { ring, source, stray } = this;
		if (source === null) return { stderr: [], stray };
		// Whoever asks for something on a line waits for the answer before he ends it.
		const last = source.unfinished === '' ? [] : [source.unfinished];
		return { stderr: [...ring.last(source, mostStderr - last.length), ...last], stray };
	}
}

/** Adds a line of stdout that is no message to what is remembered. */
export function keepStray(stray: string[], line: Buffer): void {
	if (stray.length >= mostStray) return;
	const text = line.toString('utf8', 0, 4 * longestStray).trim();
	// An answer that nobody waits for is a message all the same.
	if (text !== '' && !/^[[{]/.test(text)) stray.push(text.slice(0, longestStray));
}
