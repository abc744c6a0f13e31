import type { Scanned } from '../../lib/json-scan.ts';
import type { ServerFacts } from '../model.ts';
import { readInitialize } from './legacy.ts';
import { memberOf, objectOf, textOf } from './message.ts';
import { isHeaderValue, type ReplyHeaders } from './transport/http-request.ts';
import type { TransportFault } from './transport/transport.ts';

/** Credentials and pressure say nothing about eras. */
const withoutVerdict: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/** Whether a server answered, and so that it does not know what it was asked. */
export function saysNo(fault: TransportFault): boolean {
	if (fault.kind === 'http') return refusesGreeting(fault.status);
	return fault.kind === 'io' && fault.answered === true;
}

/** Whether an HTTP status says that a server does not want to be greeted so. */
export function refusesGreeting(status: number): boolean {
	return status < 500 && !withoutVerdict.has(status);
}

/** What servers answer to a POST where only a stream is. */
export const notPostable: ReadonlySet<number> = new Set([400, 404, 405]);

/** What a server says of itself in its answer to `initialize`, and its session, if it opens one; else why that is none. */
export function readHandshake(
	scanned: Scanned,
	headers: ReplyHeaders | null,
): { server: ServerFacts; session: string | null } | Refusal {
	const server = readInitialize(scanned);
	if (server === null) return oddVersion(scanned) ?? refusal('initialize', scanned);
	const session = headers?.['mcp-session-id'];
	if (typeof session !== 'string') return { server, session: null };
	if (isHeaderValue(session)) return { server, session };
	return { reason: `its session id cannot be sent back in a header: ${quoted(session)}`, remedy };
}

/** The words for a version that cannot be spoken; null when there is none in the answer. */
function oddVersion(scanned: Scanned): Refusal | null {
	const version = objectOf(scanned, memberOf(scanned.members, 'result'))?.['protocolVersion'];
	if (version === undefined) return null;
	const said = typeof version === 'string' ? `that this gateway does not know: ${quoted(version)}` : 'that is no text';
	return {
		reason: `it answered initialize with a protocol version ${said}`,
		remedy: 'Check that the target is an MCP server, or update agentgateway.',
	};
}

/** What a server made up, cut and without anything that a terminal would not show as it is. */
function quoted(text: string): string {
	const escaped = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
	return JSON.stringify(text.slice(0, 100)).replace(/[^\x20-\x7e]/g, escaped);
}

interface Refusal {
	readonly reason: string;
	readonly remedy: string;
}

const remedy = 'Check that the target is an MCP server.';

/** The answer to a greeting that was none, in words for a person. */
export function refusal(method: string, scanned: Scanned): Refusal {
	const error = memberOf(scanned.members, 'error');
	const said = error === null ? '' : `: ${textOf(scanned, error).toString('utf8', 0, 800).slice(0, 200)}`;
	return { reason: `it did not accept ${method}${said}`, remedy };
}
