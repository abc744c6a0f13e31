import { isIPv6 } from 'node:net';

/** Host and port of an `authority` (RFC 3986 §3.2) without user info. */
export interface Authority {
	/** Lower case, without a trailing dot; IPv6 in brackets and in its shortest form. */
	readonly host: string;
	/** null when none is written. */
	readonly port: number | null;
}

/**
 * Reads a Host header or the authority of a URL; null when it is not one.
 * Strict on purpose: `localhost:15000/@evil.example` passes lenient parsers and means two hosts (RFC 9110 §7.2).
 */
export function parseAuthority(text: string): Authority | null {
	if (text.length === 0 || text.length > 255 + 6) return null;
	const split = text.startsWith('[') ? splitBracketed(text) : splitName(text);
	if (split === null) return null;
	const port = split.port === null ? null : portNumber(split.port);
	if (port === undefined) return null;
	return { host: split.host, port };
}

/** The authority as text again: `host` or `host:port`. */
export function authorityText(authority: Authority): string {
	return authority.port === null ? authority.host : `${authority.host}:${authority.port}`;
}

/**
 * Whether a host, as `parseAuthority` gives it, can only mean this machine: `localhost` and names below it
 * (RFC 6761 §6.3), 127.0.0.0/8 in dotted form, `[::1]`. Not `0.0.0.0`, which browsers send to a local server too.
 */
export function isLoopbackHost(host: string): boolean {
	if (host === 'localhost' || host === '127.0.0.1' || host === '[::1]') return true;
	if (host.endsWith('.localhost')) return true;
	return host.startsWith('127.') && isDottedQuad(host);
}

/** Whether a peer address of a socket is a loopback address. */
export function isLoopbackAddress(address: string): boolean {
	if (address === '::1') return true;
	const v4 = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
	return v4.startsWith('127.') && isDottedQuad(v4);
}

interface Split {
	host: string;
	port: string | null;
}

function splitBracketed(text: string): Split | null {
	const end = text.indexOf(']');
	if (end < 0) return null;
	const inner = text.slice(1, end);
	// Zone identifiers (`%eth0`) name an interface of the sender and mean nothing here.
	if (!isIPv6(inner) || inner.includes('%')) return null;
	const rest = text.slice(end + 1);
	if (rest !== '' && !rest.startsWith(':')) return null;
	return { host: new URL(`http://[${inner}]`).hostname, port: rest === '' ? null : rest.slice(1) };
}

function splitName(text: string): Split | null {
	const colon = text.indexOf(':');
	let host = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
	if (host.endsWith('.')) host = host.slice(0, -1);
	if (!isName(host)) return null;
	return { host, port: colon < 0 ? null : text.slice(colon + 1) };
}

/** Labels of letters, digits, `-` and `_`, joined by dots; `_` is no host name but common in container networks. */
function isName(host: string): boolean {
	if (host.length === 0 || host.length > 253) return false;
	let label = 0;
	for (let at = 0; at < host.length; at++) {
		const code = host.charCodeAt(at);
		if (code === 0x2e) {
			if (label === 0) return false;
			label = 0;
			continue;
		}
		const word = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f;
		if (!word || ++label > 63) return false;
	}
	return label > 0;
}

/** undefined when it is no port. */
function portNumber(text: string): number | undefined {
	if (text.length === 0 || text.length > 5) return undefined;
	let port = 0;
	for (let at = 0; at < text.length; at++) {
		const digit = text.charCodeAt(at) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		port = port * 10 + digit;
	}
	return port > 0 && port <= 65_535 ? port : undefined;
}

function isDottedQuad(host: string): boolean {
	const parts = host.split('.');
	if (parts.length !== 4) return false;
	return parts.every(
		(part) =>
			part.length > 0 && part.length <= 3 && isDecimal(part) && String(Number(part)) === part && Number(part) <= 255,
	);
}

function isDecimal(text: string): boolean {
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code < 0x30 || code > 0x39) return false;
	}
	return true;
}
