import type { Latest } from '../../lib/latest.ts';
import { collectList, isListError, type List, type ListLimits } from './collection.ts';
import type { Leg } from '../legs/leg.ts';
import { announces, type ListKind } from './list-kind.ts';
import type { ReadPage } from './list-page.ts';
import type { Call, McpError, Ticket } from '../model.ts';

/** Even a list whose server announces changes is read again after this time: a lost notification must not last. */
const longestTrustMs = 60_000;
/** A list is answered within this time with what is there: one slow server must not hold up the others. */
export const listMs = 2000;

type Waiter = (list: List | McpError) => void;

export interface EntryOptions {
	readonly leg: Leg;
	readonly kind: ListKind;
	readonly limits: ListLimits;
	/** Pages that other clients have read. */
	readonly pages: Latest<ReadPage>;
	/** What an earlier connection gave last. */
	readonly last: List | null;
	/** A list came that was not there when it was asked for, and is another than was told. */
	came(): void;
}

/** One list of one connection, and who waits for it. */
export class Entry {
	readonly upstream: Leg['upstream'];
	/** The list, while it is not known to have changed. */
	list: List | null = null;
	/** The last list that came, whether it holds or not. */
	last: List | null;
	private readonly options: EntryOptions;
	private fetch: Fetch | null = null;
	/** Whether the last one did not come in time. */
	private slow = false;
	/** What clients were told while the list was on its way; undefined: nothing. */
	private told: List | null | undefined;

	constructor(options: EntryOptions) {
		this.options = options;
		this.upstream = options.leg.upstream;
		this.last = options.last;
	}

	get(call: Call, notBefore: number, done: Waiter): Ticket {
		if (this.list !== null && this.holds(this.list, notBefore)) {
			done(this.list);
			return nothingToCancel;
		}
		const fetch = this.fetch ?? this.begin(call);
		const { last } = this;
		// Who asks a slow server again is told what it had, and hears when it has something else.
		if (this.slow && last !== null && performance.now() - last.askedAt < longestTrustMs) {
			fetch.join(() => {});
			this.tell(last);
			done(last);
			return nothingToCancel;
		}
		return fetch.join(done);
	}

	/** Clients are told this while the list is on its way. */
	tell(list: List | null): void {
		if (this.fetch !== null) this.told = list;
	}

	/** The server has another list now; what is on its way is still good for those who wait for it. */
	outdate(): void {
		this.list = null;
		this.fetch = null;
	}

	private holds(list: List, notBefore: number): boolean {
		const { leg, kind } = this.options;
		const age = performance.now() - list.askedAt;
		if (list.askedAt >= notBefore || (list.ttl !== null && age < list.ttl)) return true;
		return age < longestTrustMs && leg.server !== null && announces(leg.server, kind);
	}

	private begin(call: Call): Fetch {
		const { leg, kind, limits, pages } = this.options;
		const askedAt = performance.now();
		const fetch = new Fetch((list) => {
			if (this.fetch !== fetch) return;
			this.fetch = null;
			this.slow = performance.now() - askedAt > listMs;
			if (list !== null && !isListError(list) && kind.type !== 'task') this.take(list);
		});
		this.fetch = fetch;
		fetch.follow(collectList(leg, kind, call, limits, (list) => fetch.end(list), pages));
		return fetch;
	}

	private take(list: List): void {
		const { told } = this;
		this.told = undefined;
		this.list = list;
		this.last = list;
		if (told !== undefined && !sameItems(told, list)) this.options.came();
	}
}

const nothingToCancel: Ticket = { cancel() {} };

function sameItems(one: List | null, other: List): boolean {
	if (one === null || one.items.length !== other.items.length) return false;
	return one.items.every((item, at) => {
		const { page, place } = other.items[at] ?? item;
		return item.page.compare(page, place.start, place.end, item.place.start, item.place.end) === 0;
	});
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
