import type { Edit } from './splice.ts';

/** The bytes `from` to `to` of a text in pieces, as pieces: none is copied. */
export function cutPieces(pieces: readonly Buffer[], from: number, to: number): Buffer[] {
	const cut: Buffer[] = [];
	let base = 0;
	for (const piece of pieces) {
		const start = Math.max(0, from - base);
		const end = Math.min(piece.length, to - base);
		if (start < end) cut.push(piece.subarray(start, end));
		base += piece.length;
	}
	return cut;
}

/** `splice` for a text in pieces: `edits` must be in rising order and must not overlap. */
export function splicePieces(pieces: readonly Buffer[], edits: readonly Edit[]): readonly Buffer[] {
	if (edits.length === 0) return pieces;
	const parts: Buffer[] = [];
	let at = 0;
	for (const { start, end, text } of edits) {
		parts.push(...cutPieces(pieces, at, start));
		if (text.length > 0) parts.push(typeof text === 'string' ? Buffer.from(text) : text);
		at = end;
	}
	parts.push(...cutPieces(pieces, at, Number.POSITIVE_INFINITY));
	return parts;
}
