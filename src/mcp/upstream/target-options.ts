import type { Transport } from './transport/transport.ts';

/** How to reach one server. */
export interface TargetOptions {
	readonly name: string;
	/** Whether the transport is HTTP: decides how eras are probed. */
	readonly overHttp: boolean;
	/** Whether only the handshake is known over this transport, so that nobody asks for the other way. */
	readonly handshakeOnly: boolean;
	/** Opens a fresh transport; may be called again when a server exits on the probe. */
	openTransport(): Transport;
}
