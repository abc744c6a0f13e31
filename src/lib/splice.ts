/** A replacement in a text: bytes `start` to `end` (exclusive) become `text`. `start === end` inserts. */
export interface Edit {
	readonly start: number;
	readonly end: number;
	readonly text: Buffer | string;
}

/** Applies `edits`, which must be in rising order and must not overlap, to `text` between `from` and `to`. */
export function splice(text: Buffer, edits: readonly Edit[], from = 0, to = text.length): Buffer {
	if (edits.length === 0) return text.subarray(from, to);
	const parts: Buffer[] = [];
	let at = from;
	for (const edit of edits) {
		if (edit.start > at) parts.push(text.subarray(at, edit.start));
		parts.push(typeof edit.text === 'string' ? Buffer.from(edit.text) : edit.text);
		at = edit.end;
	}
	if (at < to) parts.push(text.subarray(at, to));
	return Buffer.concat(parts);
}
