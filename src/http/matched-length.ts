import type { Listener, Match } from '../config/ir.ts';
import type { Exchange, Refusal } from './exchange.ts';
import { refuse } from './refusal.ts';

/**
 * Longer texts are not put before a regular expression. RE2 takes no longer than a text is long, but up to 3 µs for
 * each character of an expression that is made to be slow: this many take 5 ms.
 */
export const maximumMatched = 2_000;

/** Refuses requests of which an expression would have to read too much; null lets them pass. */
export type MatchedLength = (request: Pick<Exchange, 'path' | 'query' | 'headers'>) => Refusal | null;

/**
 * Compiles the check of what the expressions of these listeners read; null when they have none. To say that such a text
 * does not match would lead the request on to another route, past the policies of the one that it was meant for.
 */
export function compileMatchedLength(listeners: readonly Listener[]): MatchedLength | null {
	const matches = listeners.flatMap(({ routes }) => routes.flatMap((route) => route.matches));
	const named = (of: 'headers' | 'query') =>
		matches.flatMap((match) => match[of].filter(({ kind }) => kind === 'regex').map(({ name }) => name.toLowerCase()));
	const path = matches.some(hasPath);
	const query = named('query').length > 0 || named('headers').includes(':path');
	const headers = [...new Set(named('headers'))].filter((name) => !name.startsWith(':'));
	if (!path && !query && headers.length === 0) return null;
	return (request) => {
		if (path && request.path.length > maximumMatched) return tooLong('path');
		if (query && request.path.length + request.query.length > maximumMatched) return tooLong('path with its query');
		for (const name of headers) {
			const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
			if (String(value ?? '').length > maximumMatched) return tooLong(`header ${name}`, 431);
		}
		return null;
	};
}

function hasPath({ path, headers }: Match): boolean {
	return path.kind === 'regex' || headers.some(({ kind, name }) => kind === 'regex' && name === ':path');
}

function tooLong(what: string, status = 414): Refusal {
	const message = `the ${what} is longer than the ${maximumMatched} characters that regular expressions are matched with`;
	return refuse(status, message, 'InvalidRequest');
}
