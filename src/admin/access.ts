import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopbackHost, parseAuthority } from '../http/authority.ts';
import type { Authority } from '../http/authority.ts';
import type { Exchange } from '../http/exchange.ts';
import { defaultPort, parseOrigin } from '../http/origin.ts';
import type { ApiError } from './state.ts';

/** What the decision looks at. */
export type AccessRequest = Pick<Exchange, 'method' | 'path' | 'query' | 'host' | 'headers' | 'overLoopback'>;

/** What the decision knows of this start of the gateway. */
export interface AccessRules {
	/** The token for what does not come over loopback; an empty one opens nothing. */
	adminToken: string;
	/** Further Host names, such as that of a reverse proxy on this machine. With or without a port. */
	allowedHosts: readonly string[];
	/** Cookie value of browsers on this machine: random per start. */
	localCookie: string;
	/** Cookie value of browsers that have shown the token: random per start. */
	remoteCookie: string;
}

/** What may happen with a request. */
export type Access =
	| { kind: 'allow'; cookie: string | null }
	/** The token stood in the URL and was right: answer with the cookie and this place, which has no token. */
	| { kind: 'redirect'; cookie: string; location: string }
	| { kind: 'refuse'; error: ApiError };

/**
 * Decides who may use the admin port: a program on this machine (loopback, loopback Host, no sign of a browser) as it
 * is; a browser only from the gateway's own pages and with the cookie that `/ui/` sets; everything else by token.
 * A web page that the operator happens to visit must not get in, neither by cross-site requests nor by DNS rebinding.
 */
export function decideAccess(request: AccessRequest, rules: AccessRules): Access {
	const authority = parseAuthority(request.host);
	if (authority === null) return refuse('The Host header is missing or malformed.', 'Send one valid Host header.');
	const loopbackHost = isLoopbackHost(authority.host);
	if (request.overLoopback && !loopbackHost && !isAllowed(authority, rules.allowedHosts)) {
		return refuse(
			`Host \`${authority.host}\` is not a name of this machine's loopback.`,
			'Use http://localhost and the admin port, or name the host in `config.allowedHosts`.',
		);
	}
	// What a reverse proxy on this machine passes on arrives over loopback too, but comes from anywhere.
	const local = request.overLoopback && loopbackHost && !isForwarded(request);
	const foreign = foreignOrigin(request, authority, local);
	if (foreign !== null) return foreign;
	return isPagePath(request.path) && isRead(request.method)
		? decidePage(request, rules, local)
		: decideApi(request, rules, local);
}

/**
 * Whether the sender has shown the admin token, now or when its browser got the cookie. Whoever else runs a program on
 * this machine has not: that is enough to look and to switch, but not to name commands that the gateway shall run.
 */
export function showsToken(request: AccessRequest, rules: AccessRules): boolean {
	return bearerMatches(request, rules) || holds(cookies(request), rules.remoteCookie);
}

/** Name of the cookie: one per port, because browsers share the cookies of one host among all its ports. */
export function cookieName(host: string): string {
	return `agentgateway_admin_${parseAuthority(host)?.port ?? 'default'}`;
}

/**
 * Whether a write says that it carries JSON. Forms and `fetch` without a preflight can only send other types, so this
 * alone stops a cross-site write of an old browser that sends neither Origin nor fetch metadata.
 */
export function carriesJson(request: Pick<AccessRequest, 'method' | 'headers'>): boolean {
	if (isRead(request.method)) return true;
	const type = request.headers['content-type'];
	if (type === undefined) return request.method === 'DELETE';
	return typeof type === 'string' && /^application\/json\s*(;.*)?$/i.test(type.trim());
}

function decidePage(request: AccessRequest, rules: AccessRules, local: boolean): Access {
	const token = queryToken(request.query);
	if (token !== null && (local || sameText(token, rules.adminToken))) {
		return {
			kind: 'redirect',
			cookie: sameText(token, rules.adminToken) ? rules.remoteCookie : rules.localCookie,
			location: withoutToken(request),
		};
	}
	const held = cookies(request);
	if (holds(held, rules.remoteCookie) || bearerMatches(request, rules)) return { kind: 'allow', cookie: null };
	if (local) return { kind: 'allow', cookie: holds(held, rules.localCookie) ? null : rules.localCookie };
	return refuse(
		token === null
			? 'The admin UI needs a token when it is not opened on this machine.'
			: 'The token in the URL is not the one of this gateway.',
		'Open /ui/?token=… once, with the token that the start line of the gateway prints or ADMIN_TOKEN sets.',
	);
}

