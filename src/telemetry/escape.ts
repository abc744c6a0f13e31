/**
 * What must not reach a terminal or split a line: control characters, line separators, and marks that turn the
 * direction of text around (they make a line read differently from what it says).
 */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const hostile = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const allHostile = new RegExp(hostile.source, 'g');
const needsQuotes = /[\s"'\\=]/;
/** Printable ASCII without what needs quotes: nearly every value, decided by one look. */
const plain = /^[!#-&(-<>-[\]-~]+$/;

/** Text for one line: hostile characters as `\n`, `\t` or `\u001b`. */
export function escapeText(text: string): string {
	return hostile.test(text) ? text.replace(allHostile, escapeOne) : text;
}

/** A value for `k=v`: as it is when it is one word, else in double quotes. */
export function escapeValue(text: string): string {
	if (plain.test(text)) return text;
	if (text === '') return '""';
	if (!hostile.test(text) && !needsQuotes.test(text)) return text;
	return quoteValue(text);
}

/** A value for `k=v`, always in double quotes. */
export function quoteValue(text: string): string {
	return `"${text.replace(/[\\"]/g, '\\$&').replace(allHostile, escapeOne)}"`;
}

/** Text as a JSON string. `JSON.stringify` leaves DEL, C1 and direction marks as they are. */
export function escapeJson(text: string): string {
	return JSON.stringify(text).replace(allHostile, escapeUnicode);
}

function escapeOne(character: string): string {
	if (character === '\n') return '\\n';
	if (character === '\r') return '\\r';
	if (character === '\t') return '\\t';
	return escapeUnicode(character);
}

function escapeUnicode(character: string): string {
	return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
