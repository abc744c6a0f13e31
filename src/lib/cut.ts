/** Longest text of somebody else that is logged, or remembered to be shown, in UTF-16 units. */
const longestText = 1024;
/** Longest label of a metric, in bytes of UTF-8. */
const longestLabel = 128;
const sign = '…';
const signBytes = 3;

/**
 * A text of at most 1,024 characters: the text itself, or its beginning with `… (4194304 characters)` behind it. What is
 * cut is a copy: a slice would keep all of the long text in memory.
 */
export function cutText(text: string): string {
	if (text.length <= longestText) return text;
	const tail = `${sign} (${text.length} characters)`;
	return copyOf(text, longestText - tail.length) + tail;
}

/** A text of at most 128 bytes of UTF-8: the text itself, or a copy of its beginning with `…` behind it. */
export function cutLabel(text: string): string {
	// A unit takes at most three bytes; nearly every label is short enough for that.
	if (text.length * 3 <= longestLabel) return text;
	if (text.length <= longestLabel && Buffer.byteLength(text) <= longestLabel) return text;
	const bytes = Buffer.from(text.slice(0, longestLabel));
	let end = longestLabel - signBytes;
	// Not within a character.
	while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
	return bytes.toString('utf8', 0, end) + sign;
}

function copyOf(text: string, length: number): string {
	const last = text.charCodeAt(length - 1);
	const end = last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
	return Buffer.from(text.slice(0, end), 'utf16le').toString('utf16le');
}
