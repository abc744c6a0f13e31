import { isUtf8 } from 'node:buffer';
import { decodeEscapes } from './decode-escapes.ts';
import { escapeLength, plainRunEnd } from './plain-run.ts';

/** A member of a JSON object text: offsets of its key's opening quote and of its value. */
export interface Member {
	readonly key: string;
	readonly keyStart: number;
	readonly start: number;
	/** One past the value's last byte. */
	readonly end: number;
	/** Members of the value, when it is an object (or items of an array) that the caller asked to look into. */
	readonly members: readonly Member[] | null;
}

/** A JSON value whose text was checked: `{…}` with its members, or another value with `members: null`. */
export interface Scanned {
	/** The text that all offsets count from. No line break is left in it. */
	readonly text: Buffer;
	readonly start: number;
	readonly end: number;
	readonly members: readonly Member[] | null;
}

/** Why a text was refused, and at which byte. */
export interface ScanFault {
	readonly fault: 'syntax' | 'depth' | 'members' | 'duplicate-key' | 'control-character' | 'utf-8';
	readonly at: number;
}

/**
 * Which members to look into: `{params: {_meta: {}}}` records those of the root, of `params` and of `params._meta`.
 * The key `[]` looks into an array: its items are recorded as members with the keys `0`, `1` …; with null, no more
 * of them than where they stand.
 */
export interface Look {
	readonly [key: string]: Look | null;
}

/** Looks into every object and every array, for the rare caller that walks a whole document. */
export const everywhere: Look = lookEverywhere();

function lookEverywhere(): Look {
	const look: Record<string, Look> = {};
	look['[]'] = look;
	return look;
}

/** Deeper nesting is refused: `JSON.stringify` throws at a few thousand levels, and a log line would be the victim. */
export const maximumDepth = 128;

/** More recorded members are refused: two bytes of text, as in `1,`, become a hundred of memory. */
export const maximumRecorded = 500_000;

/**
 * Checks one JSON text (RFC 8259) in a single walk and records where the members asked for begin and end.
 *
 * Line breaks can stand only outside strings in valid JSON; each becomes a space *in `text` itself*, so that the
 * text can be framed for stdio or SSE without smuggling a second message. Refused are: depth over 128, equal keys
 * in a recorded object, more than `maximum` recorded members, control characters in strings, and bytes that are not UTF-8.
 */
export function scanJson(text: Buffer, look: Look, maximum: number = maximumRecorded): Scanned | ScanFault {
	if (!isUtf8(text)) return { fault: 'utf-8', at: 0 };
	return new Scan(text, maximum).run(look);
}

/** What several texts may have of recorded members together; below zero when they have more. */
export interface MemberBudget {
	left: number;
}

/** `scanJson` for one of several texts that share a limit. */
export function scanWithin(text: Buffer, look: Look, budget: MemberBudget): Scanned | ScanFault {
	if (!isUtf8(text)) return { fault: 'utf-8', at: 0 };
	const scan = new Scan(text, budget.left);
	const scanned = scan.run(look);
	budget.left -= scan.recorded;
	return scanned;
}

/** Whether a scan ended in a refusal. */
export function isScanFault(scan: Scanned | ScanFault): scan is ScanFault {
	return 'fault' in scan;
}

/**
 * Keys are compared with one another up to here, which is all that usual messages need and makes nothing; beyond it a
 * set finds equal ones. Comparing alone let half a megabyte of distinct keys hold the event loop for five seconds.
 */
const fewMembers = 24;

/** Strings are read byte by byte up to here. */
const longFrom = 64;

const quote = 0x22;
const backslash = 0x5c;

/** The brackets that are open while a text is skipped, by depth; a scan is over before another begins. */
const opened = new Uint8Array(maximumDepth + 1);

class Scan {
	private readonly text: Buffer;
	private readonly maximum: number;
	private view: DataView | null = null;
	private at = 0;
	private fault: ScanFault | null = null;
	recorded = 0;
	/** Members of the recorded object that was walked last. */
	private walked: readonly Member[] | null = null;

	constructor(text: Buffer, maximum: number) {
		this.text = text;
		this.maximum = maximum;
	}

	run(look: Look): Scanned | ScanFault {
		this.space();
		const start = this.at;
		if (!this.value(look, 0)) return this.fault ?? { fault: 'syntax', at: this.at };
		const end = this.at;
		const members = this.walked;
		this.space();
		if (this.at !== this.text.length) return { fault: 'syntax', at: this.at };
		return { text: this.text, start, end, members };
	}

