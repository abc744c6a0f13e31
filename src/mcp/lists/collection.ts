import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { Latest } from '../../lib/latest.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import { code, mcpError } from '../errors.ts';
import { exposing } from '../exposing-sink.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import type { ListKind } from './list-kind.ts';
import { type Item, type Reading, readPage, type ReadPage } from './list-page.ts';
import type { Ask, Call, McpError, Result, Sink, Ticket } from '../model.ts';
import type { Naming } from '../names.ts';
import { editsAt, toolItem } from '../places.ts';
import type { Leg } from '../legs/leg.ts';

/** A whole list of one server. */
export interface List {
	readonly items: readonly Item[];
	/** When the first page was asked for, on the clock of `performance.now()`. */
	readonly askedAt: number;
	/** For how many milliseconds the server says that it holds, the least of all pages; null when it does not say. */
	readonly ttl: number | null;
	/** Whether the server lets everybody have it. */
	readonly shared: boolean;
	/** Why the list is not whole; null when it is. */
	readonly cut: string | null;
}

/** How much is read of one list: the cursor of a broken server never ends. */
export interface ListLimits {
	readonly pages: number;
	readonly items: number;
	/** Of all pages together. */
	readonly bytes: number;
}

/** A page that does not come within this time ends the list: who hangs must not hold up the lists of the others. */
const pageMs = 30_000;

/**
 * Reads a whole list from one server, page after page. `done` gets the list, cut where limits end it, or the error.
 * `known`: pages that others have read.
 */
export function collectList(
	leg: Leg,
	kind: ListKind,
	call: Call,
	limits: ListLimits,
	done: (list: List | McpError) => void,
	known = new Latest<ReadPage>(),
): Ticket {
	return new Collection(leg, kind, call, limits, done, known);
}

/** Whether collecting ended in an error. */
export function isListError(list: List | McpError): list is McpError {
	return 'code' in list;
}

class Collection implements Sink, Ticket {
	private readonly leg: Leg;
	private readonly kind: ListKind;
	private readonly call: Call;
	private readonly limits: ListLimits;
	private readonly finished: (list: List | McpError) => void;
	private readonly known: Latest<ReadPage>;
	private readonly askedAt = performance.now();
	private readonly items: Item[] = [];
	private readonly names = new Set<string>();
	private readonly cursors = new Set<string>();
	private ttl: number | null = Number.POSITIVE_INFINITY;
	private shared = true;
	private pages = 0;
	private bytes = 0;
	private ticket: Ticket | null = null;
	private reading: Reading | null = null;
	private timer: NodeJS.Timeout | null = null;
	private over = false;

	constructor(
		leg: Leg,
		kind: ListKind,
		call: Call,
		limits: ListLimits,
		done: Collection['finished'],
		known: Latest<ReadPage>,
	) {
		this.leg = leg;
		this.kind = kind;
		this.call = call;
		this.limits = limits;
		this.finished = done;
		this.known = known;
		this.next(null);
	}

	cancel(reason?: string): void {
		this.ticket?.cancel(reason);
		// Where the answer is here already, nobody else says that it is over.
		if (this.reading !== null) this.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	note(): void {
		// Notifications of a list call concern nobody: the client did not make this call to this server.
	}

	ask(ask: Ask): void {
		refuseAsk(ask);
	}

	done(result: Result): void {
		if (this.over) return;
		if (this.timer !== null) clearTimeout(this.timer);
		this.read(result.text);
	}

	private came(page: ReadPage): void {
		this.ttl = this.ttl === null || page.ttl === null ? null : Math.min(this.ttl, page.ttl);
		this.shared &&= page.shared;
		const whole = this.take(page.items);
		const { cursor } = page;
		this.pages++;
		this.bytes += page.text.length;
		if (!whole) return this.end(`it has more than ${this.limits.items} items`);
		if (cursor === null) return this.end(null);
		if (this.cursors.has(cursor)) return this.end(`the cursor ${JSON.stringify(cursor.slice(0, 64))} came twice`);
		if (this.bytes > this.limits.bytes) return this.end(`it has more than ${this.limits.bytes} bytes`);
		if (this.pages >= this.limits.pages) return this.end(`it has more than ${this.limits.pages} pages`);
		this.cursors.add(cursor);
		this.next(cursor);
	}

	fail(error: McpError): void {
		this.finish({ ...error, target: this.leg.target.name });
	}

	private next(cursor: string | null): void {
		const upstream = this.leg.upstream;
		if (upstream === null) return this.fail(mcpError(code.internal, 'the connection ended'));
		this.timer = setTimeout(() => this.late(), pageMs);
		this.timer.unref();
		this.ticket = upstream.start(listCall(this.call, this.kind.method, cursor), this);
	}

	private late(): void {
		const { ticket } = this;
		this.fail(mcpError(code.internal, `no answer within ${pageMs / 1000} s`));
		ticket?.cancel('no answer in time');
	}

	private end(cut: string | null): void {
		const { items, askedAt, shared, ttl } = this;
		this.finish({ items, askedAt, ttl, shared, cut });
	}

	private finish(list: List | McpError): void {
		if (this.over) return;
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.reading?.cancel();
		this.finished(list);
	}

	/** Takes a page; the very same where another client has read the same bytes. */
	private read(text: Buffer): void {
		const { kind, leg } = this;
		const key = `${leg.target.name}\n${kind.method}\n${this.pages}`;
		const known = this.known.get(key);
		if (known?.text.equals(text) === true) return this.came(known);
		this.reading = readPage(text, kind, leg.target.name, (page) => {
			if (this.over) return;
			if (page === null)
				return this.fail(mcpError(code.internal, 'the server sent a list that is not acceptable JSON'));
			if (kind.type !== 'task') this.known.set(key, page);
			this.came(page);
		});
	}

	/** False when there are more items than are read. */
	private take(items: readonly Item[]): boolean {
		for (const item of items) {
			// One that comes again is the same.
			if (this.names.has(item.name)) continue;
			if (this.items.length >= this.limits.items) return false;
			this.names.add(item.name);
			this.items.push(item);
		}
		return true;
	}
}

/** The item's text with the name, URIs and description that clients see. */
export function exposeItem(item: Item, exposed: string, kind: ListKind, naming: Naming): Buffer {
	const { page, place, target } = item;
	const edits: Edit[] = [];
	const key = place.members?.find((member) => member.key === kind.key);
	if (key !== undefined && exposed !== item.name) {
		edits.push({ start: key.start, end: key.end, text: JSON.stringify(exposed) });
	}
	const description = kind.type === 'task' ? undefined : naming.rules(kind.type, target)?.description(item.name);
	if (key !== undefined && description !== undefined) {
		const old = place.members?.find((member) => member.key === 'description');
		const text = JSON.stringify(description);
		if (old !== undefined) edits.push({ start: old.start, end: old.end, text });
		else edits.push({ start: place.start + 1, end: place.start + 1, text: `"description":${text},` });
	}
	if (naming.wrapped && kind.type === 'tool') {
		edits.push(...editsAt(place.members, toolItem, page, exposing(naming, target)));
	}
	edits.sort((one, other) => one.start - other.start);
	return splice(page, edits, place.start, place.end);
}

function listCall(call: Call, method: string, cursor: string | null): Call {
	const params = scanJson(Buffer.from(cursor === null ? '{}' : JSON.stringify({ cursor })), {});
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
