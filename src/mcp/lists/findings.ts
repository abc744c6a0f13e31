import { cutText } from '../../lib/cut.ts';
import type { List } from './collection.ts';
import { ItemWatch } from './item-watch.ts';
import type { ExposedList, HiddenItem } from './exposed-list.ts';
import { ListFaults } from './list-faults.ts';
import { KnownNames } from './known-names.ts';
import type { ListKind } from './list-kind.ts';
import type { Naming } from '../names.ts';

/** More hidden items of a list are not kept: people read them. */
const maximumHidden = 1000;
/** What is said of more items takes milliseconds to look at, and can wait until others have had their turn. */
const manyItems = 1000;
/** More different warnings than this come from servers that change without end. */
const maximumWarned = 1000;

/**
 * What is odd about the lists of a backend's targets: those that are not there, items that nobody sees, rules that name
 * nothing. Each oddity is
 * logged once; what is hidden now can be read by the admin API.
 */
export class Findings {
	/** Which lists are not there, and why. */
	readonly faults: ListFaults;
	/** What the targets have. */
	readonly names: KnownNames;
	private readonly warn: (message: string) => void;
	private readonly changed: (target: string) => void;
	private readonly warned = new Set<string>();
	private readonly watch = new ItemWatch();
	/** By list. */
	private readonly hidden = new Map<string, readonly HiddenItem[]>();

	/** `changed` is called with each target of which other items are hidden than before. `names` outlives the findings. */
	constructor(warn: (message: string) => void, changed: (target: string) => void, names = new KnownNames()) {
		this.names = names;
		this.warn = warn;
		this.changed = changed;
		this.faults = new ListFaults(changed);
	}

	/** Items of a target that clients do not see. */
	of(target: string): HiddenItem[] {
		return [...this.hidden.values()].flat().filter((item) => item.target === target);
	}

	/** Logs a message unless it was logged before. */
	warnOnce(message: string): void {
		// It may hold words of servers, of any length.
		const remembered = cutText(message);
		if (this.warned.has(remembered)) return;
		if (this.warned.size >= maximumWarned) this.warned.clear();
		this.warned.add(remembered);
		this.warn(message);
	}

	/** Takes note of what a server says of its items. */
	read(kind: ListKind, list: List): void {
		const target = list.items[0]?.target;
		if (target !== undefined) this.names.add(kind, target, list.items);
		for (const sentence of this.watch.look(kind, list)) this.warnOnce(sentence);
	}

	/** Takes note of lists as they are now. */
	look(kind: ListKind, lists: readonly (List | null)[], exposed: ExposedList, naming: Naming): void {
		this.keep(kind, exposed.hidden.slice(0, maximumHidden).map(shortened));
		for (const [name, targets] of exposed.doubled) {
			const servers = targets.map((target) => `"${target}"`).join(' and by ');
			this.warnOnce(
				`${kind.type} "${name}" is served by ${servers} and is hidden; rename one or use prefixMode: always`,
			);
		}
		for (const list of lists) {
			if (list !== null && list.items.length > manyItems) setImmediate(() => this.read(kind, list));
			else if (list !== null) this.read(kind, list);
			const target = list?.items[0]?.target;
			if (list === null || target === undefined || list.cut !== null || kind.type === 'task') continue;
			// Rules for resources are for templates, too: that one list has nothing for a rule says little.
			if (kind.type === 'resource') continue;
			const names = list.items.map((item) => item.name);
			for (const finding of naming.rules(kind.type, target)?.findings(names) ?? []) {
				this.warnOnce(`target "${target}": ${finding}`);
			}
		}
	}

	private keep(kind: ListKind, items: readonly HiddenItem[]): void {
		const before = this.hidden.get(kind.method) ?? [];
		const key = (item: HiddenItem) => `${item.target}\n${item.name}\n${item.reason}`;
		if (items.length === before.length && items.every((item, at) => key(item) === key(before[at] ?? item))) return;
		this.hidden.set(kind.method, items);
		for (const target of new Set([...before, ...items].map((item) => item.target))) this.changed(target);
	}
}

function shortened({ list, target, name, reason }: HiddenItem): HiddenItem {
	return { list, target, name: cutText(name), reason: cutText(reason) };
}
