import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import { canonical } from '../canonical.ts';
import { Connections, type Federation } from './connections.ts';
import { tooMuch } from '../errors.ts';
import type { LaneBudget } from '../legs/lanes.ts';
import type { Caller, McpError } from '../model.ts';

/** Connections that wait for their next request longer than this are ended. */
const idleMs = 60_000;

export interface PoolLimits {
	/**
	 * More sets of connections are not opened for sessionless clients: each may mean a child process per target. As many
	 * again may be on their way out. Calls
	 * that want a connection for themselves may open twice as many in addition, over all sets.
	 */
	readonly sets: number;
	/** More calls under way over one set are refused. */
	readonly calls: number;
}

interface Entry {
	readonly key: string;
	readonly connections: Connections;
	users: number;
	/** Those of the users that count against the limit. */
	calls: number;
	idleSince: number;
}

/**
 * Connections for clients without sessions, shared by all who look the same to a server: same principal, same
 * capabilities, same log level. The cap keeps a client from making the gateway start processes at will.
 */
export class Pool implements Beating {
	slot = -1;
	private federation: Federation;
	private readonly heartbeat: Heartbeat;
	private readonly entries = new Map<string, Entry>();
	/** Sets that were given up and whose processes may still be there. */
	private ending = 0;
	private readonly limits: PoolLimits;
	private readonly lanes: LaneBudget;
	/** Who leased last: clients come in rows, and comparing is cheaper than making the key. */
	private last: { readonly caller: Caller; readonly entry: Entry } | null = null;

	constructor(federation: Federation, heartbeat: Heartbeat, limits: PoolLimits) {
		this.federation = federation;
		this.heartbeat = heartbeat;
		this.limits = limits;
		this.lanes = { left: 2 * limits.sets, share: Math.ceil(limits.sets / 2) };
		heartbeat.add(this);
	}

	/**
	 * Lends a set of connections; give it back with `release`. An error: too much is under way. What only listens is no
	 * `call`: it may last for days.
	 */
	lease(caller: Caller, call = true): PoolLease | McpError {
		if (this.last?.caller === caller) return this.lend(this.last.entry, call);
		const key = keyOf(caller);
		let entry = this.entries.get(key);
		if (entry === undefined) {
			if (!call && this.fullOfListeners) return tooManyListeners;
			if (this.entries.size >= this.limits.sets && (this.ending >= this.limits.sets || !this.evict()))
				return tooManySets;
			const connections = new Connections(this.federation, caller, { lanes: this.lanes, resume: null });
			entry = { key, connections, users: 0, calls: 0, idleSince: 0 };
			this.entries.set(key, entry);
		}
		this.last = { caller, entry };
		return this.lend(entry, call);
	}

	/** Whether requests are under way, or streams open. */
	get busy(): boolean {
		for (const { users } of this.entries.values()) if (users > 0) return true;
		return false;
	}

	/** Goes over to what a reload has made of the backend, see `Connections.follow`. */
	async follow(federation: Federation, patience: number): Promise<void> {
		if (federation === this.federation) return;
		this.federation = federation;
		await Promise.all([...this.entries.values()].map(({ connections }) => connections.follow(federation, patience)));
	}

	beat(now: number): void {
		for (const entry of this.entries.values()) {
			if (entry.users === 0 && now - entry.idleSince > idleMs) this.drop(entry);
		}
	}

	async close(): Promise<void> {
		this.heartbeat.remove(this);
		const entries = [...this.entries.values()];
		this.entries.clear();
		this.last = null;
		await Promise.all(entries.map((entry) => entry.connections.close()));
	}

	private lend(entry: Entry, call: boolean): PoolLease | McpError {
		if (call && entry.calls >= this.limits.calls) return tooManyCalls;
		if (!call && !listens(entry) && this.fullOfListeners) return tooManyListeners;
		entry.users++;
		if (call) entry.calls++;
		return new PoolLease(entry, call);
	}

	/** A quarter of the sets is for calls: who listens keeps others from calling for as long as it likes. */
	private get fullOfListeners(): boolean {
		let listening = 0;
		for (const entry of this.entries.values()) if (listens(entry)) listening++;
		return listening >= this.limits.sets - Math.floor(this.limits.sets / 4);
	}

	private evict(): boolean {
		let oldest: Entry | null = null;
		for (const entry of this.entries.values()) {
			if (entry.users === 0 && (oldest === null || entry.idleSince < oldest.idleSince)) oldest = entry;
		}
		if (oldest === null) return false;
		this.drop(oldest);
		return true;
	}

	private drop(entry: Entry): void {
		this.entries.delete(entry.key);
		if (this.last?.entry === entry) this.last = null;
		this.ending++;
		void entry.connections
			.close()
			.catch(this.heartbeat.report)
			.finally(() => this.ending--);
	}
}

function listens({ users, calls }: Entry): boolean {
	return users > calls;
}

const limit = 'config.mcp.limits.maxPooledSessions';
const tooManyCalls = tooMuch('too many calls are under way');
const tooManySets = tooMuch(`too many clients that differ call or listen at once (${limit})`);
const tooManyListeners = tooMuch(`too many clients that differ listen at once (${limit})`);

/** What a server can see of a caller, in a form that is the same for all who look alike. */
function keyOf({ principal, logLevel, handshake, capabilities }: Caller): string {
	return JSON.stringify([principal, logLevel, handshake, canonical(capabilities)]);
}

/** One request's hold on pooled connections. */
export class PoolLease {
	private readonly entry: Entry;
	private readonly call: boolean;
	private held = true;

	constructor(entry: Entry, call: boolean) {
		this.entry = entry;
		this.call = call;
	}

	get connections(): Connections {
		return this.entry.connections;
	}

	release(): void {
		if (!this.held) return;
		this.held = false;
		this.entry.users--;
		if (this.call) this.entry.calls--;
		this.entry.idleSince = performance.now();
	}
}