	private refuse(fault: ScanFault['fault'], at: number): false {
		this.fault ??= { fault, at };
		return false;
	}

	private space(): void {
		const text = this.text;
		for (;;) {
			const byte = text[this.at];
			if (byte === 0x20 || byte === 0x09) this.at++;
			else if (byte === 0x0a || byte === 0x0d) text[this.at++] = 0x20;
			else return;
		}
	}

	/** Walks a value. `this.walked` holds the members afterwards if `look` is given and it is an object. */
	private value(look: Look | null, depth: number): boolean {
		this.walked = null;
		switch (this.text[this.at]) {
			case quote:
				return this.string();
			case 0x7b:
				return look === null ? this.skip(depth + 1) : this.recordObject(look, depth + 1);
			case 0x5b:
				return look?.['[]'] === undefined ? this.skip(depth + 1) : this.array(look['[]'], depth + 1);
			case 0x74:
				return this.word('true');
			case 0x66:
				return this.word('false');
			case 0x6e:
				return this.word('null');
			default:
				return this.number();
		}
	}

	private recordObject(look: Look, depth: number): boolean {
		if (depth > maximumDepth) return this.refuse('depth', this.at);
		const members: Member[] = [];
		let keys: Set<string> | null = null;
		this.at++;
		this.space();
		if (this.text[this.at] === 0x7d) {
			this.at++;
			this.walked = members;
			return true;
		}
		for (;;) {
			const keyStart = this.at;
			if (!this.key()) return false;
			const key = knownKey(this.text, keyStart, this.at) ?? decodeString(this.text, keyStart, this.at);
			if (keys !== null) {
				if (keys.has(key)) return this.refuse('duplicate-key', keyStart);
				keys.add(key);
			} else {
				for (const other of members) if (other.key === key) return this.refuse('duplicate-key', keyStart);
				if (members.length === fewMembers) keys = new Set([...members.map((member) => member.key), key]);
			}
			this.colon();
			const start = this.at;
			if (++this.recorded > this.maximum) return this.refuse('members', keyStart);
			if (!this.value(lookInto(look, key), depth)) return false;
			members.push({ key, keyStart, start, end: this.at, members: this.walked });
			const more = this.next(0x7d);
			if (more === null) return false;
			if (!more) break;
		}
		this.walked = members;
		return true;
	}

	/** Walks an object or array of which nothing is recorded. A loop: calls for two million brackets took 60 ms. */
	private skip(depth: number): boolean {
		const text = this.text;
		let level = depth - 1;
		for (;;) {
			const open = text[this.at];
			if (open === 0x7b || open === 0x5b) {
				if (++level > maximumDepth) return this.refuse('depth', this.at);
				opened[level] = open;
				this.at++;
				this.space();
				if (text[this.at] !== open + 2) {
					if (open === 0x7b && !this.keyWithColon()) return false;
					continue;
				}
				this.at++;
				level--;
			} else if (open !== undefined && isDigit(open) && endsValue(text[this.at + 1])) this.at++;
			else if (!this.value(null, level)) return false;
			for (;;) {
				if (level < depth) return true;
				const kind = opened[level] as number;
				const more = this.next(kind + 2);
				if (more === null) return false;
				if (more && kind === 0x7b && !this.keyWithColon()) return false;
				if (more) break;
				level--;
			}
		}
	}

	private keyWithColon(): boolean {
		if (!this.key()) return false;
		this.colon();
		return this.fault === null;
	}

	private array(look: Look | null, depth: number): boolean {
		if (depth > maximumDepth) return this.refuse('depth', this.at);
		const items: Member[] = [];
		this.at++;
		this.space();
		if (this.text[this.at] === 0x5d) this.at++;
		else {
			for (;;) {
				const start = this.at;
				if (++this.recorded > this.maximum) return this.refuse('members', start);
				if (!this.value(look, depth)) return false;
				items.push({ key: String(items.length), keyStart: start, start, end: this.at, members: this.walked });
				const more = this.next(0x5d);
				if (more === null) return false;
				if (!more) break;
			}
		}
		this.walked = items;
		return true;
	}

	/** A key and the space behind it, standing before the colon. */
	private key(): boolean {
		if (this.text[this.at] !== quote) return this.refuse('syntax', this.at);
		return this.string();
	}

	private colon(): void {
		this.space();
		if (this.text[this.at] !== 0x3a) {
			this.refuse('syntax', this.at);
			return;
		}
		this.at++;
		this.space();
	}

