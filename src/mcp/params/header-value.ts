import { isUtf8 } from 'node:buffer';

const prefix = '=?base64?';
const suffix = '?=';
/** Base64 of RFC 4648, section 4, with its padding. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Writes a text as the value of an HTTP header. Visible ASCII with spaces inside stays as it is; anything else, an
 * empty text and whatever begins like the sentinel travels as Base64 of its UTF-8 in `=?base64?…?=` (MCP, "Value
 * Encoding" of the Streamable HTTP transport).
 *
 * The encoding is always allowed, so tabs are wrapped too: some parsers turn them into spaces.
 */
export function encodeHeader(value: string): string {
	const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith(prefix);
	return plain ? value : `${prefix}${Buffer.from(value).toString('base64')}${suffix}`;
}

/**
 * Reads what `encodeHeader` or another client wrote; the value must be trimmed already. null: it holds characters
 * that header values must not have, or Base64 that is broken or no UTF-8. A sentinel without its beginning or its end
 * is a plain text, as is one in capital letters.
 */
export function decodeHeader(value: string): string | null {
	if (!value.startsWith(prefix) || !value.endsWith(suffix)) return /^[\t\x20-\x7e]*$/.test(value) ? value : null;
	// `=?base64?=` is too short to hold both marks; `slice` leaves nothing of it, but it says nothing either.
	if (value.length < prefix.length + suffix.length) return null;
	const encoded = value.slice(prefix.length, -suffix.length);
	if (!base64.test(encoded)) return null;
	const bytes = Buffer.from(encoded, 'base64');
	return isUtf8(bytes) ? bytes.toString('utf8') : null;
}
