import { decodeString } from '../../lib/json-scan.ts';
import { listDeadline, type Lists } from './catalog.ts';
import type { List } from './collection.ts';
import type { DispatchContext } from '../dispatch-context.ts';
import { code, mcpError } from '../errors.ts';
import { cutPage, type ListPage } from './list-cursor.ts';
import type { ListKind } from './list-kind.ts';
import { unavailable } from '../legs/unavailable.ts';
import type { Call, McpError, Result, Sink, Ticket } from '../model.ts';

/** Longer merged lists come in pages. */
const mergedPageItems = 1000;
/** Between two pages of one list, lists of this age are taken as they are: the places in them stay the same. */
const pagingMs = 60_000;

/**
 * Answers a list call with the lists of all targets, in the order of the configuration, every page of each.
 * A target that is away or answers with an error is left out, unless the backend is to fail closed.
 */
export function mergeLists(kind: ListKind, call: Call, context: DispatchContext, sink: Sink): Ticket {
	const cursor = cursorOf(call);
	if (cursor !== null && typeof cursor !== 'string') {
		sink.fail(cursor);
		return { cancel() {} };
	}
	const merging = new Merging(kind, cursor, call, context, sink);
	const until = listDeadline();
	context.upstreams.whenUsable(until - performance.now(), () => merging.begin(until));
	return merging;
}

class Merging implements Ticket {
	private readonly kind: ListKind;
	private readonly cursor: string | null;
	private readonly call: Call;
	private readonly context: DispatchContext;
	private readonly sink: Sink;
	private ticket: Ticket | null = null;
	private ended = false;

	constructor(kind: ListKind, cursor: string | null, call: Call, context: DispatchContext, sink: Sink) {
		this.kind = kind;
		this.cursor = cursor;
		this.call = call;
		this.context = context;
		this.sink = sink;
	}

	begin(until: number): void {
		if (this.ended) return;
		const notBefore = performance.now() - (this.cursor === null ? 0 : pagingMs);
		this.ticket = this.context.catalog.lists(this.kind, this.call, notBefore, (lists) => this.finish(lists), until);
	}

	cancel(reason?: string): void {
		if (this.ended) return;
		// First: what the cancelled parts report must not be taken for the whole.
		this.ended = true;
		this.ticket?.cancel(reason);
		this.sink.fail(mcpError(code.cancelled, 'cancelled'));
	}

	private finish(lists: Lists): void {
		if (this.ended) return;
		this.ended = true;
		const error = this.errorOf(lists);
		if (error !== null) return this.sink.fail(error);
		const targets = lists.legs.map((leg) => leg.target.name);
		const page = cutPage(lists.exposed, this.cursor, mergedPageItems, targets);
		if (page === null) return this.sink.fail(unknownCursor);
		const stamp = stampOf(lists);
		this.sink.done(render(lists, page, stamp));
	}

	private errorOf({ parts, errors, late, legs }: Lists): McpError | null {
		const { context, kind } = this;
		for (const error of errors) {
			context.warn(`target "${error.target ?? ''}" failed ${kind.method}: ${error.message}`);
		}
		parts.forEach((list, index) => {
			const target = legs[index]?.target.name ?? '';
			if (typeof list?.cut === 'string')
				context.findings.warnOnce(`target "${target}": ${kind.method} was cut: ${list.cut}`);
		});
		const away = context.strict ? legs.find((leg) => leg.state !== 'ready') : undefined;
		if (away !== undefined) return unavailable(away);
		const first = errors[0] ?? (late[0] === undefined ? undefined : tooLate(late[0], kind));
		if (first !== undefined && (context.strict || parts.every((list) => list === null))) return first;
		// The one list that a server may not have although clients know the method.
		const none = kind.type === 'task' && first === undefined && parts.every((list) => list === null);
		return none ? mcpError(code.methodNotFound, `Method not found: ${kind.method}`) : null;
	}
}

function tooLate(target: string, kind: ListKind): McpError {
	return mcpError(code.internal, `target "${target}" did not answer ${kind.method} in time`, target);
}

const unknownCursor = mcpError(code.invalidParams, 'unknown cursor');

function cursorOf(call: Call): string | null | McpError {
	const member = call.params.members?.find((one) => one.key === 'cursor');
	if (member === undefined) return null;
	const { text } = call.params;
	return text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : unknownCursor;
}

/**
 * Type and cache fields of the whole, from those of its parts: it holds for as long as the first of them to end, and
 * is for everybody only if all are. Empty when a part says nothing, or is missing: then nobody may keep the list.
 */
function stampOf({ parts, errors, whole }: Lists): string {
	const known = parts.filter((list): list is List => list !== null);
	if (!whole || errors.length > 0 || known.length === 0) return '';
	const now = performance.now();
	let ttl = Number.POSITIVE_INFINITY;
	for (const list of known) {
		if (list.ttl === null) return '';
		ttl = Math.min(ttl, list.ttl - (now - list.askedAt));
	}
	const rest = Math.max(0, Math.floor(Math.min(ttl, Number.MAX_SAFE_INTEGER)));
	// Whole seconds, as long as that takes little away: the text is the same for as long as they are.
	const shown = rest < 10_000 ? rest : rest - (rest % 1000);
	const scope = known.every((list) => list.shared) ? 'public' : 'private';
	return `"resultType":"complete","ttlMs":${shown},"cacheScope":"${scope}",`;
}

function render({ exposed }: Lists, { items, next }: ListPage, stamp: string): Result {
	if (items.length === exposed.shown.length) return exposed.whole(stamp);
	return { text: exposed.resultOf(items, stamp, next), type: 'complete', stamped: stamp !== '' };
}
