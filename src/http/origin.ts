import { type Authority, parseAuthority } from './authority.ts';

/** An `http:` or `https:` origin (RFC 6454 §7) taken apart. */
export interface Origin {
	readonly scheme: 'http' | 'https';
	readonly authority: Authority;
	/** The port in use: the written one or the scheme's. */
	readonly port: number;
}

/** Reads an Origin header; null for `null`, lists, other schemes and whatever else is no web origin. */
export function parseOrigin(text: string): Origin | null {
	const scheme = text.startsWith('http://') ? 'http' : text.startsWith('https://') ? 'https' : null;
	if (scheme === null) return null;
	const authority = parseAuthority(text.slice(scheme.length + 3));
	if (authority === null) return null;
	return { scheme, authority, port: authority.port ?? defaultPort(scheme) };
}

/** The port that a scheme means when none is written. */
export function defaultPort(scheme: 'http' | 'https'): number {
	return scheme === 'http' ? 80 : 443;
}

/**
 * Compiles a list of allowed origins as `cors.allowOrigins` has them: exact (`https://app.example`), `*`, or a
 * wildcard for the host's first labels (`https://*.example`). Scheme and port count.
 */
export function compileOrigins(list: readonly string[]): (origin: string) => boolean {
	if (list.includes('*')) return () => true;
	const exact = new Set<string>();
	const wildcards: { before: string; after: string }[] = [];
	for (const entry of list) {
		const text = entry.toLowerCase();
		const star = text.indexOf('*');
		if (star < 0) exact.add(text);
		else wildcards.push({ before: text.slice(0, star), after: text.slice(star + 1) });
	}
	return (origin) => {
		const text = origin.toLowerCase();
		if (exact.has(text)) return true;
		for (const { before, after } of wildcards) {
			if (text.length <= before.length + after.length || !text.startsWith(before) || !text.endsWith(after)) continue;
			// What the star stands for must be labels of a host: `https://evil.example/x.app.example` is no origin.
			if (parseAuthority(text.slice(before.length, text.length - after.length))?.port === null) return true;
		}
		return false;
	};
}
