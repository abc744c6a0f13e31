import { decodeString, maximumDepth } from './json-scan.ts';
import { action, classes, grammar, state } from './json-grammar.ts';
import { plainRunEnd } from './plain-run.ts';

/** A member of the object: offsets count over all pieces, as if they were one text. */
export interface PiecedMember {
	readonly key: string;
	readonly keyStart: number;
	readonly start: number;
	/** One past the value's last byte. */
	readonly end: number;
}

/** An object text in pieces that was found to be JSON. */
export interface PiecedObject {
	readonly members: readonly PiecedMember[];
	/** Whether a key that was asked for stands in it at any depth, or one that is spelt with escapes. */
	readonly named: boolean;
}

/** Objects with more members, or longer keys of their own, are not what this is for. */
const maximumMembers = 64;
const maximumKeyBytes = 256;

/**
 * Checks an object text that lies in pieces, with no space around it, as strictly as `scanJson` does, and finds its
 * members; it is neither put together nor changed. null when it is no such text, holds a line break, has equal
 * keys or very many: for `scanJson` to judge. That the pieces are UTF-8 is the caller's to know.
 *
 * `names` are keys to look out for, of at most 29 letters of ASCII.
 */
export function readPieces(pieces: readonly Buffer[], names: ReadonlySet<string>): PiecedObject | null {
	if (pieces.find((piece) => piece.length > 0)?.[0] !== 0x7b) return null;
	const reader = new PieceReader(names);
	for (const piece of pieces) if (!reader.read(piece)) return null;
	return reader.finished();
}

const inArray = 2;
/** The tables under names of this module: imported ones are looked up at each use where modules are not bundled. */
const table = grammar;
const classOf = classes;

class PieceReader {
	private readonly names: ReadonlySet<string>;
	/** A bit for each length that a name has with its quotes. Longer keys can set one, too, and are looked at in vain. */
	private readonly lengths: number;
	/** A state of the grammar, between two pieces. */
	private now: number = state.value;
	private level = 0;
	/** The brackets that are open, by depth. */
	private readonly opened = new Uint8Array(maximumDepth + 1);
	/** Where the piece begins in the text. */
	private base = 0;
	private readonly members: PiecedMember[] = [];
	private named = false;
	/** Where the key of now begins in the piece, and what of it lay in pieces before. */
	private keyAt = 0;
	private keyBefore: Buffer[] = [];
	private escaped = false;
	/** Whether the key of now is more than plain bytes of one piece. */
	private odd = false;
	/** The member of now. */
	private key: string | null = null;
	private keyStart = 0;
	private start = 0;
	private valueEnd = 0;

	constructor(names: ReadonlySet<string>) {
		this.names = names;
		this.lengths = lengthsOf(names);
	}

	/**
	 * Goes on with the next piece. False: it is no JSON, or too much of it. The numbers are those of `json-grammar.ts`:
	 * in this loop, names for them cost a fifth of its speed. What nearly always comes next is looked for at once.
	 */
	read(piece: Buffer): boolean {
		const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
		const end = piece.length;
		const { lengths, opened } = this;
		let { now, level } = this;
		for (let at = 0; ; ) {
			if (now <= 2) at = plainRunEnd(piece, view, at, now === 1);
			if (at >= end) break;
			const next = table[(now << 5) | (classOf[piece[at] as number] as number)] as number;
			at++;
			if (next < 64) {
				if (next === 0) return false;
				now = next;
				if (next === 22 || next === 24) while (at < end && isDigit(piece[at] as number)) at++;
				continue;
			}
			// Numbers and words end in front of what ends them.
			if (level === 1 && now > 10) this.ended(at - 1);
			switch (next) {
				case 64: // `{`
				case 65: // `[`
					if (level++ === maximumDepth) return false;
					opened[level] = next - 63;
					now = next === 65 ? 4 : 5;
					break;
				case 66: // `}`
				case 67: // `]`
					if (opened[level] !== next - 65) return false;
					if (--level === 1) this.ended(at);
					if (level === 0 && !this.own()) return false;
					now = level === 0 ? 9 : 8;
					break;
				case 68: // `,`
					if (level === 1 && !this.own()) return false;
					if (opened[level] === inArray) now = 3;
					else if (at < end && piece[at] === 0x22) now = this.beginKey(at++, level);
					else now = 6;
					break;
				case 69: // the end of a string
					if (level === 1) this.ended(at);
					now = 8;
					break;
				case 71: // the end of a key
					if (level === 1 || this.odd || ((lengths >>> (at - this.keyAt)) & 1) === 1)
						if (!this.endKey(piece, at, level)) return false;
					if (level === 1) now = 39;
					else if (at < end && piece[at] === 0x3a) {
						now = 3;
						at++;
					} else now = 7;
					break;
				default:
					now = this.rare(next, at - 1, level);
					if (next === 74) at--;
			}
		}
		this.pause(piece, now, level);
		return true;
	}

	finished(): PiecedObject | null {
		return this.now === state.end ? { members: this.members, named: this.named } : null;
	}

	private rare(what: number, at: number, level: number): number {
		if (what === action.beginKey) return this.beginKey(at, level);
		if (what === action.space) return state.after;
		if (what === action.escapeInKey) {
			this.escaped = true;
			this.odd = true;
			return state.keyEscape;
		}
		this.start = this.base + at;
		return state.value;
	}

	private pause(piece: Buffer, now: number, level: number): void {
		this.now = now;
		this.level = level;
		this.base += piece.length;
		if (now !== state.inKey && (now < state.keyEscape || now >= state.minus)) return;
		this.odd = true;
		this.keyBefore.push(piece.subarray(this.keyAt));
		this.keyAt = 0;
	}

	/** A value of the outermost object has ended. */
	private ended(at: number): void {
		this.valueEnd = this.base + at;
	}

	/** Records the member that has ended. */
	private own(): boolean {
		const { key, members } = this;
		if (key === null) return true;
		if (members.length === maximumMembers || members.some((member) => member.key === key)) return false;
		members.push({ key, keyStart: this.keyStart, start: this.start, end: this.valueEnd });
		return true;
	}

	private beginKey(at: number, level: number): number {
		this.keyAt = at;
		if (level === 1) this.keyStart = this.base + at;
		return state.inKey;
	}

	private endKey(piece: Buffer, end: number, level: number): boolean {
		const whole = this.keyBefore.length === 0 ? piece : this.putTogether(piece, end);
		const from = this.keyAt;
		const length = (whole === piece ? end : whole.length) - from;
		this.named ||= this.escaped || this.isName(whole, from + 1, length - 2);
		this.escaped = false;
		this.odd = false;
		if (level > 1) return true;
		if (length > maximumKeyBytes) return false;
		this.key = decodeString(whole, from, from + length);
		return true;
	}

	/** The key whose beginning lay in pieces before. */
	private putTogether(piece: Buffer, end: number): Buffer {
		const whole = Buffer.concat([...this.keyBefore, piece.subarray(0, end)]);
		this.keyBefore = [];
		return whole;
	}

	private isName(text: Buffer, from: number, length: number): boolean {
		for (const name of this.names) {
			let same = name.length === length ? 0 : -1;
			while (same >= 0 && same < length) same = text[from + same] === name.charCodeAt(same) ? same + 1 : -1;
			if (same === length) return true;
		}
		return false;
	}
}

function isDigit(byte: number): boolean {
	return byte >= 0x30 && byte <= 0x39;
}

function lengthsOf(names: ReadonlySet<string>): number {
	let lengths = 0;
	for (const { length } of names) lengths |= 1 << (length + 2);
	return lengths;
}
