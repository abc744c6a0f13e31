/**
 * The candidate that was probably meant by a misspelt word, or null: equal but for case, `_` and `-`, or few edits away
 * (one edit for every three letters).
 */
export function suggest(word: string, candidates: Iterable<string>): string | null {
	const plain = flatten(word);
	const limit = Math.max(1, Math.floor(plain.length / 3));
	let best: string | null = null;
	let bestDistance = limit + 1;
	for (const candidate of candidates) {
		const other = flatten(candidate);
		if (other === plain) {
			return candidate;
		}
		if (Math.abs(other.length - plain.length) >= bestDistance) {
			continue;
		}
		const distance = edits(plain, other);
		if (distance < bestDistance && distance < Math.max(plain.length, other.length)) {
			best = candidate;
			bestDistance = distance;
		}
	}
	return best;
}

function flatten(word: string): string {
	return word.slice(0, 64).toLowerCase().replace(/[-_]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function edits(from: string, to: string): number {
	let beforeLast: number[] = [];
	let last = Array.from({ length: to.length + 1 }, (_, index) => index);
	for (let row = 1; row <= from.length; row++) {
		const current = [row];
		for (let column = 1; column <= to.length; column++) {
			const same = from[row - 1] === to[column - 1] ? 0 : 1;
			let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + same);
			if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
				cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
			}
			current.push(cost);
		}
		beforeLast = last;
		last = current;
	}
	return last[to.length] ?? 0;
}
