import type { ReplyHeaders } from './http-request.ts';

/** The head of an HTTP/1.x reply. */
export interface ReplyHead {
	readonly status: number;
	/** Names in lower case; what was sent more than once is a list. */
	readonly headers: ReplyHeaders;
	/** How the body is framed: its length in bytes, in chunks, or until the connection closes. */
	readonly framing: number | 'chunked' | 'close';
	/** Milliseconds for which the connection may be used again; 0: it may not, null: the server does not say. */
	readonly keepAliveMs: number | null;
}

/** Servers close a connection when its time is up, not when what is on its way has arrived. */
const marginMs = 1000;
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Reads the head of a reply, without the empty line that ends it. Strict where two readers could see two messages
 * (RFC 9112 §5 and §6): null for line ends other than CRLF, folded lines, odd names and values, more than one length,
 * a length beside a transfer coding, and any coding but `chunked`.
 */
export function readHead(text: string): ReplyHead | null {
	const lines = text.split('\r\n');
	const [, minor, digits] = statusLine.exec(lines[0] ?? '') ?? [];
	if (digits === undefined) return null;
	const headers = readFields(lines);
	if (headers === null) return null;
	const status = Number(digits);
	const framing = framingOf(headers, status, minor === '1');
	return framing === null ? null : { status, headers, framing, keepAliveMs: keepAlive(headers, minor === '1') };
}

function readFields(lines: readonly string[]): Record<string, string | string[]> | null {
	const headers = Object.create(null) as Record<string, string | string[]>;
	for (let at = 1; at < lines.length; at++) {
		const line = lines[at] as string;
		const colon = line.indexOf(':');
		const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
		const value = trimmed(line.slice(colon + 1));
		if (!token.test(name) || !fieldValue.test(value)) return null;
		const other = headers[name];
		if (other === undefined) headers[name] = value;
		else if (typeof other === 'string') headers[name] = [other, value];
		else other.push(value);
	}
	return headers;
}

/**
 * Without spaces and tabs around it; other white space has no place there. No expression: one looks at each of the
 * spaces within the text anew, and a head full of them held the event loop for a third of a second.
 */
function trimmed(text: string): string {
	let [from, to] = [0, text.length];
	while (from < to && isSpace(text.charCodeAt(from))) from++;
	while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
	return text.slice(from, to);
}

function isSpace(code: number): boolean {
	return code === 0x20 || code === 0x09;
}

function framingOf(headers: ReplyHeaders, status: number, current: boolean): ReplyHead['framing'] | null {
	const { 'transfer-encoding': coding, 'content-length': length } = headers;
	if (coding !== undefined) {
		const chunked = typeof coding === 'string' && coding.toLowerCase() === 'chunked';
		if (!chunked || length !== undefined || !current) return null;
	}
	if (length !== undefined && !(typeof length === 'string' && /^\d{1,15}$/.test(length))) return null;
	if (status < 200 || status === 204 || status === 304) return 0;
	if (coding !== undefined) return 'chunked';
	return length === undefined ? 'close' : Number(length);
}

function keepAlive(headers: ReplyHeaders, current: boolean): number | null {
	const options = String(headers['connection'] ?? '')
		.toLowerCase()
		.split(',')
		.map((option) => option.trim());
	if (options.includes('close') || (!current && !options.includes('keep-alive'))) return 0;
	const [, seconds] = /(?:^|[,\s])timeout\s*=\s*(\d{1,7})/i.exec(String(headers['keep-alive'] ?? '')) ?? [];
	return seconds === undefined ? null : Math.max(Number(seconds) * 1000 - marginMs, 0);
}
