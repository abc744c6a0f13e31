/** `JSON.parse` gets no more characters than this at once. */
const maximumPart = 64 * 1024;

/** Decodes what stands between the quotes of a JSON string that has been checked. */
export function decodeEscapes(inner: string): string {
	if (inner.length <= maximumPart) return JSON.parse(`"${inner}"`) as string;
	const parts: string[] = [];
	for (let from = 0; from < inner.length; ) {
		const to = from + maximumPart >= inner.length ? inner.length : endBefore(inner, from, from + maximumPart);
		parts.push(JSON.parse(`"${inner.slice(from, to)}"`) as string);
		from = to;
	}
	return parts.join('');
}

/** The last place up to `end` that is in the middle of no escape. `from` is none, either. */
function endBefore(inner: string, from: number, end: number): number {
	let last = end - 1;
	while (last >= end - 5 && inner[last] !== '\\') last--;
	let first = last;
	while (first >= from && inner[first] === '\\') first--;
	// Of an even number of backslashes the last one is escaped itself.
	if ((last - first) % 2 === 0) return end;
	return last + (inner[last + 1] === 'u' ? 6 : 2) > end ? last : end;
}
