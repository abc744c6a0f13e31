import type { Scanned } from '../../lib/json-scan.ts';
import type { Caller, ServerFacts } from '../model.ts';
import type { Dialect } from './dialect.ts';
import { maximumParsedBytes, memberOf, textOf } from './message.ts';

/** The newest revision with a handshake; asked for first, and any older one that the server answers with is taken. */
export const newestLegacyVersion = '2025-11-25';

/** Capabilities whose requests come from servers, which this version does not pass on to clients. */
const notBridged: ReadonlySet<string> = new Set(['sampling', 'elicitation', 'roots', 'tasks']);

/** The `initialize` request for a caller. */
export function initializeText(id: number, caller: Caller): Buffer {
	const clientInfo = caller.clientInfo?.toString() ?? '{"name":"agentgateway","version":"1"}';
	return Buffer.from(
		`{"jsonrpc":"2.0","id":${id},"method":"initialize","params":{"protocolVersion":"${newestLegacyVersion}",` +
			`"capabilities":${declaredCapabilities(caller)},"clientInfo":${clientInfo}}}`,
	);
}

/** What servers are told that the client can do. */
export function declaredCapabilities(caller: Caller): string {
	const all = JSON.parse(caller.capabilities.toString()) as Record<string, unknown>;
	return JSON.stringify(Object.fromEntries(Object.entries(all).filter(([key]) => !notBridged.has(key))));
}

export const initializedText = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** Reads the result of `initialize`; null when it is none. */
export function readInitialize(scanned: Scanned): ServerFacts | null {
	const result = memberOf(scanned.members, 'result');
	if (result === null || result.end - result.start > maximumParsedBytes) return null;
	const value = JSON.parse(textOf(scanned, result).toString()) as Record<string, unknown>;
	const version = value['protocolVersion'];
	if (typeof version !== 'string') return null;
	return serverFacts(value, value['serverInfo'], version);
}

/** Facts from an already decoded handshake. */
export function serverFacts(value: Record<string, unknown>, serverInfo: unknown, protocolVersion: string): ServerFacts {
	const info = isObject(serverInfo) ? serverInfo : {};
	const capabilities = isObject(value['capabilities']) ? value['capabilities'] : {};
	return {
		serverInfo: { name: textOr(info['name'], 'unknown'), version: textOr(info['version'], '') },
		serverInfoText: Buffer.from(JSON.stringify({ name: 'unknown', version: '', ...info })),
		protocolVersion,
		capabilities,
		capabilitiesText: Buffer.from(JSON.stringify(capabilities)),
		instructions: typeof value['instructions'] === 'string' ? value['instructions'] : null,
	};
}

function textOr(value: unknown, otherwise: string): string {
	return typeof value === 'string' ? value : otherwise;
}

/** The dialect of servers up to 2025-11-25. `sessionId` is null where the server gave none, as over stdio. */
export function legacyDialect(version: string, sessionId: string | null): Dialect {
	const headers = ['mcp-protocol-version', version];
	if (sessionId !== null) headers.push('mcp-session-id', sessionId);
	return {
		requestMeta: () => '',
		headers: () => headers,
		postHeaders: headers,
		resultType: () => complete,
		cancelNotice(id, reason) {
			const why = reason === undefined ? '' : `,"reason":${JSON.stringify(reason)}`;
			return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}${why}}}`);
		},
	};
}

const complete = { type: 'complete', stamped: false };

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
