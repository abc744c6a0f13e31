import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { splicePieces } from '../../lib/splice-pieces.ts';
import { removals, withoutMembers } from '../../lib/without-members.ts';
import type { LargeResult } from '../large-result.ts';
import type { Result } from '../model.ts';
import { type Envelope, stringParam } from './envelope.ts';
import { contentEdits, projectResult, projectTools } from './output-schema.ts';
import type { ReplyCodec } from './reply.ts';

/** Members that newer servers put on results and that older clients do not know. */
const newerMembers: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);

/** Replies as clients with a handshake read them. */
export const legacyCodec: ReplyCodec = {
	result: (result: Result) => (result.stamped ? older(result.text) : result.text),
	inPieces: (result) => (result.stamped ? olderPieces(result, null) : result.pieces),
	status: () => 200,
	error: (error) => error,
	cancelsWhenGone: false,
};

const wrappingCodec: ReplyCodec = {
	...legacyCodec,
	result: (result) => (result.stamped ? olderResult(result.text, true) : projectResult(result.text, true)),
	inPieces: (result) => olderPieces(result, true),
};

const callCodec: ReplyCodec = {
	...legacyCodec,
	result: (result) => (result.stamped ? olderResult(result.text, false) : result.text),
	inPieces: (result) => (result.stamped ? olderPieces(result, false) : result.pieces),
};

/** More are not remembered: pages of a list may come without end. */
const maximumWrapped = 10_000;

/** Whoever remembers the tools whose results are wrapped. */
export interface WrappedTools {
	wrappedTools: Set<string> | null;
}

/**
 * The codec for a call of a session. `session` remembers the tools whose results this client gets wrapped, because their
 * schema is no object and was shown to it as one. `plain`: clients see everything as one server has it.
 */
export function codecOf(envelope: Envelope, session: WrappedTools, plain: boolean): ReplyCodec {
	const { method } = envelope;
	if (method === 'tools/call') {
		const wrapped = session.wrappedTools;
		return wrapped !== null && wrapped.has(stringParam(envelope, 'name') ?? '') ? wrappingCodec : callCodec;
	}
	if (method !== 'tools/list') return legacyCodec;
	return { ...legacyCodec, result: (result) => projected(envelope, result, session, plain), inPieces: () => null };
}

function projected(envelope: Envelope, result: Result, session: WrappedTools, plain: boolean): Buffer {
	// One server of the client's own kind knows what its clients take; a merged list may hold tools of any.
	if (!result.stamped && plain) return result.text;
	const make = () => projectTools(result.stamped ? older(result.text) : result.text);
	const { text, wrapped } = result.forms?.of('legacy', make) ?? make();
	// The first page of a list begins it anew: tools that are gone are not remembered.
	if (stringParam(envelope, 'cursor') === null) session.wrappedTools = null;
	for (const name of wrapped) {
		session.wrappedTools ??= new Set();
		if (session.wrappedTools.size < maximumWrapped) session.wrappedTools.add(name);
	}
	return text;
}

function older(text: Buffer): Buffer {
	return withoutServerInfo(withoutMembers(text, newerMembers));
}

/** The result of a tool, changed at once: one may be megabytes, and each look at it costs. */
function olderResult(text: Buffer, wrapped: boolean): Buffer {
	const scanned = scanJson(text, {});
	if (isScanFault(scanned) || scanned.text[scanned.start] !== 0x7b) return text;
	// In this order: what is put behind the content stands before what is taken away there.
	const content = contentEdits(scanned.members, wrapped, ({ start }) => scanned.text[start]);
	const edits = [...content, ...removals(scanned.members ?? [], newerMembers)];
	edits.sort((one, other) => one.start - other.start);
	return withoutServerInfo(edits.length === 0 ? text : splice(scanned.text, edits, scanned.start, scanned.end));
}

/** The same of a large result; `wrapped` is null for what is not a tool's. */
function olderPieces(result: LargeResult, wrapped: boolean | null): readonly Buffer[] | null {
	const { members, stamped } = result;
	if (members === null) return null;
	const first = ({ start }: { readonly start: number }) => result.bytes(start, start + 1)[0];
	const edits = wrapped === null ? [] : contentEdits(members, wrapped, first);
	if (stamped) {
		const meta = members.find(({ key }) => key === '_meta');
		if (meta !== undefined && meta.end - meta.start > maximumMetaBytes) return null;
		const inner = meta === undefined ? null : innerMeta(result.bytes(meta.start, meta.end));
		const gone = inner?.equals(emptyObject) === true ? newerMembersAndMeta : newerMembers;
		edits.push(...removals(members, gone));
		if (meta !== undefined && inner !== null && gone === newerMembers)
			edits.push({ start: meta.start, end: meta.end, text: inner });
		edits.sort((one, other) => one.start - other.start);
	}
	return splicePieces(result.pieces, edits);
}

/** Longer ones are none of a result that passes in pieces. */
const maximumMetaBytes = 64 * 1024;

/** A `_meta` object without what its server says of itself; null when it stays as it is. */
function innerMeta(meta: Buffer): Buffer | null {
	return meta.includes(serverInfoKey) ? withoutMembers(meta, serverInfo) : null;
}

const serverInfoKey = 'io.modelcontextprotocol/serverInfo';

/** Servers of the newer kind introduce themselves with each result. */
function withoutServerInfo(text: Buffer): Buffer {
	if (!text.includes(serverInfoKey)) return text;
	const scanned = scanJson(text, {});
	const meta = isScanFault(scanned) ? undefined : scanned.members?.find(({ key }) => key === '_meta');
	if (meta === undefined) return text;
	const inner = withoutMembers(text.subarray(meta.start, meta.end), serverInfo);
	if (inner.equals(emptyObject)) return withoutMembers(text, new Set(['_meta']));
	return splice(text, [{ start: meta.start, end: meta.end, text: inner }]);
}

const serverInfo: ReadonlySet<string> = new Set([serverInfoKey]);
const newerMembersAndMeta: ReadonlySet<string> = new Set([...newerMembers, '_meta']);

const emptyObject = Buffer.from('{}');
