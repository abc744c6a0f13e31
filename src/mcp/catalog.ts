import { decodeString, isScanFault, type Look, type Member, scanJson } from '../lib/json-scan.ts';
import { type Edit, splice } from '../lib/splice.ts';
import { code, mcpError } from './errors.ts';
import { refuseAsk } from './lanes.ts';
import type { Ask, Call, McpError, Result, Sink, Ticket } from './model.ts';
import type { Naming } from './names.ts';
import type { Leg } from './upstreams.ts';

/** One kind of thing that servers list. */
export interface ListKind {
	readonly method: string;
	/** Member of the result that holds the items. */
	readonly field: string;
	/** Member of an item that names it. */
	readonly key: 'name' | 'uri' | 'uriTemplate';
	/** Capability without which a server is not asked. */
	readonly capability: string;
}

/** The four lists of MCP, by method. */
export const listKinds: Readonly<Record<string, ListKind>> = {
	'tools/list': { method: 'tools/list', field: 'tools', key: 'name', capability: 'tools' },
	'prompts/list': { method: 'prompts/list', field: 'prompts', key: 'name', capability: 'prompts' },
	'resources/list': { method: 'resources/list', field: 'resources', key: 'uri', capability: 'resources' },
	'resources/templates/list': {
		method: 'resources/templates/list',
		field: 'resourceTemplates',
		key: 'uriTemplate',
		capability: 'resources',
	},
};

/** One item as its server sent it. */
export interface Item {
	readonly target: string;
	/** Name, URI or URI template at the server. */
	readonly name: string;
	readonly text: Buffer;
	/** The value of the naming member within `text`. */
	readonly at: Member;
}

/** More pages are not read: the cursor of a broken server never ends. */
export const maximumPages = 100;

/**
 * Reads a whole list from one server, page after page. `done` gets the items, or the error, and a warning when the
 * list had to be cut.
 */
export function collectItems(
	leg: Leg,
	kind: ListKind,
	call: Call,
	done: (items: Item[] | McpError, warning: string | null) => void,
): Ticket {
	return new Collection(leg, kind, call, done);
}

class Collection implements Sink, Ticket {
	private readonly leg: Leg;
	private readonly kind: ListKind;
	private readonly call: Call;
	private readonly finished: (items: Item[] | McpError, warning: string | null) => void;
	private readonly items: Item[] = [];
	private readonly seen = new Set<string>();
	private pages = 0;
	private ticket: Ticket | null = null;

	constructor(leg: Leg, kind: ListKind, call: Call, done: Collection['finished']) {
		this.leg = leg;
		this.kind = kind;
		this.call = call;
		this.finished = done;
		this.next(null);
	}

	cancel(reason?: string): void {
		this.ticket?.cancel(reason);
	}

	note(): void {
		// Notifications of a list call concern nobody: the client did not make this call to this server.
	}

	ask(ask: Ask): void {
		refuseAsk(ask);
	}

	done(result: Result): void {
		const scanned = scanJson(result.text, { [this.kind.field]: { '[]': {} } });
		if (isScanFault(scanned))
			return this.fail(mcpError(code.internal, 'the server sent a list that is not valid JSON'));
		let cursor: string | null = null;
		for (const member of scanned.members ?? []) {
			if (member.key === this.kind.field) this.take(scanned.text, member.members ?? []);
			if (member.key === 'nextCursor' && scanned.text[member.start] === 0x22) {
				cursor = decodeString(scanned.text, member.start, member.end);
			}
		}
		this.pages++;
		if (cursor === null) return this.finished(this.items, null);
		if (this.seen.has(cursor)) return this.finished(this.items, `cursor ${JSON.stringify(cursor)} came twice`);
		if (this.pages >= maximumPages) return this.finished(this.items, `more than ${maximumPages} pages`);
		this.seen.add(cursor);
		this.next(cursor);
	}

	fail(error: McpError): void {
		this.finished({ ...error, target: this.leg.target.name }, null);
	}

	private next(cursor: string | null): void {
		const upstream = this.leg.upstream;
		if (upstream === null) return this.fail(mcpError(code.internal, 'the connection ended'));
		this.ticket = upstream.start(withCursor(this.call, this.kind.method, cursor), this);
	}

	private take(text: Buffer, members: readonly Member[]): void {
		for (const member of members) {
			const at = member.members?.find((inner) => inner.key === this.kind.key);
			// An item without a name cannot be called by anybody.
			if (at === undefined || text[at.start] !== 0x22) continue;
			const name = decodeString(text, at.start, at.end);
			this.items.push({
				target: this.leg.target.name,
				name,
				text: text.subarray(member.start, member.end),
				at: shift(at, member.start),
			});
		}
	}
}

function shift(member: Member, by: number): Member {
	return { ...member, keyStart: member.keyStart - by, start: member.start - by, end: member.end - by };
}

/** The item's text with the name or URI that clients see. */
export function exposeItem(item: Item, kind: ListKind, naming: Naming): Buffer {
	const exposed =
		kind.key === 'name' ? naming.exposeName(item.target, item.name) : naming.exposeUri(item.target, item.name);
	if (exposed === item.name) return item.text;
	const edit: Edit = { start: item.at.start, end: item.at.end, text: JSON.stringify(exposed) };
	return splice(item.text, [edit]);
}

function withCursor(call: Call, method: string, cursor: string | null): Call {
	const text = Buffer.from(cursor === null ? '{}' : JSON.stringify({ cursor }));
	const look: Look = {};
	const params = scanJson(text, look);
	if (isScanFault(params)) throw new Error('a cursor did not survive JSON');
	return {
		...call,
		method,
		params,
		edits: [],
		meta: [],
		name: null,
		inputs: null,
		mirrored: null,
		wantsProgress: false,
	};
}
