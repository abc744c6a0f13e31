import { PackedReader, PackedWriter } from '../../lib/packed.ts';
import type { Seal, SealFault } from '../../lib/seal.ts';
import type { JsonText } from '../model.ts';

/** What a session id says of its session, to us alone: enough to take the session up again without having kept it. */
export interface SessionIdContent {
	/** Key of the backend that the session is for. */
	readonly backend: string;
	/** Digest of the verified identity that opened it. */
	readonly principal: string;
	/** When it was opened, in milliseconds since 1970. */
	readonly issuedAt: number;
	/** Random name of the running gateway that opened it and holds what only lives there. */
	readonly holder: string;
	readonly protocolVersion: string;
	/** The client's `clientInfo` object as it sent it; null also when it did not fit. */
	readonly clientInfo: JsonText | null;
	/** The client's capabilities object as it sent it. */
	readonly capabilities: JsonText;
	readonly logLevel: string | null;
	readonly upstreamSessions: readonly UpstreamSession[];
	/** There are targets whose sessions live in the holder, such as child processes. */
	readonly holdsLocal: boolean;
}

/** A session that the gateway has at a target. */
export interface UpstreamSession {
	readonly target: string;
	/** As the target gave it; null when it gave none. */
	readonly sessionId: string | null;
	readonly protocolVersion: string;
}

/** The content of an id that came back. */
export interface OpenedSessionId extends SessionIdContent {
	/** False: too long to be told whole, so that only the holder, which has it in memory, can serve the session. */
	readonly resumable: boolean;
}

/** An id to send in `Mcp-Session-Id`. */
export interface SealedSessionId {
	readonly id: string;
	readonly resumable: boolean;
}

/**
 * Makes the id of a session: visible ASCII, at most 4096 characters, never the same twice. Of what would make it
 * longer, `clientInfo` is left out first, then the upstream sessions and the client's capabilities; without those two
 * it is not resumable. Throws RangeError when it is too long even so, which takes a backend key of 3 KB.
 */
export function sealSessionId(content: SessionIdContent, seal: Seal): SealedSessionId {
	const unnamed = { ...content, clientInfo: null };
	const alone = { ...unnamed, upstreamSessions: [] };
	const bare = { ...alone, capabilities: emptyObject };
	const packed =
		pack(content, true, seal) ?? pack(unnamed, true, seal) ?? pack(alone, false, seal) ?? pack(bare, false, seal);
	if (packed === null) throw new RangeError('what a session id must say is too long');
	return { id: seal.seal(packed.bytes), resumable: packed.resumable };
}

/**
 * Reads an id that a client sent. `forged` also stands for an id that is ours with content of another version: like
 * an unknown one, it shall make the client begin anew.
 */
export function openSessionId(id: string, seal: Seal): OpenedSessionId | SealFault {
	if (id.length > maximumLength) return 'malformed';
	const packed = seal.unseal(id);
	return typeof packed === 'string' ? packed : (unpack(packed) ?? 'forged');
}

/**
 * The part of a sealed id that differs between any two, its tag, as a key for a Map; who finds something under it must
 * still compare the whole id. With an id of 4 KB that takes 0.4 µs; a lookup of the whole one takes 6 µs to hash it.
 */
export function sessionKey(id: string): string {
	return id.slice(-22);
}

interface Packed {
	readonly bytes: Buffer;
	readonly resumable: boolean;
}

/** Null: too long. */
function pack(content: SessionIdContent, resumable: boolean, seal: Seal): Packed | null {
	// Clients and targets may send megabytes; nothing is built that cannot fit.
	if (leastLength(content) > maximumLength) return null;
	const writer = new PackedWriter();
	writer.byte(contentVersion);
	writer.flag(resumable);
	writer.text(content.backend);
	writer.text(content.principal);
	writer.number(content.issuedAt);
	writer.text(content.holder);
	writer.text(content.protocolVersion);
	writer.bytes(content.clientInfo);
	writer.bytes(content.capabilities);
	writer.text(content.logLevel);
	writer.flag(content.holdsLocal);
	for (const { target, sessionId, protocolVersion } of content.upstreamSessions) {
		writer.text(target);
		writer.text(sessionId);
		writer.text(protocolVersion);
	}
	const bytes = writer.finish();
	return seal.sealedLength(bytes.length) > maximumLength ? null : { bytes, resumable };
}

/** What the content takes at least, in bytes, without building anything. */
function leastLength(content: SessionIdContent): number {
	const { backend, principal, holder, protocolVersion, clientInfo, capabilities, logLevel } = content;
	let sum = backend.length + principal.length + holder.length + protocolVersion.length + capabilities.length;
	sum += (clientInfo?.length ?? 0) + (logLevel?.length ?? 0);
	for (const session of content.upstreamSessions)
		sum += session.target.length + (session.sessionId?.length ?? 0) + session.protocolVersion.length;
	return sum;
}

/** Null: not what `pack` writes. */
function unpack(packed: Buffer): OpenedSessionId | null {
	const reader = new PackedReader(packed);
	if (reader.byte() !== contentVersion) return null;
	const resumable = reader.flag();
	const known = {
		backend: reader.text(),
		principal: reader.text(),
		issuedAt: reader.number(),
		holder: reader.text(),
		protocolVersion: reader.text(),
		clientInfo: reader.bytesOrNull(),
		capabilities: reader.bytes(),
		logLevel: reader.textOrNull(),
		holdsLocal: reader.flag(),
	};
	const upstreamSessions: UpstreamSession[] = [];
	while (!reader.ended) {
		upstreamSessions.push({
			target: reader.text(),
			sessionId: reader.textOrNull(),
			protocolVersion: reader.text(),
		});
	}
	return reader.finish() ? { ...known, resumable, upstreamSessions } : null;
}

/** Headers together may have 16 KB in most servers and proxies; an id must leave room for others. */
const maximumLength = 4096;
const contentVersion = 1;
const emptyObject: JsonText = Buffer.from('{}');
