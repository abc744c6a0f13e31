import { exposeItem, type List } from './collection.ts';
import type { ListKind } from './list-kind.ts';
import type { Item } from './list-page.ts';
import type { Result } from '../model.ts';
import type { Naming } from '../names.ts';
import { ResultForms } from '../result-forms.ts';

/** An item that clients see. */
export interface ShownItem {
	readonly item: Item;
	/** Its name for clients. */
	readonly exposed: string;
	/** Where it stands in its own server's list, hidden items counted. */
	readonly at: number;
}

/** An item that clients do not see. */
export interface HiddenItem {
	readonly list: string;
	readonly target: string;
	/** Its name at the server. */
	readonly name: string;
	readonly reason: string;
}

/** The lists of all targets as one, in the order of the configuration, in the client's names. */
export class ExposedList {
	readonly kind: ListKind;
	readonly shown: readonly ShownItem[];
	readonly hidden: readonly HiddenItem[];
	/** Exposed names that several items have, with their targets: none of them is shown, so no call can go astray. */
	readonly doubled: ReadonlyMap<string, readonly string[]>;
	private readonly naming: Naming;
	/** What it was made of. */
	private readonly parts: readonly (readonly Item[] | null)[];
	private readonly byName: ReadonlyMap<string, ShownItem>;
	private byOwnName: ReadonlyMap<string, readonly ShownItem[]> | null = null;
	private result: { readonly stamp: string; readonly result: Result } | null = null;

	constructor(kind: ListKind, lists: readonly (List | null)[], naming: Naming) {
		const hidden: HiddenItem[] = [];
		const sameName = new Map<string, ShownItem[]>();
		for (const list of lists) {
			list?.items.forEach((item, at) => {
				const { name, target } = item;
				const reason = kind.type === 'task' ? null : naming.hides(kind.type, target, name);
				if (reason !== null) return void hidden.push({ list: kind.field, target, name, reason });
				const exposed = exposedName(item, kind, naming);
				const one = { item, exposed, at };
				const others = sameName.get(exposed);
				if (others === undefined) sameName.set(exposed, [one]);
				else others.push(one);
			});
		}
		const byName = new Map<string, ShownItem>();
		const doubled = new Map<string, readonly string[]>();
		for (const [exposed, items] of sameName) {
			const only = items.length === 1 ? items[0] : undefined;
			if (only !== undefined) byName.set(exposed, only);
			else {
				doubled.set(exposed, [...new Set(items.map(({ item }) => item.target))]);
				for (const { item } of items) hidden.push(collided(item, items, kind));
			}
		}
		this.kind = kind;
		this.naming = naming;
		this.parts = lists.map((list) => list?.items ?? null);
		this.hidden = hidden;
		this.doubled = doubled;
		this.byName = byName;
		this.shown = [...byName.values()];
	}

	/** The item that clients call so. */
	find(exposed: string): ShownItem | null {
		return this.byName.get(exposed) ?? null;
	}

	/** The shown items that their servers call so. */
	findOwn(name: string): readonly ShownItem[] {
		if (this.byOwnName === null) {
			const all = new Map<string, ShownItem[]>();
			for (const one of this.shown) {
				const others = all.get(one.item.name);
				if (others === undefined) all.set(one.item.name, [one]);
				else others.push(one);
			}
			this.byOwnName = all;
		}
		return this.byOwnName.get(name) ?? [];
	}

	/** Whether the same items make it up. */
	isOf(lists: readonly (List | null)[]): boolean {
		if (lists.length !== this.parts.length) return false;
		return this.parts.every((part, index) => sameItems(part, lists[index]?.items ?? null));
	}

	/** The whole list as a result that begins with these members, a comma behind each. Made once while they are the same. */
	whole(stamp: string): Result {
		if (this.result?.stamp === stamp) return this.result.result;
		const text = this.resultOf(this.shown, stamp, null);
		const result = { text, type: 'complete', stamped: stamp !== '', forms: new ResultForms() };
		this.result = { stamp, result };
		return result;
	}

	/** A result with some items, and the cursor of what comes behind them. */
	resultOf(items: readonly ShownItem[], stamp: string, next: string | null): Buffer {
		const head = Buffer.from(`{${stamp}${JSON.stringify(this.kind.field)}:[`);
		const tail = Buffer.from(next === null ? ']}' : `],"nextCursor":${JSON.stringify(next)}}`);
		return Buffer.concat([head, this.textOf(items), tail]);
	}

	private textOf(items: readonly ShownItem[]): Buffer {
		const chunks: Buffer[] = [];
		for (const { item, exposed } of items) {
			if (chunks.length > 0) chunks.push(comma);
			chunks.push(exposeItem(item, exposed, this.kind, this.naming));
		}
		return Buffer.concat(chunks);
	}
}

const comma = Buffer.from(',');

function sameItems(some: readonly Item[] | null, others: readonly Item[] | null): boolean {
	if (some === null || others === null) return some === others;
	return some === others || (some.length === others.length && some.every((item, index) => item === others[index]));
}

function exposedName(item: Item, kind: ListKind, naming: Naming): string {
	if (kind.type === 'task') return naming.exposeTask(item.target, item.name);
	if (kind.type === 'resource') return naming.exposeUri(item.target, item.name);
	return naming.exposeName(kind.type, item.target, item.name);
}

function collided(item: Item, items: readonly ShownItem[], kind: ListKind): HiddenItem {
	const others = items.map((one) => one.item).filter((other) => other !== item);
	const names = others.map((other) =>
		other.name === item.name ? `"${other.target}"` : `"${other.target}" (${other.name})`,
	);
	return {
		list: kind.field,
		target: item.target,
		name: item.name,
		reason: `also served by ${names.join(', ')} under the same name`,
	};
}
