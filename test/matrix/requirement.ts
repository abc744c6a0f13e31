import type { Peer } from './peer.ts';
import type { WirePeer } from './wire-peer.ts';

/** The era a client speaks: sessions, up to 2025-11-25, or none, 2026-07-28. */
export type Era = 'old' | 'new';
/** What a server speaks. */
export type Upstream = Era | 'both';
export type Transport = 'stdio' | 'HTTP' | 'SSE';
export type ClientKind =
	| 'SDK 1.32'
	| 'SDK 1.32 over /sse'
	| 'SDK 1.32 over stdio'
	| 'SDK 2.4 new over stdio'
	| 'SDK 2.4 old'
	| 'SDK 2.4 new'
	| 'raw old'
	| 'raw new';

/** One way through the gateway. */
export interface Combo {
	readonly client: Era;
	readonly upstream: Upstream;
	readonly transport: Transport;
}

/** Why a cell is no plain yes: the thing does not exist there, or it comes with a loss. */
export type Limit = { readonly none: string } | { readonly loss: string };

/** What a requirement runs with. */
export interface Context {
	readonly combo: Combo;
	/** The era in which the gateway speaks to the server. */
	readonly spoken: Era;
	/** Shared by all requirements of the combination; declares everything a client can declare. */
	readonly peer: Peer;
	/** Address of the gateway. */
	readonly url: string;
	/** The same client as `peer` where it writes its own bytes; throws for SDKs. */
	wire(): WirePeer;
	/** Opens another client of the same kind, which is closed afterwards. */
	connect(capabilities: Record<string, unknown>): Promise<Peer>;
	/** Keys of the calls that the server saw cancelled. */
	cancelled(): readonly string[];
}

/** One behaviour that is required, whoever talks to whom over what. */
export interface Requirement {
	readonly id: string;
	readonly title: string;
	/** Where the specification says so: page and revision. */
	readonly section: string;
	/** Clients that can show it; default all. */
	readonly shownBy?: 'raw';
	/** Default: it is there in full. */
	limit?(combo: Combo): Limit | undefined;
	run(context: Context): Promise<void>;
}

/** Requirements that belong together. */
export interface Topic {
	readonly title: string;
	readonly requirements: readonly Requirement[];
}

/** The era in which the gateway speaks to the server: each client's own where the server knows it. */
export function spokenTo({ client, upstream }: Combo): Era {
	return upstream === 'both' ? client : upstream;
}

/** A limit for clients of one era. */
export function onlyOld(reason: string): NonNullable<Requirement['limit']> {
	return ({ client }) => (client === 'new' ? { none: reason } : undefined);
}

/** A limit for clients of one era. */
export function onlyNew(reason: string): NonNullable<Requirement['limit']> {
	return ({ client }) => (client === 'old' ? { none: reason } : undefined);
}

/** All ways that exist: servers behind HTTP+SSE only speak the old era. */
export const servers: readonly { readonly transport: Transport; readonly upstream: Upstream }[] = [
	...(['stdio', 'HTTP'] as const).flatMap((transport) =>
		(['old', 'new', 'both'] as const).map((upstream) => ({ transport, upstream })),
	),
	{ transport: 'SSE', upstream: 'old' },
];

/** Whether a client of this kind shows the requirement in this combination. */
export function runs({ limit, shownBy }: Requirement, client: ClientKind, combo: Combo): boolean {
	if (shownBy === 'raw' && !client.startsWith('raw')) return false;
	// These clients start a gateway each, and HTTP servers start no process for it.
	if (client.endsWith('over stdio') && combo.transport !== 'HTTP') return false;
	const found = limit?.(combo);
	return found === undefined || 'loss' in found;
}
