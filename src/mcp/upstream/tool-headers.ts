import { cutText } from '../../lib/cut.ts';
import { decodeString, isScanFault, type Member, type Scanned, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import { code, mcpError } from '../errors.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import type { Ask, Call, McpError, Result, Sink, Ticket } from '../model.ts';
import { ownCall } from '../own-call.ts';
import { type DeclaredHeaders, readParamHeaders } from '../params/param-headers.ts';
import { memberOf } from './message.ts';
import type { Sent } from './open-call.ts';

/**
 * Which arguments of a target's tools travel in HTTP headers as well (MCP 2026-07-28, "Custom Headers from Tool
 * Parameters"). Learnt from every `tools/list` that passes; nearly always there is nothing to learn.
 */
export class ToolHeaders {
	/** Whether a whole list has been seen since the tools changed last. */
	complete = false;
	private readonly declared = new Map<string, DeclaredHeaders>();
	/** Where a list that is read page after page goes on; null: at no known place. */
	private nextCursor: string | null = null;
	/** Those that the list under way has declared so far. */
	private readonly seen = new Set<string>();
	/** What was warned of, so that each list does not say it again. */
	private readonly warned = new Set<string>();
	private readonly warn: (message: string) => void;

	/** `warn` hears of tools whose annotations break the rules. */
	constructor(warn: (message: string) => void) {
		this.warn = warn;
	}

	/** What a tool wants mirrored; null for nothing, or when it is not known. */
	of(tool: string): DeclaredHeaders | null {
		return this.declared.size === 0 ? null : (this.declared.get(tool) ?? null);
	}

	/** The tools have changed. What was known stays until it is known better. */
	outdate(): void {
		this.complete = false;
		this.nextCursor = null;
	}

	/** Reads a result of `tools/list`. With `strict`, tools that break the rules are taken out, as clients must do. */
	learn(call: Call, result: Buffer, strict: boolean): Buffer {
		const whole = this.follow(call, result);
		if (!result.includes('x-mcp-header')) {
			if (this.declared.size > 0) this.forgetListed(result);
			if (whole) this.forgetUnseen();
			return result;
		}
		const scanned = scanJson(result, tools, maximumListed);
		if (isScanFault(scanned)) return result;
		const items = memberOf(scanned.members, 'tools')?.members ?? [];
		const invalid = items.filter((item) => this.take(item, scanned));
		if (whole) this.forgetUnseen();
		return strict && invalid.length > 0 ? withoutItems(scanned, items, invalid) : result;
	}

	/** A list is whole when its pages were seen from the first to the last; true for its last page. */
	private follow(call: Call, result: Buffer): boolean {
		const asked = memberOf(call.params.members, 'cursor');
		if (asked === null) this.seen.clear();
		const follows = asked === null || this.nextCursor === textAt(call.params, asked);
		const cursor = result.includes('"nextCursor"') ? memberOf(membersOf(result), 'nextCursor') : null;
		if (!follows) return false;
		if (cursor !== null && result[cursor.start] === 0x22) {
			const known = cursor.end - cursor.start <= maximumCursorBytes;
			this.nextCursor = known ? decodeString(result, cursor.start, cursor.end) : null;
			return false;
		}
		this.nextCursor = null;
		this.complete = true;
		return true;
	}

	/** Tools that the whole list does not have are gone. */
	private forgetUnseen(): void {
		for (const tool of this.declared.keys()) if (!this.seen.has(tool)) this.declared.delete(tool);
	}

	private warnOnce(message: string): void {
		const remembered = cutText(message);
		if (this.warned.has(remembered)) return;
		if (this.warned.size >= maximumWarned) this.warned.clear();
		this.warned.add(remembered);
		this.warn(message);
	}

	/** Whether the tool breaks the rules. */
	private take(item: Member, { text }: Scanned): boolean {
		const name = memberOf(item.members, 'name');
		const schema = memberOf(item.members, 'inputSchema');
		if (name === null || text[name.start] !== 0x22 || schema === null) return false;
		const tool = decodeString(text, name.start, name.end);
		const read = readParamHeaders(text, schema);
		const fits = this.declared.has(tool) || (this.declared.size < maximumDeclared && tool.length <= maximumNameLength);
		if (read.kind === 'declared' && read.headers.length > 0 && fits) {
			this.declared.set(tool, read);
			this.seen.add(tool);
		} else this.declared.delete(tool);
		if (read.kind !== 'declared') this.warnOnce(`tool ${JSON.stringify(tool)}: ${read.reason}`);
		return read.kind === 'invalid';
	}

	/** Tools that had annotations are listed without. */
	private forgetListed(result: Buffer): void {
		const scanned = scanJson(result, tools, maximumListed);
		if (isScanFault(scanned)) return;
		for (const item of memberOf(scanned.members, 'tools')?.members ?? []) {
			const name = memberOf(item.members, 'name');
			const tool = name === null ? null : textAt(scanned, name);
			if (tool !== null) this.declared.delete(tool);
		}
	}
}

/** More different warnings come from a server that thinks up tools without end. */
const maximumWarned = 1000;
/** More tools with annotations are not remembered, nor longer names: nothing of theirs is mirrored. */
const maximumDeclared = 10_000;
const maximumNameLength = 1024;
/** Where a list goes on behind a longer cursor is not remembered. */
const maximumCursorBytes = 8192;
const tools = { tools: { '[]': {} } };
/** Nothing is learnt from a list with more tools and members of tools: reading it would hold up everybody else. */
const maximumListed = 60_000;

function membersOf(result: Buffer): readonly Member[] | null {
	const scanned = scanJson(result, {});
	return isScanFault(scanned) ? null : scanned.members;
}

function textAt({ text }: Scanned, member: Member): string | null {
	return text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}

/** Takes items out of the list, each with one comma. */
function withoutItems({ text }: Scanned, items: readonly Member[], out: readonly Member[]): Buffer {
	const gone = new Set(out);
	const kept = items.filter((item) => !gone.has(item));
	const edits: Edit[] = [];
	let at = items[0]?.start ?? 0;
	kept.forEach((item, index) => {
		edits.push({ start: at, end: item.start, text: index === 0 ? '' : ',' });
		at = item.end;
	});
	edits.push({ start: at, end: items.at(-1)?.end ?? at, text: '' });
	return splice(text, edits);
}

/** What a listing needs of its connection. */
export interface ListingConnection {
	readonly tools: ToolHeaders;
	send(call: Call, sink: Sink, before: Sent): Ticket;
}

/** A list that is lost is not asked for again, nor is a call that its server did not like once. */
const again: Sent = { repeated: true, tries: 0 };
/** More pages are not read before a call. */
const maximumPages = 100;

/** A call that waits for the list of tools to be read. When that fails, the call is sent as it is. */
export class ToolListing implements Sink, Ticket {
	private readonly connection: ListingConnection;
	private readonly call: Call;
	private readonly sink: Sink;
	private ticket: Ticket | null = null;
	private pages = 0;
	private over = false;

	constructor(connection: ListingConnection, call: Call, sink: Sink) {
		this.connection = connection;
		this.call = call;
		this.sink = sink;
		connection.tools.outdate();
		this.page({});
	}

	note(): void {}

	ask(ask: Ask): void {
		refuseAsk(ask);
	}

	done(result: Result): void {
		if (this.over) return;
		const cursor = result.text.includes('"nextCursor"') ? memberOf(membersOf(result.text), 'nextCursor') : null;
		if (cursor === null || result.text[cursor.start] !== 0x22 || ++this.pages >= maximumPages) return this.goOn();
		this.page({ cursor: decodeString(result.text, cursor.start, cursor.end) });
	}

	fail(_error: McpError): void {
		if (this.over) return;
		// A server that does not list has nothing to tell; asking it before each call would change nothing.
		this.connection.tools.complete = true;
		this.goOn();
	}

	cancel(reason?: string): void {
		if (this.over) return this.ticket?.cancel(reason);
		this.over = true;
		this.ticket?.cancel(reason);
		this.sink.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}

	private page(params: Readonly<Record<string, unknown>>): void {
		const ticket = this.connection.send(ownCall('tools/list', params, this.call.caller), this, again);
		// A page that fails at once is followed by the call itself.
		if (!this.over) this.ticket = ticket;
	}

	private goOn(): void {
		this.over = true;
		this.ticket = this.connection.send(this.call, this.sink, again);
	}
}
