import { clients, everyCapability } from '../matrix/clients.ts';
import type { Peer } from '../matrix/peer.ts';

/** The clients that meet real servers, by what they are called in test names. */
export const realClients = ['SDK 1.32', 'SDK 2.4 old', 'SDK 2.4 new'] as const;

export type RealClient = (typeof realClients)[number];

/** Opens a client that can be asked everything. */
export function openClient(kind: RealClient, url: string): Promise<Peer> {
	return clients[kind].open({ url: `${url}/mcp`, capabilities: everyCapability });
}
