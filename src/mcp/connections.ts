import type { Facts } from '../facts/facts.ts';
import { decodeString, isScanFault, scanJson } from '../lib/json-scan.ts';
import { splice } from '../lib/splice.ts';
import { dispatch } from './dispatch.ts';
import type { DispatchContext } from './dispatch-context.ts';
import type { Ask, Call, Caller, Notice, Resumption, Sink, Target, Ticket } from './model.ts';
import type { Naming } from './names.ts';
import { type LaneBudget, refuseAsk } from './lanes.ts';
import { Owners } from './owners.ts';
import { Subscriptions } from './subscriptions.ts';
import { type TargetWatch, Upstreams } from './upstreams.ts';

/** What all clients of one MCP backend share. */
export interface Federation {
	readonly targets: readonly Target[];
	readonly naming: Naming;
	readonly watch: TargetWatch;
	/** Fail a list when one target fails it, and a session when one target does not start. */
	readonly strict: boolean;
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

/** One client's (or one pool's) connections to the targets, with the names that this client knows. */
export class Connections {
	readonly upstreams: Upstreams;
	readonly federation: Federation;
	readonly subscriptions: Subscriptions;
	private readonly context: DispatchContext;
	private readonly owners: Owners;
	private readonly listeners = new Set<Listener>();

	constructor(federation: Federation, caller: Caller, use: ConnectionsUse) {
		this.federation = federation;
		this.upstreams = new Upstreams({
			targets: federation.targets,
			caller,
			watch: federation.watch,
			startTimeout: federation.startTimeout,
			lanes: use.lanes,
			resume: use.resume,
			events: {
				note: (target, notice) => this.note(target, notice),
				ask: (ask) => this.ask(ask),
				joined: (leg) => this.subscriptions?.restore(leg),
				rosterChanged: () => this.rosterChanged(),
			},
		});
		this.subscriptions = new Subscriptions(this.upstreams);
		this.owners = new Owners(this.upstreams);
		this.context = {
			upstreams: this.upstreams,
			naming: federation.naming,
			owners: this.owners,
			subscriptions: this.subscriptions,
			strict: federation.strict,
			warn: (message) => federation.warn(message),
		};
	}

	start(call: Call, facts: Facts, sink: Sink): Ticket {
		return dispatch(call, this.context, facts, sink);
	}

	/** Passes a client's notification to every target that stands. */
	notify(notice: Notice): void {
		for (const leg of this.upstreams.legs) if (leg.state === 'ready') leg.upstream?.notify(notice);
	}

	listen(listener: Listener): void {
		this.listeners.add(listener);
	}

	unlisten(listener: Listener): void {
		this.listeners.delete(listener);
	}

	close(): Promise<void> {
		this.listeners.clear();
		return this.upstreams.close();
	}

	private note(target: string, notice: Notice): void {
		if (notice.method.endsWith('/list_changed')) this.owners.forget();
		const shown = notice.method === 'notifications/resources/updated' ? this.exposeUri(target, notice) : notice;
		for (const listener of this.listeners) listener.note(shown);
	}

	private ask(ask: Ask): void {
		for (const listener of this.listeners) if (listener.ask !== undefined) return listener.ask(ask);
		refuseAsk(ask);
	}

	private rosterChanged(): void {
		this.owners.forget();
		for (const kind of ['tools', 'prompts', 'resources']) {
			for (const listener of this.listeners)
				listener.note({ method: `notifications/${kind}/list_changed`, params: null });
		}
	}

	private exposeUri(target: string, notice: Notice): Notice {
		if (notice.params === null || !this.federation.naming.wrapped) return notice;
		const scanned = scanJson(notice.params, {});
		if (isScanFault(scanned)) return notice;
		const uri = scanned.members?.find((member) => member.key === 'uri');
		if (uri === undefined || scanned.text[uri.start] !== 0x22) return notice;
		const exposed = this.federation.naming.exposeUri(target, decodeString(scanned.text, uri.start, uri.end));
		const edit = { start: uri.start, end: uri.end, text: JSON.stringify(exposed) };
		return { method: notice.method, params: splice(scanned.text, [edit]) };
	}
}
