import { Entry, listMs } from './catalog-entry.ts';
import type { List, ListLimits } from './collection.ts';
import { ExposedList } from './exposed-list.ts';
import type { Findings } from './findings.ts';
import { Gathering } from './gathering.ts';
import { KeptLists } from './kept-lists.ts';
import { isChangeOf, type ListKind, listKinds, offers } from './list-kind.ts';
import type { Call, McpError, Sink, Ticket } from '../model.ts';
import type { Naming } from '../names.ts';
import type { Leg } from '../legs/leg.ts';
import type { Upstreams } from '../legs/upstreams.ts';
import { SharedLists } from './shared-lists.ts';

/** When a list that is asked for now has to be answered, on the clock of `performance.now()`. */
export function listDeadline(): number {
	return performance.now() + listMs;
}

/** A catalogue that nobody has asked for so long lets go of its lists: there is one per session. */
const idleMs = 60_000;

/** What the catalogue has of all targets for one list. */
export interface Lists {
	/** By target, in the order of the configuration; null: not asked, or failed. */
	readonly parts: readonly (List | null)[];
	readonly errors: readonly McpError[];
	/** Targets that did not answer in time. What is here of them is what they had before. */
	readonly late: readonly string[];
	/** Whether every target was there to be asked. */
	readonly whole: boolean;
	readonly exposed: ExposedList;
	/** Whose parts they are. */
	readonly legs: readonly Leg[];
}

/**
 * The lists of one client's connections, kept for as long as they are known to hold: while the server announces
 * changes and has announced none, or for the time that the server gave. Several who ask at once share one answer.
 */
export class Catalog {
	private readonly upstreams: Upstreams;
	private readonly naming: Naming;
	private readonly findings: Findings;
	private readonly limits: ListLimits;
	private readonly cameLate: (kind: ListKind) => void;
	private readonly shared: SharedLists;
	private readonly kept: KeptLists;
	private readonly entries = new Map<string, Entry>();
	/** The last exposed list by method, with what it was made of. */
	private readonly exposed = new Map<string, Known>();
	/** Whether anybody asked since the last look. */
	private used = false;
	private sweep: NodeJS.Timeout | null = null;

	/** `cameLate` hears of lists that came after they were answered, and are others than were told. */
	constructor(
		upstreams: Upstreams,
		naming: Naming,
		findings: Findings,
		limits: ListLimits,
		cameLate: (kind: ListKind) => void,
		shared = new SharedLists(),
	) {
		this.cameLate = cameLate;
		this.upstreams = upstreams;
		this.naming = naming;
		this.findings = findings;
		this.limits = limits;
		this.shared = shared;
		this.kept = new KeptLists(shared.answers, findings);
	}

	/** Answers a list call for a client that sees the one target as it is; `send` sends it there. */
	own(kind: ListKind, leg: Leg, call: Call, sink: Sink, send: (sink: Sink) => Ticket): Ticket {
		this.touch();
		return this.kept.list(kind, leg, call, sink, send);
	}

	/**
	 * Gives the lists of all targets that are there. A list that is not known to hold is taken all the same when it was
	 * asked for after `notBefore` (on the clock of `performance.now()`). Nobody is waited for beyond `until`.
	 */
	lists(kind: ListKind, call: Call, notBefore: number, done: (lists: Lists) => void, until = listDeadline()): Ticket {
		this.touch();
		const { legs } = this.upstreams;
		const gathering = new Gathering(legs.length, (parts, errors, late) => {
			// What came last from those who are late is better than nothing.
			const shown = parts.map(
				(part, at) => part ?? (late.has(at) ? (this.entryOf(legs[at], kind)?.last ?? null) : null),
			);
			for (const at of late) this.entryOf(legs[at], kind)?.tell(shown[at] ?? null);
			const whole = late.size === 0 && legs.every((leg) => leg.state === 'ready');
			const names = [...late].map((at) => legs[at]?.target.name ?? '');
			for (const name of names) this.findings.faults.late(name, kind);
			done({ parts: shown, errors, late: names, whole, exposed: this.expose(kind, shown, legs), legs });
		});
		legs.forEach((leg, index) => {
			if (leg.state === 'ready') this.ask(leg, index, kind, call, notBefore, gathering);
			// One that restarts may be back in time.
			else if (leg.hopeful && leg.server !== null) {
				gathering.expect(index);
				const forget = leg.whenKnown(() => {
					if (gathering.over) return;
					if (leg.state !== 'ready' || !this.ask(leg, index, kind, call, notBefore, gathering))
						gathering.settle(index, null);
				});
				gathering.add({ cancel: forget });
			}
		});
		gathering.begin(until - performance.now());
		return gathering;
	}

