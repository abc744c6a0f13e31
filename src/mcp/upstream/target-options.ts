import type { Transport } from './transport/transport.ts';

/** How to reach one server. */
export interface TargetOptions {
	readonly name: string;
	/** Whether the transport is HTTP: decides how eras are probed. */
	readonly overHttp: boolean;
	/** Opens a fresh transport; may be called again when a server exits on the probe. */
	openTransport(): Transport;
}
