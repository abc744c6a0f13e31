import { createHash } from 'node:crypto';
import { decodeString } from '../../lib/json-scan.ts';
import type { List } from './collection.ts';
import type { ListKind } from './list-kind.ts';
import type { Item } from './list-page.ts';

/** Items beyond are not watched. */
const maximumItems = 20_000;
/** Names of items in one warning. */
const maximumNamed = 10;
/** Longer names are remembered by a digest. */
const longestKey = 256;
/** Longer texts are not read for this. */
const maximumTextBytes = 64 * 1024;

/**
 * Notices what servers do to the people and models who read their lists: items that say something else than before
 * under the same name ("rug pull"), and characters that are not seen.
 */
export class ItemWatch {
	/** Digests of the definitions seen last, by list, target and name. */
	private readonly known = new Map<string, string>();
	/** The lists that were looked at last, which mostly come again. */
	private readonly seen = new WeakSet<List>();

	/** Sentences for the log about a list as it is now. */
	look(kind: ListKind, list: List): string[] {
		const target = list.items[0]?.target;
		if (target === undefined || kind.type === 'task' || this.seen.has(list)) return [];
		this.seen.add(list);
		const changed = list.items.filter((item) => this.changed(kind, item)).map(({ name }) => name);
		const hidden = list.items.filter(hasHidden).map(({ name }) => name);
		const sentences: string[] = [];
		const of = (names: readonly string[]) => `target "${target}": ${kind.field} ${named(names)}`;
		if (changed.length > 0) sentences.push(`${of(changed)} say something else than before under the same name`);
		if (hidden.length > 0) sentences.push(`${of(hidden)} have characters in their texts that nobody sees`);
		return sentences;
	}

	private changed({ method }: ListKind, { target, name, page, place }: Item): boolean {
		const key = `${method}\n${target}\n${name.length > longestKey ? digest(name) : name}`;
		const before = this.known.get(key);
		if (before === undefined && this.known.size >= maximumItems) return false;
		const now = digest(page.subarray(place.start, place.end));
		this.known.set(key, now);
		return before !== undefined && before !== now;
	}
}

function digest(text: string | Buffer): string {
	return createHash('sha256').update(text).digest('base64url');
}

function named(names: readonly string[]): string {
	const shown = names.slice(0, maximumNamed).map((name) => visible(JSON.stringify(name.slice(0, 64))));
	const rest = names.length - shown.length;
	return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

/**
 * Control, bidirectional and zero-width characters, and the tags that carry text which only a language model reads
 * (Unicode TR36). Not the two joiners, which many scripts and emoji need.
 */
const hidden =
	/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\u{e0100}-\u{e01ef}]/u;

function visible(text: string): string {
	return text.replace(new RegExp(hidden, 'gu'), (one) => `[U+${one.codePointAt(0)?.toString(16).toUpperCase()}]`);
}

/** In what is read of an item: its name, title and description. */
function hasHidden({ name, page, place }: Item): boolean {
	if (hidden.test(name)) return true;
	for (const { key, start, end } of place.members ?? []) {
		if ((key !== 'description' && key !== 'title') || page[start] !== 0x22 || end - start > maximumTextBytes) continue;
		if (hidden.test(decodeString(page, start, end))) return true;
	}
	return false;
}