	/** What was last known, if it was of these connections and nobody has announced another since. Asks nobody. */
	known(kind: ListKind): ExposedList | null {
		const known = this.exposed.get(kind.method);
		if (known === undefined || known.outdated) return null;
		const { legs } = this.upstreams;
		for (let at = 0; at < legs.length; at++) if (connectionOf(legs[at]) !== known.connections[at]) return null;
		this.used = true;
		return known.list;
	}

	/** Hears a notification of a target. */
	noted(target: string, method: string): void {
		if (!method.endsWith('/list_changed')) return;
		this.kept.noted(method);
		for (const kind of Object.values(listKinds)) if (isChangeOf(kind, method)) this.outdate(target, kind);
	}

	/** A target has another connection, or another session on it. */
	forget(target: string): void {
		this.kept.clear();
		for (const kind of Object.values(listKinds)) this.outdate(target, kind);
	}

	/** Lets go of everything. */
	clear(): void {
		if (this.sweep !== null) clearTimeout(this.sweep);
		this.sweep = null;
		this.entries.clear();
		this.exposed.clear();
		this.kept.clear();
	}

	/** False when there is nothing to ask for. */
	private ask(leg: Leg, at: number, kind: ListKind, call: Call, notBefore: number, gathering: Gathering): boolean {
		if (leg.server === null || !offers(leg.server, kind)) return false;
		gathering.expect(at);
		const ticket = this.list(leg, kind, call, notBefore, (list) => {
			this.findings.faults.came(leg.target.name, kind, list);
			gathering.settle(at, list);
		});
		gathering.add(ticket);
		return true;
	}

	private entryOf(leg: Leg | undefined, kind: ListKind): Entry | undefined {
		return leg === undefined ? undefined : this.entries.get(keyOf(leg.target.name, kind));
	}

	/** A list came after clients had been told another. */
	private came(kind: ListKind): void {
		const known = this.exposed.get(kind.method);
		if (known !== undefined) known.outdated = true;
		this.cameLate(kind);
	}

	private list(leg: Leg, kind: ListKind, call: Call, notBefore: number, done: (list: List | McpError) => void): Ticket {
		const key = keyOf(leg.target.name, kind);
		let entry = this.entries.get(key);
		if (entry === undefined || entry.upstream !== leg.upstream) {
			const last = entry?.last ?? null;
			entry = new Entry({
				leg,
				kind,
				limits: this.limits,
				pages: this.shared.pages,
				last,
				came: () => this.came(kind),
			});
			this.entries.set(key, entry);
		}
		return entry.get(call, notBefore, done);
	}

	private outdate(target: string, kind: ListKind): void {
		this.entries.get(keyOf(target, kind))?.outdate();
		const known = this.exposed.get(kind.method);
		if (known !== undefined) known.outdated = true;
	}

	private expose(kind: ListKind, parts: readonly (List | null)[], legs: readonly Leg[]): ExposedList {
		const last = this.exposed.get(kind.method);
		const same = last?.list.isOf(parts) === true;
		const list = same ? last.list : this.merged(kind, parts);
		if (!same) this.findings.look(kind, parts, list, this.naming);
		const connections = legs.map(connectionOf);
		// A list that changed while it was on its way is nobody's to keep.
		const outdated = legs.some(({ target }, at) => {
			const part = parts[at] ?? null;
			return part !== null && this.entries.get(keyOf(target.name, kind))?.list !== part;
		});
		if (kind.type !== 'task') this.exposed.set(kind.method, { list, connections, outdated });
		return list;
	}

	/** The list that other clients have already, if they have the same. */
	private merged(kind: ListKind, parts: readonly (List | null)[]): ExposedList {
		const { merged } = this.shared;
		const known = merged.get(kind.method);
		if (known?.isOf(parts) === true) return known;
		const list = new ExposedList(kind, parts, this.naming);
		if (kind.type !== 'task') merged.set(kind.method, list);
		return list;
	}

	private touch(): void {
		this.used = true;
		if (this.sweep !== null) return;
		this.sweep = setInterval(() => {
			if (!this.used) this.clear();
			this.used = false;
		}, idleMs);
		this.sweep.unref();
	}
}

/** An exposed list, with what it was made of. */
interface Known {
	readonly list: ExposedList;
	/** Those that stood, by leg. */
	readonly connections: readonly Leg['upstream'][];
	outdated: boolean;
}

function connectionOf(leg: Leg | undefined): Leg['upstream'] {
	return leg?.state === 'ready' ? leg.upstream : null;
}

function keyOf(target: string, kind: ListKind): string {
	return `${target}\n${kind.method}`;
}
