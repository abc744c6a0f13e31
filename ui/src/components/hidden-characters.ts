/** A stretch of text, or the name of one hidden character such as `U+202E`. */
export interface TextPart {
	text: string;
	hidden: boolean;
}

/**
 * Control characters but tab and line breaks, zero-width and bidirectional ones, and the tag characters that carry
 * text which only a language model reads (Unicode TR36, "Trojan Source").
 */
const hidden =
	/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\u{e0100}-\u{e01ef}]/gu;

/** Splits text at its hidden characters. Text without any is one part. */
export function markHidden(text: string): TextPart[] {
	const parts: TextPart[] = [];
	let from = 0;
	for (const found of text.matchAll(hidden)) {
		if (found.index > from) parts.push({ text: text.slice(from, found.index), hidden: false });
		parts.push({ text: nameOf(found[0]), hidden: true });
		from = found.index + found[0].length;
	}
	if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from), hidden: false });
	return parts;
}

/** The same in one text, for places that take no markup: `a[U+202E]b`. */
export function markedText(text: string): string {
	return markHidden(text)
		.map((part) => (part.hidden ? `[${part.text}]` : part.text))
		.join('');
}

function nameOf(character: string): string {
	return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
