import { STATUS_CODES } from 'node:http';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What this says itself, or what changes how the reply ends. */
const own = /^(?:date|connection|keep-alive|content-length|transfer-encoding|trailer)$/i;

/**
 * The heads of whole replies on connections that stay open, as text. One request after the other is answered with the
 * same headers: the text is kept, and written with its body in one piece. node's own way (`writeHead`, `end`) reads and
 * checks each header again and writes two pieces, which is a sixth of what a call costs.
 */
export class ReplyHeads {
	private readonly tail: string;
	private status = 0;
	private headers: readonly string[] = [];
	private text: string | null = null;
	private second = 0;
	private date = '';

	/** `idleTimeout` is what clients are told: milliseconds that the connection is kept. */
	constructor(idleTimeout: number) {
		this.tail = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(idleTimeout / 1000)}\r\n\r\n`;
	}

	/** The head of a reply with a body of `length` bytes; null: node has to write it. */
	of(status: number, headers: readonly string[], length: number): string | null {
		if (status !== this.status || !same(headers, this.headers)) {
			this.text = write(status, headers);
			this.status = status;
			this.headers = headers.slice();
		}
		return this.text === null ? null : `${this.text}content-length: ${length}\r\nDate: ${this.now()}${this.tail}`;
	}

	private now(): string {
		const second = Math.floor(Date.now() / 1000);
		if (second !== this.second) {
			this.second = second;
			this.date = new Date(second * 1000).toUTCString();
		}
		return this.date;
	}
}

function write(status: number, headers: readonly string[]): string | null {
	let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
	for (let at = 0; at < headers.length; at += 2) {
		const [name = '', value = ''] = [headers[at], headers[at + 1]];
		if (!token.test(name) || !fieldValue.test(value) || own.test(name)) return null;
		text += `${name}: ${value}\r\n`;
	}
	return text;
}

function same(a: readonly string[], b: readonly string[]): boolean {
	if (a.length !== b.length) return false;
	for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
	return true;
}
