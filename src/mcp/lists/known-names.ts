import type { Catalogue } from '../../facts/facts.ts';
import { cutLabel } from '../../lib/cut.ts';
import type { ListKind } from './list-kind.ts';
import { type Item, readPage } from './list-page.ts';

/** More names of one list are not kept. */
const maximumNames = 20_000;
/** Longer lists that pass unread are not read for their names. */
const maximumPassing = 1024 * 1024;
/** A list that passes unread is read once in this time. */
const pauseMs = 1000;

/**
 * The names of what each target of a backend lists, as of the lists that were read last, cut as labels of metrics are.
 * Lives on over reloads, as the targets do.
 */
export class KnownNames implements Catalogue {
	/** By target and method of the list. */
	private readonly known = new Map<string, Map<string, KnownList>>();

	lists(target: string, name: string): boolean {
		for (const { names } of this.known.get(target)?.values() ?? []) if (names.has(name)) return true;
		return false;
	}

	/** A list of a target was read, whole or in part. Clients may see different ones, so others are not forgotten. */
	add(kind: ListKind, target: string, items: readonly Item[]): void {
		// Tasks come and go, and have names that nobody gave them.
		if (kind.type === 'task') return;
		const { names } = this.listOf(kind, target);
		if (names.size + items.length > maximumNames) names.clear();
		for (const item of items.slice(0, maximumNames)) names.add(cutLabel(item.name));
	}

	/** A list passes to its client unread. It is read soon: another that passes before takes its place. */
	pass(kind: ListKind, target: string, text: Buffer): void {
		if (kind.type === 'task' || text.length > maximumPassing) return;
		const list = this.listOf(kind, target);
		if (list.timer !== null) {
			list.passing = text;
			return;
		}
		this.read(kind, target, text);
		list.timer = setTimeout(() => {
			const { passing } = list;
			list.timer = null;
			list.passing = null;
			if (passing !== null) this.pass(kind, target, passing);
		}, pauseMs);
		list.timer.unref();
	}

	/** Forgets targets of which nothing is known any more. */
	keep(targets: ReadonlySet<string>): void {
		for (const target of this.known.keys()) if (!targets.has(target)) this.forget(target);
	}

	close(): void {
		for (const target of this.known.keys()) this.forget(target);
	}

	private forget(target: string): void {
		for (const { timer } of this.known.get(target)?.values() ?? []) if (timer !== null) clearTimeout(timer);
		this.known.delete(target);
	}

	private read(kind: ListKind, target: string, text: Buffer): void {
		readPage(text, kind, target, (page) => {
			if (page !== null) this.add(kind, target, page.items);
		});
	}

	private listOf({ method }: ListKind, target: string): KnownList {
		const lists = this.known.get(target) ?? new Map<string, KnownList>();
		this.known.set(target, lists);
		const list = lists.get(method) ?? { names: new Set(), passing: null, timer: null };
		lists.set(method, list);
		return list;
	}
}

interface KnownList {
	readonly names: Set<string>;
	/** What has passed since the last look. */
	passing: Buffer | null;
	timer: NodeJS.Timeout | null;
}