	/** After a member: true for a comma, false for the closing byte, null for anything else. */
	private next(close: number): boolean | null {
		if (this.fault !== null) return null;
		const { text } = this;
		if ((text[this.at] ?? 0) <= 0x20) this.space();
		const byte = text[this.at];
		if (byte === close) {
			this.at++;
			return false;
		}
		if (byte !== 0x2c) {
			this.refuse('syntax', this.at);
			return null;
		}
		if ((text[++this.at] ?? 0) <= 0x20) this.space();
		return true;
	}

	private string(): boolean {
		const text = this.text;
		let at = this.at + 1;
		const long = at + longFrom;
		for (;;) {
			const byte = text[at];
			if (byte === quote) {
				this.at = at + 1;
				return true;
			}
			if (byte === undefined) return this.refuse('syntax', at);
			if (byte < 0x20) return this.refuse('control-character', at);
			if (byte !== backslash) at++;
			else {
				const length = escapeLength(text, at);
				if (length === 0) return this.refuse('syntax', at);
				at += length;
			}
			if (at >= long) at = this.plainRun(at);
		}
	}

	/** Most strings are short: what looks at several bytes together is made for the first that is not. */
	private plainRun(at: number): number {
		const { text } = this;
		this.view ??= new DataView(text.buffer, text.byteOffset, text.length);
		return plainRunEnd(text, this.view, at, true);
	}

	private word(word: string): boolean {
		for (let i = 0; i < word.length; i++) {
			if (this.text[this.at + i] !== word.charCodeAt(i)) return this.refuse('syntax', this.at);
		}
		this.at += word.length;
		return true;
	}

	private number(): boolean {
		const begin = this.at;
		const text = this.text;
		if (text[this.at] === 0x2d) this.at++;
		if (text[this.at] === 0x30) this.at++;
		else if (!this.digits()) return this.refuse('syntax', begin);
		if (text[this.at] === 0x2e) {
			this.at++;
			if (!this.digits()) return this.refuse('syntax', begin);
		}
		if (text[this.at] === 0x65 || text[this.at] === 0x45) {
			this.at++;
			if (text[this.at] === 0x2b || text[this.at] === 0x2d) this.at++;
			if (!this.digits()) return this.refuse('syntax', begin);
		}
		return true;
	}

	private digits(): boolean {
		const begin = this.at;
		for (;;) {
			const byte = this.text[this.at];
			if (byte === undefined || byte < 0x30 || byte > 0x39) return this.at > begin;
			this.at++;
		}
	}
}

function lookInto(look: Look, key: string): Look | null {
	if (look === everywhere) return look;
	return Object.hasOwn(look, key) ? (look[key] ?? null) : null;
}

/** Keys that nearly every message has, by length: found by comparing bytes, no string is made. */
const knownKeys = byLength([
	...['id', 'uri', 'name', 'code', 'data', 'error', '_meta', 'method', 'params', 'result', 'content', 'isError'],
	...['jsonrpc', 'message', 'arguments', 'requestId', 'resultType', 'progressToken'],
	...['protocolVersion', 'clientInfo', 'clientCapabilities'].map((key) => `io.modelcontextprotocol/${key}`),
]);

function byLength(keys: readonly string[]): readonly (readonly string[])[] {
	const longest = Math.max(...keys.map((key) => key.length));
	return Array.from({ length: longest + 1 }, (_, length) => keys.filter((key) => key.length === length));
}

function knownKey(text: Buffer, start: number, end: number): string | null {
	const candidates = knownKeys[end - start - 2];
	if (candidates === undefined) return null;
	for (const key of candidates) if (holds(text, start + 1, key)) return key;
	return null;
}

function holds(text: Buffer, at: number, key: string): boolean {
	for (let i = 0; i < key.length; i++) if (text[at + i] !== key.charCodeAt(i)) return false;
	return true;
}

/** Decodes the string whose quotes stand at `start` and `end - 1`. */
export function decodeString(text: Buffer, start: number, end: number): string {
	const inner = text.toString('utf8', start + 1, end - 1);
	return inner.includes('\\') ? decodeEscapes(inner) : inner;
}

function isDigit(byte: number): boolean {
	return byte >= 0x30 && byte <= 0x39;
}

/** Whether a number of one digit ends before it: lists of such are the longest to walk for their size. */
function endsValue(byte: number | undefined): boolean {
	return byte === 0x2c || byte === 0x5d || byte === 0x7d;
}
