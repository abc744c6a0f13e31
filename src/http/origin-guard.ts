import { type Authority, isLoopbackHost, parseAuthority } from './authority.ts';
import type { Exchange, Refusal } from './exchange.ts';
import { compileOrigins, defaultPort, parseOrigin } from './origin.ts';
import { refuse } from './refusal.ts';

/** What the guard needs of configuration. */
export interface OriginRule {
	/** `dnsRebindingProtection`: null = what arrives over loopback, true = everything, false = nothing. */
	protection: boolean | null;
	/** `config.allowedHosts`: `name`, `name:port`, or `*.suffix` for names below it. */
	allowedHosts: readonly string[];
	/** `config.publicUrl`. */
	publicUrl: string | null;
	/** The route's `cors.allowOrigins`; empty without a cors policy. */
	allowOrigins: readonly string[];
}

/** Decides whether a request may have been sent by a foreign web page; null lets it pass. */
export type OriginGuard = (exchange: Pick<Exchange, 'host' | 'headers' | 'overLoopback'>) => Refusal | null;

/**
 * Compiles the check against DNS rebinding (MCP transports, "Security Warning"): a page on any site can make the
 * browser resolve its own name to 127.0.0.1 and then talk to a local gateway as if it were same-origin. So Host must
 * be a name that only this machine or the configuration can mean, and Origin one that was meant to come here.
 * `allowOrigins: "*"` relaxes the second, never the first.
 */
export function compileOriginGuard(rule: OriginRule): OriginGuard {
	if (rule.protection === false) return () => null;
	const always = rule.protection === true;
	const publicOrigin = rule.publicUrl === null ? null : parseOrigin(new URL(rule.publicUrl).origin);
	const allowsHost = compileHosts(rule.allowedHosts, publicOrigin?.authority ?? null);
	const allowsOrigin = compileOrigins(rule.allowOrigins);
	// Clients send the same Host again and again, and most send no Origin.
	let accepted: string | null = null;
	return ({ host, headers, overLoopback }) => {
		if (!always && !overLoopback) return null;
		if (host === accepted && headers.origin === undefined) return null;
		const authority = parseAuthority(host);
		if (authority === null || (!isLoopbackHost(authority.host) && !allowsHost(authority))) return refuseHost(host);
		accepted = host;
		const { origin } = headers;
		if (origin === undefined) return null;
		if (typeof origin !== 'string' || origin === 'null' || /[\s,]/.test(origin)) return refuseOrigin(String(origin));
		if (allowsOrigin(origin)) return null;
		const from = parseOrigin(origin);
		if (from === null) return refuseOrigin(origin);
		if (isLoopbackHost(from.authority.host) && isLoopbackHost(authority.host)) return null;
		if (
			publicOrigin !== null &&
			from.scheme === publicOrigin.scheme &&
			from.authority.host === publicOrigin.authority.host &&
			from.port === publicOrigin.port
		)
			return null;
		// Same origin. The scheme that the browser used is not known behind a proxy that ends TLS.
		if (from.authority.host === authority.host && from.port === (authority.port ?? defaultPort(from.scheme)))
			return null;
		return refuseOrigin(origin);
	};
}

function compileHosts(
	allowed: readonly string[],
	publicAuthority: Authority | null,
): (authority: Authority) => boolean {
	const names = new Set<string>();
	const suffixes: string[] = [];
	for (const entry of allowed) {
		if (entry.startsWith('*.')) {
			const suffix = parseAuthority(entry.slice(2));
			if (suffix !== null && suffix.port === null) suffixes.push(`.${suffix.host}`);
			continue;
		}
		const authority = parseAuthority(entry);
		if (authority !== null) names.add(authority.port === null ? authority.host : `${authority.host}:${authority.port}`);
	}
	// The proxy in front decides which port stands in Host.
	if (publicAuthority !== null) names.add(publicAuthority.host);
	return ({ host, port }) => {
		if (names.has(host) || (port !== null && names.has(`${host}:${port}`))) return true;
		return suffixes.some((suffix) => host.endsWith(suffix));
	};
}

function refuseHost(host: string): Refusal {
	const named = host === '' ? 'A request without Host' : `Host ${shown(host)}`;
	return refuse(
		403,
		`${named} is not accepted here, as protection against DNS rebinding. If it is a name of this gateway, add it to config.allowedHosts.`,
		'Authorization',
	);
}

function refuseOrigin(origin: string): Refusal {
	return refuse(
		403,
		`Origin ${shown(origin)} is not accepted here. If this page may use the gateway, add its origin to the route's cors.allowOrigins, or set config.publicUrl when a proxy stands in front.`,
		'Authorization',
	);
}

function shown(text: string): string {
	return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
