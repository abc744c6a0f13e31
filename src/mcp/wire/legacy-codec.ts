import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { removals, withoutMembers } from '../../lib/without-members.ts';
import type { Result } from '../model.ts';
import { type Envelope, stringParam } from './envelope.ts';
import { contentEdits, projectResult, projectTools } from './output-schema.ts';
import type { ReplyCodec } from './reply.ts';

/** Members that newer servers put on results and that older clients do not know. */
const newerMembers: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);

/** Replies as clients with a handshake read them. */
export const legacyCodec: ReplyCodec = {
	result: (result: Result) => (result.stamped ? older(result.text) : result.text),
	passes: (stamped) => !stamped,
	status: () => 200,
	error: (error) => error,
	cancelsWhenGone: false,
};

const wrappingCodec: ReplyCodec = {
	...legacyCodec,
	result: (result) => (result.stamped ? olderResult(result.text, true) : projectResult(result.text, true)),
	passes: () => false,
};

const callCodec: ReplyCodec = {
	...legacyCodec,
	result: (result) => (result.stamped ? olderResult(result.text, false) : result.text),
};

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
	return { ...legacyCodec, result: (result) => projected(envelope, result, session, plain), passes: () => false };
}

function projected(envelope: Envelope, result: Result, session: WrappedTools, plain: boolean): Buffer {
	// One server of the client's own kind knows what its clients take; a merged list may hold tools of any.
	if (!result.stamped && plain) return result.text;
	const make = () => projectTools(result.stamped ? older(result.text) : result.text);
	const { text, wrapped } = result.forms?.of('legacy', make) ?? make();
	// The first page of a list begins it anew: tools that are gone are not remembered.
	if (stringParam(envelope, 'cursor') === null) session.wrappedTools = null;
	for (const name of wrapped) (session.wrappedTools ??= new Set()).add(name);
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
	const edits = [...contentEdits(scanned, wrapped), ...removals(scanned.members ?? [], newerMembers)];
	edits.sort((one, other) => one.start - other.start);
	return withoutServerInfo(edits.length === 0 ? text : splice(scanned.text, edits, scanned.start, scanned.end));
}

const serverInfoKey = 'io.modelcontextprotocol/serverInfo';

/** Servers of the newer kind introduce themselves with each result. */
function withoutServerInfo(text: Buffer): Buffer {
	if (!text.includes(serverInfoKey)) return text;
	const scanned = scanJson(text, {});
	const meta = isScanFault(scanned) ? undefined : scanned.members?.find(({ key }) => key === '_meta');
	if (meta === undefined) return text;
	const inner = withoutMembers(text.subarray(meta.start, meta.end), new Set([serverInfoKey]));
	if (inner.equals(emptyObject)) return withoutMembers(text, new Set(['_meta']));
	return splice(text, [{ start: meta.start, end: meta.end, text: inner }]);
}

const emptyObject = Buffer.from('{}');
