import type { Facts } from '../../facts/facts.ts';
import { Catalog } from '../lists/catalog.ts';
import type { ListLimits } from '../lists/collection.ts';
import { dispatch } from '../dispatch.ts';
import type { DispatchContext } from '../dispatch-context.ts';
import { ListChanges } from '../lists/list-changes.ts';
import { changeOf } from '../lists/list-kind.ts';
import { FanOut } from '../fan-out.ts';
import { exposeNotice } from '../exposing-sink.ts';
import type { Findings } from '../lists/findings.ts';
import type { Ask, Call, Caller, ClientNotice, Notice, Resumption, Sink, Target, Ticket } from '../model.ts';
import type { MissingRule } from '../missing.ts';
import type { Naming } from '../names.ts';
import type { LaneBudget } from '../legs/lanes.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import { Owners } from '../owners.ts';
import type { SharedLists } from '../lists/shared-lists.ts';
import { Subscriptions } from '../subscriptions.ts';
import type { TargetWatch } from '../health/target-watch.ts';
import type { Leg } from '../legs/leg.ts';
import { Upstreams, type UpstreamsEvents } from '../legs/upstreams.ts';

/** What all clients of one MCP backend share. */
export interface Federation {
	readonly targets: readonly Target[];
	readonly naming: Naming;
	readonly watch: TargetWatch;
	readonly findings: Findings;
	readonly listLimits: ListLimits;
	readonly lists: SharedLists;
	/** Fail a list when one target fails it, and a session when one target does not start. */
	readonly strict: boolean;
	/** Refuse clients that open a session, or ask what there is, while targets are away. */
	readonly refuseWhenMissing: MissingRule;
	readonly startTimeout: number;
	warn(message: string): void;
}

/** Hears the notifications that belong to no call, in the client's names. */
export interface Listener {
	note(notice: Notice): void;
	/** Puts a server's question to the client; absent where the client cannot be asked. */
	ask?(ask: Ask): void;
}

/** How a set of connections is used. */
export interface ConnectionsUse {
	/** Strangers share the set, within this budget of further connections; null: one client's own. */
	readonly lanes: LaneBudget | null;
	/** Sessions at servers to go on with, by target. */
	readonly resume: ReadonlyMap<string, Resumption> | null;
}

const listChange = /^notifications\/(tools|prompts|resources)\/list_changed$/;

/** One client's (or one pool's) connections to the targets, with the names that this client knows. */
export class Connections implements UpstreamsEvents {
	readonly upstreams: Upstreams;
	readonly subscriptions: Subscriptions;
	private current: Federation;
	/** Made with the first call: there are many sessions without any. */
	private context: DispatchContext | null = null;
	/** The one of a session, or the first of a pool; most sets have no more. */
	private listener: Listener | null = null;
	private others: Set<Listener> | null = null;
	private out: FanOut<Listener> | null = null;
	/** Made with the first change. */
	private changes: ListChanges | null = null;

	constructor(federation: Federation, caller: Caller, use: ConnectionsUse) {
		this.current = federation;
		this.upstreams = new Upstreams({
			targets: federation.targets,
			caller,
			watch: federation.watch,
			startTimeout: federation.startTimeout,
			lanes: use.lanes,
			resume: use.resume,
			events: this,
		});
		this.subscriptions = new Subscriptions(this.upstreams);
	}

	get federation(): Federation {
		return this.current;
	}

	/**
	 * Goes over to what a reload has made of the backend. Connections to targets that stay are kept, with all that is
	 * under way over them; the client is told to read its lists anew. Resolves when connections to dropped targets are
	 * gone, at the latest after `patience` milliseconds.
	 */
	async follow(federation: Federation, patience: number): Promise<void> {
		if (federation === this.current) return;
		this.current = federation;
		this.context?.catalog.clear();
		this.context = null;
		const followed = this.upstreams.follow(federation.targets, federation.watch, patience);
		this.rosterChanged();
		await followed;
	}

	start(call: Call, facts: Facts, sink: Sink): Ticket {
		this.context ??= this.makeContext();
		return dispatch(call, this.context, facts, sink);
	}

	/** Passes a client's notification to every target that stands. */
	notify(notice: ClientNotice): void {
		for (const leg of this.upstreams.legs) if (leg.state === 'ready') leg.upstream?.notify(notice);
	}

	listen(listener: Listener): void {
		if (this.listener === null) this.listener = listener;
		else (this.others ??= new Set()).add(listener);
		if (this.others !== null) this.out ??= new FanOut(this.others, (one, notice) => one.note(notice));
	}

	unlisten(listener: Listener): void {
		if (this.listener === listener) this.listener = null;
		else this.others?.delete(listener);
	}

	close(keepSessions = false): Promise<void> {
		this.listener = null;
		this.others?.clear();
		this.context?.catalog.clear();
		this.changes?.close();
		return this.upstreams.close(keepSessions);
	}

	private makeContext(): DispatchContext {
		const { upstreams, subscriptions, current } = this;
		const { naming, findings, listLimits, lists } = current;
		const catalog = new Catalog(
			...([upstreams, naming, findings, listLimits] as const),
			(kind) => this.changed(changeOf(kind)),
			lists,
		);
		return new Context(current, upstreams, subscriptions, catalog);
	}

	note(target: string, notice: Notice): void {
		this.context?.catalog.noted(target, notice.method);
		if (listChange.test(notice.method)) return this.changed(notice.method);
		const shown = exposeNotice(notice, this.current.naming, target);
		if (shown !== null) this.tell(shown);
	}

	private changed(method: string): void {
		this.changes ??= new ListChanges((changed) => this.tell({ method: changed, params: null }));
		this.changes.add(method);
	}

	private tell(notice: Notice): void {
		this.listener?.note(notice);
		this.out?.send(notice);
	}

	/** The connection is new, or the session on it: what was learnt of the one before may be wrong. */
	joined(leg: Leg): void {
		this.context?.catalog.forget(leg.target.name);
		this.subscriptions.restore(leg);
	}

	ask(ask: Ask): void {
		if (this.listener?.ask !== undefined) return this.listener.ask(ask);
		for (const listener of this.others ?? []) if (listener.ask !== undefined) return listener.ask(ask);
		refuseAsk(ask);
	}

	rosterChanged(): void {
		for (const kind of ['tools', 'prompts', 'resources']) this.changed(`notifications/${kind}/list_changed`);
	}
}

/** A class, so that the many of them have one shape: a literal with a spread in it got a shape of 700 bytes each. */
class Context implements DispatchContext {
	readonly upstreams: Upstreams;
	readonly subscriptions: Subscriptions;
	readonly catalog: Catalog;
	readonly owners: Owners;
	readonly naming: Naming;
	readonly findings: Findings;
	readonly strict: boolean;
	private readonly federation: Federation;

	constructor(federation: Federation, upstreams: Upstreams, subscriptions: Subscriptions, catalog: Catalog) {
		this.federation = federation;
		this.naming = federation.naming;
		this.findings = federation.findings;
		this.strict = federation.strict;
		this.upstreams = upstreams;
		this.subscriptions = subscriptions;
		this.catalog = catalog;
		this.owners = new Owners(upstreams, federation.naming, catalog);
	}

	warn(message: string): void {
		this.federation.warn(message);
	}
}
