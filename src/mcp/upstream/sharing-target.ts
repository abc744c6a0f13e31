import { canonical } from '../canonical.ts';
import type { Circuit } from '../health/circuit.ts';
import type { Caller, ServerFacts, Target, Upstream, UpstreamEvents } from '../model.ts';
import { isGateway } from '../own-call.ts';
import { Share } from './share.ts';
import { SharedUpstream } from './shared-upstream.ts';

/** Who may share one connection to a server with a handshake. */
export type Sharing = 'session' | 'principal' | 'all';

export interface SharingOptions {
	/** What opens connections. */
	readonly target: Target;
	readonly sharing: Sharing;
	readonly idleTimeout: number | null;
	/** A connection stands, or stands again. */
	ready(server: ServerFacts): void;
}

/**
 * Lets several users share one connection where they look the same to the server: the handshake tells it what its
 * client can do, so only those share who can do the same. Servers without a handshake are told so with each call, and
 * are shared by all who are served in that way. What the gateway opens for its own look is nobody else's, so that it ends
 * with the look: others may be waiting for its place.
 */
export class SharingTarget implements Target {
	readonly name: string;
	readonly circuit: Circuit;
	private readonly options: SharingOptions;
	private readonly connections = new Map<string, SharedUpstream>();
	/** Whether callers, with a handshake of their own or without, found the server to need none. */
	private readonly stateless = new Set<boolean>();

	constructor(options: SharingOptions) {
		this.options = options;
		this.name = options.target.name;
		this.circuit = options.target.circuit;
	}

	get local(): boolean {
		return this.options.target.local;
	}

	open(caller: Caller, events: UpstreamEvents): Upstream {
		const share = new Share(caller, events);
		this.place(share);
		return share;
	}

	private place(share: Share): void {
		const key = this.keyOf(share.caller);
		const there = key === null ? undefined : this.connections.get(key);
		if (there !== undefined) return there.join(share);
		const { target, idleTimeout } = this.options;
		const { caller } = share;
		const joinable = key !== null && !isGateway(caller);
		const made = new SharedUpstream(
			{
				...{ target, caller, idleTimeout },
				ready: (shared, server) => this.ready(shared, server),
				again: (server) => this.options.ready(server),
				over: (shared) => this.forget(shared),
			},
			joinable,
		);
		if (joinable) this.connections.set(key, made);
		made.join(share);
		made.begin();
	}

	private keyOf({ handshake, principal, capabilities }: Caller): string | null {
		if (this.stateless.has(handshake)) return stateless;
		switch (this.options.sharing) {
			case 'session':
				return null;
			case 'principal':
				return JSON.stringify([principal, handshake, canonical(capabilities)]);
			case 'all':
				return JSON.stringify([handshake, canonical(capabilities)]);
		}
	}

	/** Now it is known whether the server needs a handshake, and so whether this is the right connection for its users. */
	private ready(shared: SharedUpstream, server: ServerFacts): void {
		this.options.ready(server);
		const common = this.connections.get(stateless);
		if (server.handshake) {
			for (const { caller } of shared.shares) this.stateless.delete(caller.handshake);
			if (common !== shared) return;
			// It was taken for another kind of server; whoever came first may keep it.
			this.connections.delete(stateless);
			const [, ...others] = shared.shares;
			for (const share of others) this.move(share, shared, null);
			shared.open = false;
			return;
		}
		for (const { caller } of shared.shares) this.stateless.add(caller.handshake);
		if (common === shared) return;
		if (common === undefined && isGateway(shared.caller)) return;
		if (common === undefined) {
			this.forget(shared);
			this.connections.set(stateless, shared);
			shared.open = true;
			return;
		}
		for (const share of [...shared.shares]) this.move(share, shared, common);
	}

	private move(share: Share, from: SharedUpstream, to: SharedUpstream | null): void {
		if (to === null) this.place(share);
		else to.join(share);
		void from.leave(share);
	}

	private forget(shared: SharedUpstream): void {
		for (const [key, one] of this.connections) if (one === shared) this.connections.delete(key);
	}
}

/** Key of the connection that all share. */
const stateless = 'stateless';
