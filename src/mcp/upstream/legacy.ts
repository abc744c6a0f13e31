import type { Scanned } from '../../lib/json-scan.ts';
import { code, mcpError } from '../errors.ts';
import type { Call, Caller, McpError, ServerFacts } from '../model.ts';
import type { Dialect } from './dialect.ts';
import { memberOf, objectOf } from './message.ts';

/** The newest revision with a handshake; asked for first, and any older one that the server answers with is taken. */
const newestLegacyVersion = '2025-11-25';
/** What all versions look like. One that a server makes up goes into the headers of all that follows. */
const versionForm = /^\d{4}-\d{2}-\d{2}$/;

/** The `initialize` request for a caller. */
export function initializeText(id: number, caller: Caller): Buffer {
	const clientInfo = caller.clientInfo?.toString() ?? '{"name":"agentgateway","version":"1"}';
	return Buffer.from(
		`{"jsonrpc":"2.0","id":${id},"method":"initialize","params":{"protocolVersion":"${newestLegacyVersion}",` +
			`"capabilities":${declaredCapabilities(caller)},"clientInfo":${clientInfo}}}`,
	);
}

/**
 * What servers with a handshake are told that the client can do. A client of their own kind speaks for itself. One of
 * the other kind has no notice of changed roots, and its tasks are of another form.
 */
function declaredCapabilities(caller: Caller): string {
	if (caller.handshake) return caller.capabilities.toString();
	return JSON.stringify(withoutCapabilities(JSON.parse(caller.capabilities.toString())));
}

function withoutCapabilities(all: unknown): unknown {
	if (!isObject(all)) return {};
	const { extensions, roots, tasks: _, ...rest } = all;
	if (isObject(extensions)) {
		rest['extensions'] = Object.fromEntries(Object.entries(extensions).filter(([key]) => key !== tasksExtension));
	}
	if (isObject(roots))
		rest['roots'] = Object.fromEntries(Object.entries(roots).filter(([key]) => key !== 'listChanged'));
	return rest;
}

const tasksExtension = 'io.modelcontextprotocol/tasks';

/** Not asked for by these servers; one of the other era that gets it by mistake can say so with the right words. */
export const initializeHeaders: readonly string[] = ['mcp-method', 'initialize'];

export const initializedText = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** Reads the result of `initialize`; null when it is none. */
export function readInitialize(scanned: Scanned): ServerFacts | null {
	const value = objectOf(scanned, memberOf(scanned.members, 'result'));
	if (value === null) return null;
	const version = value['protocolVersion'];
	// A server that answers with a version which has no handshake means something else by it.
	if (typeof version !== 'string' || !versionForm.test(version) || version > newestLegacyVersion) return null;
	return serverFacts(value, value['serverInfo'], version, true);
}

/** Facts from an already decoded handshake. */
export function serverFacts(
	value: Record<string, unknown>,
	serverInfo: unknown,
	protocolVersion: string,
	handshake: boolean,
): ServerFacts {
	const info = isObject(serverInfo) ? serverInfo : {};
	const capabilities = isObject(value['capabilities']) ? value['capabilities'] : {};
	return {
		serverInfo: { name: textOr(info['name'], 'unknown'), version: textOr(info['version'], '') },
		serverInfoText: Buffer.from(JSON.stringify({ name: 'unknown', version: '', ...info })),
		protocolVersion,
		capabilities,
		capabilitiesText: Buffer.from(JSON.stringify(capabilities)),
		instructions: typeof value['instructions'] === 'string' ? value['instructions'] : null,
		handshake,
	};
}

function textOr(value: unknown, otherwise: string): string {
	return typeof value === 'string' ? value : otherwise;
}

/** The dialect of servers up to 2025-11-25. `sessionId` is null where the server gave none, as over stdio. */
export function legacyDialect(version: string, sessionId: string | null): Dialect {
	return new LegacyDialect(version, sessionId);
}

/** A class, as there is one per session. */
class LegacyDialect implements Dialect {
	readonly handshake = true;
	readonly mirrors = false;
	readonly postHeaders: readonly string[];

	constructor(version: string, sessionId: string | null) {
		const headers = ['mcp-protocol-version', version];
		if (sessionId !== null) headers.push('mcp-session-id', sessionId);
		this.postHeaders = headers;
	}

	requestMeta(): string {
		return '';
	}

	headers(): readonly string[] {
		return this.postHeaders;
	}

	/** These servers never give a `requestState`: one that comes back to them is a client's invention, or has expired. */
	refusal(call: Call): McpError | null {
		if (memberOf(call.params.members, 'requestState') === null) return null;
		return mcpError(code.invalidParams, 'params.requestState is unknown or has expired');
	}

	takes(): boolean {
		return true;
	}

	resultType(): { type: string; stamped: boolean } {
		return complete;
	}

	cancelNotice(id: number, reason: string | undefined): Buffer {
		return cancelledText(id, reason);
	}
}

/** What a server is told of a call that is taken back. */
export function cancelledText(id: number, reason: string | undefined): Buffer {
	const why = reason === undefined ? '' : `,"reason":${JSON.stringify(reason)}`;
	return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}${why}}}`);
}

const complete = { type: 'complete', stamped: false };

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
