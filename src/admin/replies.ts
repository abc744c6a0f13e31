import type { Exchange } from '../http/exchange.ts';
import { Pieces } from '../lib/pieces.ts';
import { ObjectText } from './object-text.ts';
import type { ApiError } from './state.ts';

/** On every answer of the admin port. No CORS header is among them, and none is ever added. */
export const securityHeaders: readonly string[] = [
	'x-content-type-options',
	'nosniff',
	'referrer-policy',
	'no-referrer',
	'x-frame-options',
	'DENY',
	'cross-origin-resource-policy',
	'same-origin',
	'cross-origin-opener-policy',
	'same-origin',
];

/** Headers of every answer that is not a page of the UI: nothing in it may run, be framed or be kept. */
export const apiHeaders: readonly string[] = [
	...securityHeaders,
	'content-security-policy',
	"default-src 'none'; frame-ancestors 'none'",
	'cache-control',
	'no-store',
];

/** Answers with JSON; `indent` for what people read with curl. */
export function sendJson(
	exchange: Exchange,
	status: number,
	value: unknown,
	indent?: number,
	headers: readonly string[] = [],
): void {
	const body = JSON.stringify(value, null, indent);
	exchange.respond(
		status,
		[...apiHeaders, ...headers, 'content-type', 'application/json'],
		indent ? `${body}\n` : body,
	);
}

/** Answers with a JSON object: `value` with more members, which are texts of objects or lists of them. */
export function sendMembers(
	exchange: Exchange,
	status: number,
	value: object,
	texts: Readonly<Record<string, ObjectText | readonly ObjectText[]>>,
): void {
	const body = new Pieces(Buffer.from(JSON.stringify(value).slice(0, -1)));
	const add = (text: string) => body.add(Buffer.from(text));
	for (const [key, member] of Object.entries(texts)) {
		add(`,${JSON.stringify(key)}:`);
		if (member instanceof ObjectText) body.add(member.text);
		else {
			add('[');
			for (const [index, { text }] of member.entries()) {
				if (index > 0) add(',');
				body.add(text);
			}
			add(']');
		}
	}
	add('}');
	exchange.respond(status, [...apiHeaders, 'content-type', 'application/json'], body.all());
}

/** Answers with plain text. */
export function sendText(exchange: Exchange, status: number, text: string): void {
	exchange.respond(status, [...apiHeaders, 'content-type', 'text/plain; charset=utf-8'], `${text}\n`);
}

/** Answers with a refusal: as text to a person who opened the address in a browser, else as an `ApiError`. */
export function sendError(exchange: Exchange, status: number, error: ApiError, headers: readonly string[] = []): void {
	const { accept } = exchange.headers;
	if (typeof accept === 'string' && accept.startsWith('text/html')) {
		const text = [error.error, error.remedy, error.detail].filter((line) => line !== '').join('\n');
		exchange.respond(status, [...apiHeaders, ...headers, 'content-type', 'text/plain; charset=utf-8'], `${text}\n`);
		return;
	}
	exchange.respond(
		status,
		[...apiHeaders, ...headers, 'content-type', 'application/json'],
		`${JSON.stringify(error)}\n`,
	);
}

/** Makes an `ApiError`. */
export function apiError(error: string, remedy = '', detail = ''): ApiError {
	return { error, remedy, detail };
}
