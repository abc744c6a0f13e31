import type { IncomingMessage } from 'node:http';
import { type Authority, authorityText, parseAuthority } from './authority.ts';
import type { Refusal } from './exchange.ts';
import { refuse } from './refusal.ts';

/** Where a request goes, read from its request line and Host header. */
export interface RequestTarget {
	path: string;
	query: string;
	/** Lower case, with its port when one is written; empty for HTTP/1.0 without Host. */
	host: string;
}

const maximumHeaders = 100;

/** Headers of which two would mean two things; node takes the first, or joins them with a comma. */
const single = new Map<number, readonly string[]>([
	[4, ['host']],
	[6, ['origin']],
	[8, ['mcp-name']],
	[10, ['mcp-method']],
	[12, ['content-type']],
	[13, ['authorization', 'last-event-id']],
	[14, ['content-length', 'mcp-session-id']],
	[17, ['transfer-encoding']],
	[20, ['mcp-protocol-version']],
]);

/**
 * Checks what node lets through although two parties could read it differently (RFC 9112 §11.2): too many headers
 * (node drops the last ones silently), doubled headers, a Host that is no authority or contradicts the request line,
 * odd transfer codings. A refusal means that the connection cannot be trusted and is closed after the reply.
 */
export function checkRequest(request: IncomingMessage, known: HostMemory): RequestTarget | Refusal {
	const doubled = headerFault(request.rawHeaders);
	if (doubled !== null) return doubled;
	// node also takes 0.9 and 2.0 for versions that it could serve.
	if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
		return refuse(505, 'this version of HTTP is not served here', 'InvalidRequest');
	if (request.method === 'TRACE')
		return refuse(405, 'TRACE is not supported', 'InvalidRequest', ['allow', 'GET, POST, DELETE, OPTIONS']);
	const coding = request.headers['transfer-encoding'];
	if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || request.httpVersion === '1.0')) {
		return invalid('transfer-encoding must be `chunked`, and needs HTTP/1.1');
	}
	const host = hostOf(request, known);
	if (typeof host !== 'string') return host;
	return splitTarget(request.url ?? '', host);
}

/** The Host value that a connection used last, already read: nearly always it is the same again. */
export interface HostMemory {
	/** null before the first request. */
	raw: string | null;
	host: string;
}

function headerFault(raw: readonly string[]): Refusal | null {
	if (raw.length > maximumHeaders * 2)
		return refuse(431, `more than ${maximumHeaders} request headers`, 'InvalidRequest');
	let seen: string[] | null = null;
	for (let at = 0; at < raw.length; at += 2) {
		const name = raw[at] as string;
		const candidates = single.get(name.length);
		if (candidates === undefined) continue;
		const lower = name.toLowerCase();
		if (!candidates.includes(lower)) continue;
		if (seen === null) seen = [lower];
		else if (seen.includes(lower)) return invalid(`more than one ${lower} header`);
		else seen.push(lower);
	}
	return null;
}

function hostOf(request: IncomingMessage, known: HostMemory): string | Refusal {
	const raw = request.headers.host;
	if (raw === undefined) return request.httpVersion === '1.0' ? '' : invalid('the Host header is missing');
	if (raw === known.raw) return known.host;
	const authority = parseAuthority(raw);
	if (authority === null) return invalid('the Host header is not a valid host');
	known.raw = raw;
	known.host = authorityText(authority);
	return known.host;
}

function splitTarget(url: string, host: string): RequestTarget | Refusal {
	const target = url.startsWith('/') ? url : originForm(url, host);
	if (typeof target !== 'string') return target;
	// A fragment never belongs on the wire, and bytes outside ASCII are read in more than one way.
	if (!/^[!-"$-~]*$/.test(target)) return invalid('the request target has characters that must be percent-encoded');
	const mark = target.indexOf('?');
	if (mark < 0) return { path: target, query: '', host };
	return { path: target.slice(0, mark), query: target.slice(mark + 1), host };
}

/** The path of an absolute-form target, whose authority must be that of the Host header (RFC 9112 §3.2.2). */
function originForm(url: string, host: string): string | Refusal {
	const scheme = /^https?:\/\//i.exec(url);
	if (scheme === null) return invalid('the request target must be a path');
	const rest = url.slice(scheme[0].length);
	const end = rest.search(/[/?#]/);
	const authority = parseAuthority(end < 0 ? rest : rest.slice(0, end));
	if (authority === null || !sameHost(authority, host, scheme[0]))
		return invalid('the request target and the Host header name different hosts');
	const path = end < 0 ? '' : rest.slice(end);
	return path.startsWith('/') ? path : `/${path}`;
}

function sameHost(authority: Authority, host: string, scheme: string): boolean {
	if (authorityText(authority) === host) return true;
	const other = parseAuthority(host);
	if (other === null || other.host !== authority.host) return false;
	const usual = scheme.toLowerCase() === 'https://' ? 443 : 80;
	return (authority.port ?? usual) === (other.port ?? usual);
}

function invalid(message: string): Refusal {
	return refuse(400, message, 'InvalidRequest');
}
