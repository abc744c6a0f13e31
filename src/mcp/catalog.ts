import { collectList, isListError, type List, type ListLimits } from './collection.ts';
import { ExposedList } from './exposed-list.ts';
import type { Findings } from './findings.ts';
import { announces, isChangeOf, type ListKind, listKinds, offers } from './list-kind.ts';
import type { Call, McpError, Ticket } from './model.ts';
import type { Naming } from './names.ts';
import type { Leg } from './leg.ts';
import type { Upstreams } from './upstreams.ts';

/** Even a list whose server announces changes is read again after this time: a lost notification must not last. */
const longestTrustMs = 60_000;
/** A catalogue that nobody has asked for so long lets go of its lists: there is one per session. */
const idleMs = 60_000;

/** What the catalogue has of all targets for one list. */
export interface Lists {
	/** By target, in the order of the configuration; null: not asked, or failed. */
	readonly parts: readonly (List | null)[];
	readonly errors: readonly McpError[];
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
	private readonly entries = new Map<string, Entry>();
	/** The last exposed list by method, with what it was made of. */
	private readonly exposed = new Map<string, Known>();
	/** Whether anybody asked since the last look. */
	private used = false;
	private sweep: NodeJS.Timeout | null = null;

	constructor(upstreams: Upstreams, naming: Naming, findings: Findings, limits: ListLimits) {
		this.upstreams = upstreams;
		this.naming = naming;
		this.findings = findings;
		this.limits = limits;
	}

	/**
	 * Gives the lists of all targets that are there. A list that is not known to hold is taken all the same when it was
	 * asked for after `notBefore` (on the clock of `performance.now()`).
	 */
	lists(kind: ListKind, call: Call, notBefore: number, done: (lists: Lists) => void): Ticket {
		this.touch();
		const { legs } = this.upstreams;
		const parts: (List | null)[] = legs.map(() => null);
		const errors: McpError[] = [];
		const tickets: Ticket[] = [];
		const whole = legs.every((leg) => leg.state === 'ready');
		let open = 1;
		const one = () => {
			if (--open === 0) done({ parts, errors, whole, exposed: this.expose(kind, parts, legs), legs });
		};
		legs.forEach((leg, index) => {
			if (leg.state !== 'ready' || leg.server === null || !offers(leg.server, kind)) return;
			open++;
			const ticket = this.list(leg, kind, call, notBefore, (list) => {
				if (isListError(list)) errors.push(list);
				else parts[index] = list;
				one();
			});
			tickets.push(ticket);
		});
		one();
		return {
			cancel(reason) {
				for (const ticket of tickets) ticket.cancel(reason);
			},
		};
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
		for (const kind of Object.values(listKinds)) if (isChangeOf(kind, method)) this.outdate(target, kind);
	}

	/** A target has another connection, or another session on it. */
	forget(target: string): void {
		for (const kind of Object.values(listKinds)) this.outdate(target, kind);
	}

	/** Lets go of everything. */
	clear(): void {
		if (this.sweep !== null) clearTimeout(this.sweep);
		this.sweep = null;
		this.entries.clear();
		this.exposed.clear();
	}

	private list(leg: Leg, kind: ListKind, call: Call, notBefore: number, done: (list: List | McpError) => void): Ticket {
		const key = keyOf(leg.target.name, kind);
		let entry = this.entries.get(key);
		if (entry === undefined || entry.upstream !== leg.upstream) {
			entry = new Entry(leg, kind, this.limits);
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
		const same = last?.parts.every((part, index) => part === parts[index]) === true;
		const list = same ? last.list : new ExposedList(kind, parts, this.naming);
		if (!same) this.findings.look(kind, parts, list, this.naming);
		const connections = legs.map(connectionOf);
		// A list that changed while it was on its way is nobody's to keep.
		const outdated = legs.some(({ target }, at) => {
			const part = parts[at] ?? null;
			return part !== null && this.entries.get(keyOf(target.name, kind))?.list !== part;
		});
		if (kind.type !== 'task') this.exposed.set(kind.method, { parts, list, connections, outdated });
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
	readonly parts: readonly (List | null)[];
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

type Waiter = (list: List | McpError) => void;

/** One list of one connection, and who waits for it. */
class Entry {
	readonly upstream: Leg['upstream'];
	list: List | null = null;
	private readonly leg: Leg;
	private readonly kind: ListKind;
	private readonly limits: ListLimits;
	private fetch: Fetch | null = null;

	constructor(leg: Leg, kind: ListKind, limits: ListLimits) {
		this.upstream = leg.upstream;
		this.leg = leg;
		this.kind = kind;
		this.limits = limits;
	}

	get(call: Call, notBefore: number, done: Waiter): Ticket {
		if (this.list !== null && this.holds(this.list, notBefore)) {
			done(this.list);
			return { cancel() {} };
		}
		return (this.fetch ?? this.begin(call)).join(done);
	}

	/** The server has another list now; what is on its way is still good for those who wait for it. */
	outdate(): void {
		this.list = null;
		this.fetch = null;
	}

	private holds(list: List, notBefore: number): boolean {
		const age = performance.now() - list.askedAt;
		if (list.askedAt >= notBefore || (list.ttl !== null && age < list.ttl)) return true;
		return age < longestTrustMs && this.leg.server !== null && announces(this.leg.server, this.kind);
	}

	private begin(call: Call): Fetch {
		const fetch = new Fetch((list) => {
			if (this.fetch !== fetch) return;
			this.fetch = null;
			if (list !== null && !isListError(list) && this.kind.type !== 'task') this.list = list;
		});
		this.fetch = fetch;
		fetch.follow(collectList(this.leg, this.kind, call, this.limits, (list) => fetch.end(list)));
		return fetch;
	}
}

/** A list on its way. It is taken back when nobody waits for it any longer. */
class Fetch {
	/** Called with the outcome, or with null when it was taken back. */
	private readonly ended: (list: List | McpError | null) => void;
	private readonly waiters = new Set<Waiter>();
	private ticket: Ticket | null = null;
	/** The outcome, if it came before anybody could wait. */
	private outcome: List | McpError | null = null;

	constructor(ended: Fetch['ended']) {
		this.ended = ended;
	}

	follow(ticket: Ticket): void {
		this.ticket = ticket;
	}

	join(done: Waiter): Ticket {
		if (this.outcome !== null) {
			done(this.outcome);
			return { cancel() {} };
		}
		const waiter: Waiter = (list) => done(list);
		this.waiters.add(waiter);
		return {
			cancel: (reason) => {
				if (!this.waiters.delete(waiter) || this.waiters.size > 0) return;
				this.ended(null);
				this.ticket?.cancel(reason);
			},
		};
	}

	end(list: List | McpError): void {
		this.outcome = list;
		this.ended(list);
		for (const waiter of this.waiters) waiter(list);
		this.waiters.clear();
	}
}
