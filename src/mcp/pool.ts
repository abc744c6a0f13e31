import type { Beating, Heartbeat } from '../lib/heartbeat.ts';
import { Connections, type Federation } from './connections.ts';
import type { LaneBudget } from './lanes.ts';
import type { Caller } from './model.ts';

/** Connections that wait for their next request longer than this are ended. */
const idleMs = 60_000;
/** More sets of connections are not opened for sessionless clients: each may mean a child process per target. */
const maximumEntries = 32;

/** Further connections for calls that want one for themselves, over all entries. */
const maximumFurther = 64;

interface Entry {
	readonly key: string;
	readonly connections: Connections;
	users: number;
	idleSince: number;
}

/**
 * Connections for clients without sessions, shared by all who look the same to a server: same principal, same
 * capabilities, same log level. The cap keeps a client from making the gateway start processes at will.
 */
export class Pool implements Beating {
	slot = -1;
	private readonly federation: Federation;
	private readonly heartbeat: Heartbeat;
	private readonly entries = new Map<string, Entry>();
	private readonly lanes: LaneBudget = { left: maximumFurther };
	/** Who leased last: clients come in rows, and comparing is cheaper than making the key. */
	private last: { readonly caller: Caller; readonly entry: Entry } | null = null;

	constructor(federation: Federation, heartbeat: Heartbeat) {
		this.federation = federation;
		this.heartbeat = heartbeat;
		heartbeat.add(this);
	}

	/** Lends a set of connections; give it back with `release`. null: the pool is full of busy ones. */
	lease(caller: Caller): PoolLease | null {
		if (this.last?.caller === caller) return this.lend(this.last.entry);
		const key = keyOf(caller);
		let entry = this.entries.get(key);
		if (entry === undefined) {
			if (this.entries.size >= maximumEntries && !this.evict()) return null;
			const connections = new Connections(this.federation, caller, { lanes: this.lanes, resume: null });
			entry = { key, connections, users: 0, idleSince: 0 };
			this.entries.set(key, entry);
		}
		this.last = { caller, entry };
		return this.lend(entry);
	}

	get size(): number {
		return this.entries.size;
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

	private lend(entry: Entry): PoolLease {
		entry.users++;
		return new PoolLease(entry);
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
		void entry.connections.close();
	}
}

/** What a server can see of a caller, in a form that is the same for all who look alike. */
function keyOf({ principal, logLevel, handshake, capabilities }: Caller): string {
	return JSON.stringify([principal, logLevel, handshake, inOrder(JSON.parse(capabilities.toString()))]);
}

function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder);
	if (typeof value !== 'object' || value === null) return value;
	return Object.entries(value)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, inner]) => [key, inOrder(inner)]);
}

/** One request's hold on pooled connections. */
export class PoolLease {
	private readonly entry: Entry;
	private held = true;

	constructor(entry: Entry) {
		this.entry = entry;
	}

	get connections(): Connections {
		return this.entry.connections;
	}

	release(): void {
		if (!this.held) return;
		this.held = false;
		this.entry.users--;
		this.entry.idleSince = performance.now();
	}
}
