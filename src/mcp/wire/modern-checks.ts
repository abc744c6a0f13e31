import type { Exchange } from '../../http/exchange.ts';
import { decodeString } from '../../lib/json-scan.ts';
import { logLevels } from '../dispatch.ts';
import { code } from '../errors.ts';
import { decodeHeader } from '../params/header-value.ts';
import { metaKeys, metaMember, metaString } from './callers.ts';
import type { Envelope } from './envelope.ts';
import { header } from './refusals.ts';

/** Revisions without handshake that clients may speak. */
export const modernVersions: readonly string[] = ['2026-07-28'];

/** Methods that ended with the handshake. */
const removedMethods: ReadonlySet<string> = new Set([
	'initialize',
	'ping',
	'logging/setLevel',
	'resources/subscribe',
	'resources/unsubscribe',
	'tasks/list',
	'tasks/result',
]);

/** Param whose value the `Mcp-Name` header repeats, by method. */
const namedBy: Readonly<Record<string, string>> = {
	'tools/call': 'name',
	'prompts/get': 'name',
	'resources/read': 'uri',
	'tasks/get': 'taskId',
	'tasks/update': 'taskId',
	'tasks/cancel': 'taskId',
};

/** Why a message is refused before it is looked at any closer. */
interface Fault {
	/** HTTP status. */
	readonly status: number;
	readonly code: number;
	readonly message: string;
	readonly data?: Buffer;
}

/**
 * The checks of 2026-07-28 that hold over every transport, in an order in which each error names the first thing to mend.
 * `headerVersion` is what `MCP-Protocol-Version` says, null where there is none.
 */
export function checkBody(envelope: Envelope, headerVersion: string | null): Fault | null {
	if (envelope.kind === 'response') {
		return { status: 400, code: code.invalidRequest, message: 'clients of this version send no responses' };
	}
	const version = metaString(envelope, metaKeys.version);
	if (version === null) return missing(metaKeys.version, 'string');
	if (headerVersion !== null && headerVersion !== version)
		return mismatch('MCP-Protocol-Version', version, headerVersion);
	if (!modernVersions.includes(version)) {
		const data = Buffer.from(JSON.stringify({ supported: modernVersions, requested: version }));
		const message = `protocol version ${version} is not supported`;
		return { status: 400, code: code.unsupportedVersion, message, data };
	}
	const capabilities = metaMember(envelope, metaKeys.capabilities);
	if (capabilities === undefined || envelope.params.text[capabilities.start] !== 0x7b) {
		return missing(metaKeys.capabilities, 'object');
	}
	if (metaMember(envelope, metaKeys.logLevel) !== undefined) {
		const level = metaString(envelope, metaKeys.logLevel);
		if (level === null || !logLevels.includes(level)) {
			const message = `params._meta["${metaKeys.logLevel}"] must be one of ${logLevels.join(', ')}`;
			return { status: 400, code: code.invalidParams, message };
		}
	}
	if (removedMethods.has(envelope.method)) {
		return { status: 404, code: code.methodNotFound, message: `Method not found: ${envelope.method}` };
	}
	return null;
}

/** The headers repeat parts of the body, for intermediaries that do not read bodies; they must not differ. */
export function checkHeaders(exchange: Exchange, envelope: Envelope): Fault | null {
	// What it says was compared with the body before.
	if (header(exchange, 'mcp-protocol-version') === null)
		return mismatch('MCP-Protocol-Version', metaString(envelope, metaKeys.version) ?? '', null);
	const method = header(exchange, 'mcp-method');
	if (method !== envelope.method) return mismatch('Mcp-Method', envelope.method, method);
	const key = Object.hasOwn(namedBy, envelope.method) ? namedBy[envelope.method] : undefined;
	if (key === undefined) return null;
	const member = envelope.params.members?.find((one) => one.key === key);
	const text = envelope.params.text;
	if (member === undefined || text[member.start] !== 0x22) return null;
	const expected = decodeString(text, member.start, member.end);
	const raw = header(exchange, 'mcp-name');
	if (raw === null || decodeHeader(raw) !== expected) return mismatch('Mcp-Name', expected, raw);
	return null;
}

function missing(key: string, type: string): Fault {
	return { status: 400, code: code.invalidParams, message: `params._meta["${key}"] is missing or no ${type}` };
}

function mismatch(name: string, expected: string, found: string | null): Fault {
	const message =
		found === null
			? `the ${name} header is missing`
			: `the ${name} header does not match the body, which says ${JSON.stringify(expected)}`;
	return { status: 400, code: code.headerMismatch, message };
}
