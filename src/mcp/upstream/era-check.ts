import { code } from '../errors.ts';
import type { Caller } from '../model.ts';
import type { Connection } from './connection.ts';
import { memberOf, readError } from './message.ts';
import { discoverHeaders, discoverText, readDiscover } from './modern.ts';
import type { Transport, TransportFault } from './transport/transport.ts';

/** A server that refuses much is not asked more often than this. */
const pauseMs = 5000;

/** What a server without handshakes says to who shook hands with the one that was there before. */
const notLegacy: ReadonlySet<number> = new Set([code.unsupportedVersion, code.headerMismatch, code.invalidParams]);
/** What a server with handshakes says to who never shook hands. */
const notModern: ReadonlySet<number> = new Set([-32_000, code.invalidRequest]);

/**
 * Finds out when an HTTP server has been replaced by one of the other era. No connection breaks by that: the new one
 * just refuses every call. As clients can provoke such refusals, too, the server is asked what no server of the
 * connection's era refuses, before anything is made of it.
 */
export class EraCheck {
	private readonly transport: Transport;
	private readonly connection: Connection;
	private readonly caller: Caller;
	private nextAt = 0;

	constructor(transport: Transport, connection: Connection, caller: Caller) {
		this.transport = transport;
		this.connection = connection;
		this.caller = caller;
	}

	/** A call got this error. */
	refused(error: number): void {
		if (this.foreign.has(error)) this.ask();
	}

	/** A call failed in this way. */
	failed(fault: TransportFault): void {
		if (isRefusal(fault)) this.ask();
	}

	private get foreign(): ReadonlySet<number> {
		return this.connection.dialect.handshake ? notLegacy : notModern;
	}

	private ask(): void {
		const now = performance.now();
		if (now < this.nextAt) return;
		this.nextAt = now + pauseMs;
		const { connection, caller } = this;
		const { handshake, postHeaders } = connection.dialect;
		const id = connection.takeId();
		const message = handshake ? Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`) : discoverText(id, caller);
		const headers = handshake ? postHeaders : discoverHeaders;
		this.transport.request(
			{ id, message, headers },
			{
				message: (scanned) => {
					const error = memberOf(scanned.members, 'error');
					if (error !== null && this.foreign.has(readError(scanned, error, '').code)) this.replaced();
					else if (!handshake && typeof readDiscover(scanned) === 'string' && error === null) this.replaced();
				},
				failed: (fault) => {
					if (isRefusal(fault)) this.replaced();
				},
			},
		);
	}

	private replaced(): void {
		const reason = 'it has been replaced by a server of another MCP version';
		this.connection.fail({ reason, remedy: '', exitCode: null, signal: null, stderr: [] });
	}
}

function isRefusal(fault: TransportFault): boolean {
	return fault.kind === 'http' && fault.status === 400;
}
