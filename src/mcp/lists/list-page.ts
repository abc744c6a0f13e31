import { decodeString, isScanFault, type Look, type Member, scanJson } from '../../lib/json-scan.ts';
import type { ListKind } from './list-kind.ts';
import { toolItem } from '../places.ts';

/** One item as its server sent it. */
export interface Item {
	readonly target: string;
	/** Name, URI, URI template or id at the server. */
	readonly name: string;
	/** The text that it stands in, and where. */
	readonly page: Buffer;
	readonly place: Member;
}

/** One page of a list, as far as it is read. */
export interface ReadPage {
	readonly text: Buffer;
	readonly items: readonly Item[];
	/** For how many milliseconds the server says that it holds; null when it does not say. */
	readonly ttl: number | null;
	/** Whether the server lets everybody have it. */
	readonly shared: boolean;
	/** Of the next page; null on the last one. */
	readonly cursor: string | null;
}

/** A page being read. */
export interface Reading {
	/** Nobody wants it any more. */
	cancel(): void;
}

/** So much is read in one turn of the event loop: a page may have tens of thousands of items. */
const turnBytes = 128 * 1024;
/** A page with more items or other members is refused. */
const maximumItems = 100_000;
/** An item with more members is refused. */
const maximumMembers = 1_000;

/**
 * Reads a result that is a page of a list. `done` gets null when it is none; it is called before this returns where
 * the page is short.
 */
export function readPage(text: Buffer, kind: ListKind, target: string, done: (page: ReadPage | null) => void): Reading {
	return new PageReading(text, kind, target, done);
}

class PageReading implements Reading {
	private readonly kind: ListKind;
	private readonly target: string;
	private readonly done: (page: ReadPage | null) => void;
	private readonly items: Item[] = [];
	private readonly look: Look;
	private timer: NodeJS.Immediate | null = null;

	constructor(text: Buffer, kind: ListKind, target: string, done: PageReading['done']) {
		this.kind = kind;
		this.target = target;
		this.done = done;
		this.look = kind.type === 'tool' ? toolItem.look : {};
		if (text.length <= turnBytes) this.begin(text);
		else this.timer = setImmediate(() => this.begin(text));
	}

	cancel(): void {
		if (this.timer !== null) clearImmediate(this.timer);
	}

	private begin(whole: Buffer): void {
		const { field } = this.kind;
		const scanned = scanJson(whole, { [field]: { '[]': null } }, maximumItems);
		if (isScanFault(scanned) || scanned.members === null) return this.done(null);
		const { members, text } = scanned;
		const find = (key: string) => members.find((member) => member.key === key);
		const latin1 = (member: Member | undefined) =>
			member === undefined ? '' : text.toString('latin1', member.start, member.end);
		const ttl = find('ttlMs');
		// More digits say no more, and are slow to read.
		const value = ttl === undefined || ttl.end - ttl.start > 32 ? Number.NaN : Number(latin1(ttl));
		const next = find('nextCursor');
		const isText = next !== undefined && text[next.start] === 0x22;
		const page: ReadPage = {
			text,
			items: this.items,
			ttl: value >= 0 ? value : null,
			shared: latin1(find('cacheScope')) === '"public"',
			cursor: isText ? decodeString(text, next.start, next.end) : null,
		};
		this.goOn(page, find(field)?.members ?? [], 0);
	}

	private goOn(page: ReadPage, places: readonly Member[], from: number): void {
		let bytes = 0;
		for (let at = from; at < places.length; at++) {
			const place = places[at];
			if (place === undefined) break;
			if (!this.take(page.text.subarray(place.start, place.end))) return this.done(null);
			bytes += place.end - place.start + 1;
			if (bytes < turnBytes || at + 1 === places.length) continue;
			this.timer = setImmediate(() => this.goOn(page, places, at + 1));
			return;
		}
		this.done(page);
	}

	/** False when there is more in it than is read. */
	private take(text: Buffer): boolean {
		if (text[0] !== 0x7b) return true;
		const scanned = scanJson(text, this.look, maximumMembers);
		if (isScanFault(scanned)) return false;
		const { members, start, end } = scanned;
		const name = members?.find((member) => member.key === this.kind.key);
		// An item without a name cannot be called by anybody.
		if (name === undefined || text[name.start] !== 0x22) return true;
		const place = { key: '', keyStart: start, start, end, members };
		this.items.push({ target: this.target, name: decodeString(text, name.start, name.end), page: text, place });
		return true;
	}
}
