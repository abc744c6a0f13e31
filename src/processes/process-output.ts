/** What a process has printed that was no message, for whoever looks why it does not work. */
export interface Printed {
	/** Last stderr lines, oldest first, at most 50. */
	readonly stderr: readonly string[];
	/** The first lines of stdout that were no messages, at most 5 of 200 characters. */
	readonly stray: readonly string[];
}

const mostStray = 5;
const longestStray = 200;

/** Adds a line of stdout that is no message to what is remembered. */
export function keepStray(stray: string[], line: Buffer): void {
	if (stray.length >= mostStray) return;
	const text = line.toString('utf8', 0, 4 * longestStray).trim();
	// An answer that nobody waits for is a message all the same.
	if (text !== '' && !/^[[{]/.test(text)) stray.push(text.slice(0, longestStray));
}
