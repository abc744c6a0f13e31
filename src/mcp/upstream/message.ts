import type { Member, Scanned } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import type { Call, Inputs, McpError, Sink } from '../model.ts';

/** Writes a request from a call: the client's own bytes, with names changed and `_meta` made anew. */
export function requestText(id: number, call: Call, ownMeta: string): Buffer {
	const { params } = call;
	const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(call.method)},"params":`;
	const meta = metaText(call, id, ownMeta);
	const named = call.inputs === null ? call.edits : withInputs(call, call.inputs, meta !== null);
	const edits = meta === null ? withoutMeta(params, named) : withMeta(params, named, meta);
	return Buffer.concat([Buffer.from(head), splice(params.text, edits, params.start, params.end), closing]);
}

const closing = Buffer.from('}');

/** The `_meta` object for the server; null when nothing is in it. */
function metaText(call: Call, id: number, ownMeta: string): string | null {
	const parts: string[] = ownMeta === '' ? [] : [ownMeta];
	if (call.wantsProgress) parts.push(`"progressToken":${id}`);
	for (const member of call.meta) parts.push(call.params.text.toString('utf8', member.keyStart, member.end));
	return parts.length === 0 ? null : `{${parts.join(',')}}`;
}

function withMeta(params: Scanned, edits: readonly Edit[], meta: string): readonly Edit[] {
	const old = params.members?.find((member) => member.key === '_meta');
	if (old !== undefined) return inOrder([...edits, { start: old.start, end: old.end, text: meta }]);
	const at = params.start + 1;
	const alone = (params.members?.length ?? 0) === 0 && edits.length === 0;
	// First: what else is inserted here brings its comma for what follows.
	return inOrder([{ start: at, end: at, text: `"_meta":${meta}${alone ? '' : ','}` }, ...edits]);
}

/** Puts the answers to `input_required` behind the opening brace. */
function withInputs({ params, edits }: Call, { responses, state }: Inputs, metaStays: boolean): readonly Edit[] {
	const members: string[] = [];
	if (responses !== null) members.push(`"inputResponses":${responses.toString()}`);
	if (state !== null) members.push(`"requestState":${state.toString()}`);
	if (members.length === 0) return edits;
	const at = params.start + 1;
	// A `_meta` that is taken out leaves nothing behind that would want a comma.
	const alone = params.members?.every(({ key }) => key === '_meta' && !metaStays) ?? true;
	return inOrder([{ start: at, end: at, text: members.join(',') + (alone ? '' : ',') }, ...edits]);
}

/** Takes the client's `_meta` out, whose members were all meant for the gateway. */
function withoutMeta(params: Scanned, edits: readonly Edit[]): readonly Edit[] {
	const members = params.members ?? [];
	const edit = removal(members, '_meta');
	return edit === null ? edits : inOrder([...edits, edit]);
}

/** Takes a member out of its object, with the comma that goes with it; null when it is not there. */
function removal(members: readonly Member[], key: string): Edit | null {
	const index = members.findIndex((member) => member.key === key);
	const old = members[index];
	if (old === undefined) return null;
	const next = members[index + 1];
	const before = members[index - 1];
	const start = next === undefined ? (before?.end ?? old.keyStart) : old.keyStart;
	const end = next === undefined ? old.end : next.keyStart;
	return { start, end, text: '' };
}

/** The params of a notification without the id of the subscription, which is the gateway's own. */
export function withoutSubscription(scanned: Scanned, params: Member): Buffer {
	const meta = memberOf(params.members, '_meta');
	const own = memberOf(meta?.members, subscriptionKey);
	if (meta === null || own === null) return textOf(scanned, params);
	const edit =
		meta.members?.length === 1 ? removal(params.members ?? [], '_meta') : removal(meta.members ?? [], own.key);
	return edit === null ? textOf(scanned, params) : splice(scanned.text, [edit], params.start, params.end);
}

/** Names the `subscriptions/listen` request that a notification answers. */
export const subscriptionKey = 'io.modelcontextprotocol/subscriptionId';

function inOrder(edits: Edit[]): readonly Edit[] {
	return edits.sort((a, b) => a.start - b.start);
}

/** The member of an object, by key. */
export function memberOf(members: readonly Member[] | null | undefined, key: string): Member | null {
	for (const member of members ?? []) if (member.key === key) return member;
	return null;
}

/** The bytes of a member's value. */
export function textOf(scanned: Scanned, member: Member): Buffer {
	return scanned.text.subarray(member.start, member.end);
}

/** Larger texts are not decoded: `JSON.parse` would hold up everybody else. */
export const maximumParsedBytes = 256 * 1024;

/** An object decoded; null for anything else, and for what is too large to be. */
export function objectOf(scanned: Scanned, member: Member | null): Record<string, unknown> | null {
	if (member === null || scanned.text[member.start] !== 0x7b || member.end - member.start > maximumParsedBytes)
		return null;
	return JSON.parse(textOf(scanned, member).toString()) as Record<string, unknown>;
}

/** Reads an error object. Servers that send none of the members get words of ours. */
export function readError(scanned: Scanned, member: Member, target: string): McpError {
	if (member.end - member.start > maximumParsedBytes) {
		return { code: -32603, message: 'the server gave an error that is too large to read', data: null, target };
	}
	const value: unknown = JSON.parse(scanned.text.toString('utf8', member.start, member.end));
	const error = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
	const data = memberOf(member.members, 'data');
	return {
		// A number like 1e400 is read as Infinity, which is no JSON any more.
		code: Number.isSafeInteger(error['code']) ? (error['code'] as number) : -32603,
		message: typeof error['message'] === 'string' ? error['message'] : 'the server gave an error without a message',
		data: data === null ? null : textOf(scanned, data),
		target,
	};
}

/** A sink that settles once, whatever happens around it. */
export class OnceSink {
	private sink: Sink | null;

	constructor(sink: Sink) {
		this.sink = sink;
	}

	/** The sink for notes; null when the call is over. */
	get open(): Sink | null {
		return this.sink;
	}

	/** The sink for the outcome; null the second time. */
	take(): Sink | null {
		const sink = this.sink;
		this.sink = null;
		return sink;
	}
}
