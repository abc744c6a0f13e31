import { createHash } from 'node:crypto';
import type { ExposedList, ShownItem } from './exposed-list.ts';

/** Where a client is in a list that was made of several: behind one item of one target. */
interface ListCursor {
	readonly target: string;
	/** Where the item stood in its server's list. */
	readonly at: number;
	/** Digest of its name, which may be too long to be carried about. */
	readonly digest: string;
}

/** One page, and the cursor of the next. */
export interface ListPage {
	readonly items: readonly ShownItem[];
	readonly next: string | null;
}

/**
 * Cuts a page out of a list. The place is found again by the item that came last, so nothing is lost or doubled when
 * targets come and go between pages. null: the cursor is none of ours.
 *
 * `targets` are all targets in the order of the configuration.
 */
export function cutPage(
	list: ExposedList,
	cursor: string | null,
	size: number,
	targets: readonly string[],
): ListPage | null {
	let from = 0;
	if (cursor !== null) {
		const place = decode(cursor, list.kind.method);
		if (place === null || !targets.includes(place.target)) return null;
		from = placeAfter(list.shown, place, targets);
	}
	const items = list.shown.slice(from, from + size);
	const last = items.at(-1);
	const more = from + size < list.shown.length;
	return { items, next: more && last !== undefined ? encode(last, list.kind.method) : null };
}

function placeAfter(shown: readonly ShownItem[], place: ListCursor, targets: readonly string[]): number {
	const order = new Map(targets.map((target, index) => [target, index]));
	const own = shown.filter((one) => one.item.target === place.target);
	const same = (one: ShownItem) => digestOf(one) === place.digest;
	const last = own.find((one) => one.at === place.at && same(one)) ?? own.find(same);
	// An item that is gone has left its place to the next one.
	const behind = last?.at ?? place.at - 1;
	const rank = order.get(place.target) ?? 0;
	const from = shown.findIndex(({ item, at }) => {
		const one = order.get(item.target) ?? 0;
		return one > rank || (one === rank && at > behind);
	});
	return from < 0 ? shown.length : from;
}

function encode(last: ShownItem, method: string): string {
	return Buffer.from(JSON.stringify([method, last.item.target, last.at, digestOf(last)])).toString('base64url');
}

function decode(cursor: string, method: string): ListCursor | null {
	if (cursor.length > maximumLength || !/^[\w-]+$/.test(cursor)) return null;
	let value: unknown;
	try {
		value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
	} catch {
		return null;
	}
	if (!Array.isArray(value) || value.length !== 4) return null;
	const [of, target, at, digest] = value as unknown[];
	if (of !== method || typeof target !== 'string' || typeof digest !== 'string') return null;
	return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? { target, at, digest } : null;
}

/** Target names have at most 253 characters. */
const maximumLength = 512;

function digestOf({ item }: ShownItem): string {
	return createHash('sha256').update(item.name).digest('base64url').slice(0, 16);
}
