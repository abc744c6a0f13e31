import { NewSdkPeer } from './new-sdk-peer.ts';
import { OldSdkPeer } from './old-sdk-peer.ts';
import type { Peer, PeerOptions } from './peer.ts';
import type { ClientKind, Era } from './requirement.ts';
import { WirePeer } from './wire-peer.ts';

/** The clients of the matrix: what they speak, and how they open. */
export const clients: Readonly<Record<ClientKind, { era: Era; open(options: PeerOptions): Promise<Peer> }>> = {
	'SDK 1.32': { era: 'old', open: (options) => OldSdkPeer.open('HTTP', options) },
	'SDK 1.32 over /sse': { era: 'old', open: (options) => OldSdkPeer.open('SSE', options) },
	'SDK 1.32 over stdio': { era: 'old', open: (options) => OldSdkPeer.open('stdio', options) },
	'SDK 2.4 old': { era: 'old', open: (options) => NewSdkPeer.open('legacy', 'HTTP', options) },
	'raw old': { era: 'old', open: (options) => WirePeer.open('legacy', options) },
	'SDK 2.4 new': { era: 'new', open: (options) => NewSdkPeer.open('modern', 'HTTP', options) },
	'SDK 2.4 new over stdio': { era: 'new', open: (options) => NewSdkPeer.open('modern', 'stdio', options) },
	'raw new': { era: 'new', open: (options) => WirePeer.open('modern', options) },
};

/** All that a client can declare. */
export const everyCapability = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