function decideApi(request: AccessRequest, rules: AccessRules, local: boolean): Access {
	const { origin } = request.headers;
	const browser = origin !== undefined || request.headers['sec-fetch-site'] !== undefined;
	if (local && !browser) return { kind: 'allow', cookie: null };
	if (bearerMatches(request, rules)) return { kind: 'allow', cookie: null };
	const held = cookies(request);
	const known = holds(held, rules.remoteCookie) || (local && holds(held, rules.localCookie));
	// Browsers put Origin on every write; a write with a cookie but without Origin proves nothing about its page.
	if (known && (isRead(request.method) || origin !== undefined)) return { kind: 'allow', cookie: null };
	if (known) return refuse('A write from a browser needs an Origin header.', 'Use the pages under /ui/.');
	if (local) {
		return refuse(
			'This browser has no cookie of this gateway, or one of an earlier start.',
			`Open http://${request.host}/ui/ in this browser, then try again.`,
		);
	}
	return refuse(
		'The admin API needs a token when it is not used on this machine.',
		'Send `Authorization: Bearer …` with the token that the start line of the gateway prints or ADMIN_TOKEN sets.',
	);
}

/** Refuses what a browser marks as sent by a page of another origin; null for all else. */
function foreignOrigin(request: AccessRequest, authority: Authority, local: boolean): Access | null {
	const { origin } = request.headers;
	if (origin !== undefined && !isSameOrigin(origin, authority, local)) {
		return refuse(
			`Origin \`${shown(origin)}\` is not the origin of this admin port.`,
			'Use the pages under /ui/, or a program that sends no Origin header.',
		);
	}
	const site = request.headers['sec-fetch-site'];
	if (site === undefined || site === 'same-origin') return null;
	// A typed address, a bookmark; never a write.
	if (site === 'none' && isRead(request.method)) return null;
	if (isLinkToPage(request)) return null;
	return refuse(
		`The browser sent this request for another site (Sec-Fetch-Site: ${shown(site)}).`,
		'Use the pages under /ui/, or a program outside the browser.',
	);
}

/** A link in a document or a mail that opens the UI in the whole window reads nothing for the page that holds it. */
function isLinkToPage({ method, path, headers }: AccessRequest): boolean {
	return (
		isPagePath(path) &&
		isRead(method) &&
		headers.origin === undefined &&
		headers['sec-fetch-mode'] === 'navigate' &&
		headers['sec-fetch-dest'] === 'document'
	);
}

function isSameOrigin(header: string | string[], authority: Authority, local: boolean): boolean {
	const origin = typeof header === 'string' ? parseOrigin(header) : null;
	if (origin === null || origin.authority.host !== authority.host) return false;
	// The port itself speaks plain HTTP; `https` is right where a proxy in front of it ends TLS.
	if (origin.scheme === 'https' && local) return false;
	return origin.port === (authority.port ?? defaultPort(origin.scheme));
}

function isForwarded({ headers }: AccessRequest): boolean {
	return (
		headers.forwarded !== undefined ||
		headers.via !== undefined ||
		headers['x-forwarded-for'] !== undefined ||
		headers['x-forwarded-host'] !== undefined ||
		headers['x-real-ip'] !== undefined
	);
}

function isPagePath(path: string): boolean {
	return path === '/' || path === '/ui' || path.startsWith('/ui/');
}

function isRead(method: string): boolean {
	return method === 'GET' || method === 'HEAD';
}

function isAllowed({ host, port }: Authority, allowed: readonly string[]): boolean {
	return allowed.some((entry) => {
		const one = parseAuthority(entry);
		return one !== null && one.host === host && (one.port === null || one.port === port);
	});
}

function bearerMatches({ headers }: AccessRequest, rules: AccessRules): boolean {
	const value = headers.authorization;
	const token = typeof value === 'string' ? /^bearer +(\S+) *$/i.exec(value)?.[1] : undefined;
	return token !== undefined && sameText(token, rules.adminToken);
}

/** All values under our cookie name: another port of this host may have set a second one. */
function cookies({ headers, host }: AccessRequest): string[] {
	const raw = headers.cookie;
	if (raw === undefined) return [];
	const prefix = `${cookieName(host)}=`;
	return (typeof raw === 'string' ? raw : raw.join(';'))
		.split(';')
		.map((pair) => pair.trim())
		.filter((pair) => pair.startsWith(prefix))
		.map((pair) => pair.slice(prefix.length));
}

function holds(values: readonly string[], wanted: string): boolean {
	return values.some((value) => sameText(value, wanted));
}

/** Compares in a time that tells nothing of the place where two texts differ. An empty text equals nothing. */
function sameText(given: string, wanted: string): boolean {
	if (wanted === '') return false;
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(wanted));
}

function queryToken(query: string): string | null {
	return query === '' ? null : new URLSearchParams(query).get('token');
}

function withoutToken({ path, query }: AccessRequest): string {
	const rest = new URLSearchParams(query);
	rest.delete('token');
	// One leading slash only: `//host/` would lead the browser to another machine.
	const place = path.startsWith('/ui/') ? path : '/ui/';
	return rest.size === 0 ? place : `${place}?${rest}`;
}

function shown(value: string | string[]): string {
	const text = typeof value === 'string' ? value : value.join(', ');
	return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function refuse(error: string, remedy: string): Access {
	return { kind: 'refuse', error: { error, remedy, detail: '' } };
}
