import { decodeString, type Member, type Scanned } from '../../lib/json-scan.ts';
import { code, mcpError } from '../errors.ts';
import { encodeHeader } from '../params/header-value.ts';
import type { Call, Caller, McpError, Notice, ServerFacts } from '../model.ts';
import type { Dialect } from './dialect.ts';
import { cancelledText, isObject, serverFacts } from './legacy.ts';
import { memberOf, objectOf } from './message.ts';

/** The revision without handshake that the gateway speaks to servers. */
export const modernVersion = '2026-07-28';

/** The `server/discover` request, which is also the probe for the era of a server. */
export function discoverText(id: number, caller: Caller): Buffer {
	return Buffer.from(
		`{"jsonrpc":"2.0","id":${id},"method":"server/discover","params":{"_meta":{${callerMeta(caller)}}}}`,
	);
}

export const discoverHeaders: readonly string[] = [
	'mcp-protocol-version',
	modernVersion,
	'mcp-method',
	'server/discover',
];

/** Asks a server to report what `notifications` says, for as long as the answering stream lasts. */
export function listenText(id: number, caller: Caller, notifications: Readonly<Record<string, unknown>>): Buffer {
	const params = `{"notifications":${JSON.stringify(notifications)},"_meta":{${callerMeta(caller)}}}`;
	return Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"subscriptions/listen","params":${params}}`);
}

export const listenHeaders: readonly string[] = [
	'mcp-protocol-version',
	modernVersion,
	'mcp-method',
	'subscriptions/listen',
];

/** Reads the answer to the probe. `disjoint`: a modern server of versions that the gateway does not speak. */
export function readDiscover(scanned: Scanned): ServerFacts | 'not-modern' | 'disjoint' {
	const value = objectOf(scanned, memberOf(scanned.members, 'result'));
	if (value === null) return 'not-modern';
	const versions = value['supportedVersions'];
	if (!Array.isArray(versions)) return 'not-modern';
	if (!versions.includes(modernVersion))
		return versions.some((one) => typeof one === 'string' && one > modernVersion) ? 'disjoint' : 'not-modern';
	const meta = isObject(value['_meta']) ? value['_meta'] : {};
	return serverFacts(value, meta['io.modelcontextprotocol/serverInfo'] ?? value['serverInfo'], modernVersion, false);
}

/** The versions that a server of the new era names when it does not speak the one it was asked in; null for others. */
export function versionsInstead(scanned: Scanned): string[] | null {
	const error = objectOf(scanned, memberOf(scanned.members, 'error'));
	if (error?.['code'] !== code.unsupportedVersion || !isObject(error['data'])) return null;
	const { supported } = error['data'];
	return Array.isArray(supported) ? supported.filter((one) => typeof one === 'string') : null;
}

/** Param that the `Mcp-Name` header repeats is the call's name; these methods have one. */
const named: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);
const taskMethods: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

const complete = Buffer.from('"complete"');
const unstamped = { type: 'complete', stamped: false };
const stamped = { type: 'complete', stamped: true };

/** The dialect of 2026-07-28. `overHttp`: a closed request is a cancelled one, no notification is needed. */
export function modernDialect(overHttp: boolean): Dialect {
	return new ModernDialect(overHttp);
}

class ModernDialect implements Dialect {
	readonly handshake = false;
	readonly mirrors: boolean;
	readonly postHeaders = modernPostHeaders;
	private lastCaller: Caller | null = null;
	private lastMeta = '';
	/** The last one that can be a header: nearly all are the same. */
	private lastMethod = '';

	constructor(overHttp: boolean) {
		this.mirrors = overHttp;
	}

	/** Nothing but names and arguments is encoded for its header: a method that cannot stand there as it is has no server. */
	refusal({ method }: Call): McpError | null {
		if (!this.mirrors || method === this.lastMethod) return null;
		if (encodeHeader(method) === method) {
			this.lastMethod = method;
			return null;
		}
		return mcpError(code.methodNotFound, `Method not found: ${method}`);
	}

	/** What clients with a handshake tell their servers has no meaning here, or travels with each call. */
	takes(notice: Notice): boolean {
		return !handshakeNotices.test(notice.method);
	}

	requestMeta(caller: Caller): string {
		if (this.lastCaller !== caller) {
			this.lastCaller = caller;
			this.lastMeta = callerMeta(caller);
		}
		return this.lastMeta;
	}

	headers(call: Call): readonly string[] {
		const headers = ['mcp-protocol-version', modernVersion, 'mcp-method', call.method];
		if (named.has(call.method) || taskMethods.has(call.method)) headers.push('mcp-name', encodeHeader(nameOf(call)));
		return headers;
	}

	resultType(result: Member, text: Buffer): { type: string; stamped: boolean } {
		const type = memberOf(result.members, 'resultType');
		if (type === null) return unstamped;
		if (complete.compare(text, type.start, type.end) === 0) return stamped;
		// A type that is no word is nobody's.
		const known = text[type.start] === 0x22 && type.end - type.start <= maximumTypeBytes;
		return { type: known ? decodeString(text, type.start, type.end) : 'unknown', stamped: true };
	}

	cancelNotice(id: number, reason: string | undefined): Buffer | null {
		return this.mirrors ? null : cancelledText(id, reason);
	}
}

const maximumTypeBytes = 256;
const modernPostHeaders: readonly string[] = ['mcp-protocol-version', modernVersion];
const handshakeNotices = /^notifications\/(initialized|progress|cancelled|roots\/list_changed)$/;

/** What servers are told that the client can do; tasks of clients with a handshake are of another form. */
function declaredCapabilities(caller: Caller): string {
	if (!caller.handshake) return caller.capabilities.toString();
	const all = JSON.parse(caller.capabilities.toString()) as Record<string, unknown>;
	return JSON.stringify(Object.fromEntries(Object.entries(all).filter(([key]) => key !== 'tasks')));
}

function callerMeta(caller: Caller): string {
	const info =
		caller.clientInfo === null ? '' : `,"io.modelcontextprotocol/clientInfo":${caller.clientInfo.toString()}`;
	// A server with a handshake logs as it likes until it is told a level; these log nothing.
	const wanted = caller.logLevel ?? (caller.handshake ? 'info' : null);
	const level = wanted === null ? '' : `,"io.modelcontextprotocol/logLevel":${JSON.stringify(wanted)}`;
	return (
		`"io.modelcontextprotocol/protocolVersion":"${modernVersion}",` +
		`"io.modelcontextprotocol/clientCapabilities":${declaredCapabilities(caller)}${info}${level}`
	);
}

function nameOf(call: Call): string {
	if (call.name !== null) return call.name;
	const key = call.method === 'resources/read' ? 'uri' : taskMethods.has(call.method) ? 'taskId' : 'name';
	const member = memberOf(call.params.members, key);
	const { text } = call.params;
	return member !== null && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : '';
}
