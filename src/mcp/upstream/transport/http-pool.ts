import { Pool } from 'undici';

const connectTimeoutMs = 10_000;
/** Calls to one server beyond this wait for a connection. */
const maximumCalls = 512;

/**
 * Connections to one server, shared by all who talk to it. Streams that last have a pool of their own: they would hold
 * the calls' connections until none is left.
 */
export class HttpPool {
	readonly calls: Pool;
	readonly streams: Pool;

	constructor(origin: string) {
		const options = {
			pipelining: 1,
			connect: { timeout: connectTimeoutMs },
			// Calls may take as long as they like; whoever waits decides when to stop.
			headersTimeout: 0,
			bodyTimeout: 0,
			keepAliveTimeout: 60_000,
		};
		this.calls = new Pool(origin, { ...options, connections: maximumCalls });
		this.streams = new Pool(origin, options);
	}

	async destroy(): Promise<void> {
		await Promise.all([this.calls.destroy(), this.streams.destroy()]);
	}
}
