import { connect } from 'node:net';
import { Pool } from 'undici';
import { busyError, CallPool, maximumWaiting } from './call-pool.ts';
import type { HttpRequest, ReplyHandler } from './http-request.ts';
import { PacedReply } from './paced-reply.ts';
import { PostGate } from './post-gate.ts';

const connectTimeoutMs = 10_000;
/** Calls to one server beyond this wait for a connection. */
const maximumCalls = 512;
/** An idle connection is probed after so long; ten probes, one a second, without answer end it (libuv). */
const keepAliveMs = 15_000;
/** A server is not looked at more often than this. */
const lookMs = 15_000;

/** A look takes twice as long at most. */
const dialMs = 8000;

/** Whether the host of a server still answers; calls `dead` if not. */
export type Dial = (origin: URL, dead: () => void) => void;

/**
 * Connections to one server, shared by all who talk to it. Streams that last have a pool of their own: they would hold
 * the calls' connections until none is left.
 */
export class HttpPool {
	calls: CallPool | Pool;
	streams: Pool;
	readonly posts = new PostGate();
	private readonly origin: URL;
	private readonly dial: Dial;
	private readonly onFault: (fault: unknown) => void;
	private lookedAt = Number.NEGATIVE_INFINITY;
	private closed = false;

	/** `onFault`: a bug showed while a reply was handled. */
	constructor(origin: string, onFault: (fault: unknown) => void = () => {}, dial: Dial = dialHost) {
		this.origin = new URL(origin);
		this.onFault = onFault;
		this.dial = dial;
		this.calls = this.openCalls();
		this.streams = this.open(null);
	}

	send(path: string, request: HttpRequest, handler: ReplyHandler): void {
		const pool = request.lasting ? this.streams : this.calls;
		if (pool instanceof CallPool) return pool.send(path, request, handler);
		const { method, headers, body } = request;
		if (!request.lasting && (pool.stats.queued ?? 0) >= maximumWaiting) return refuseLater(handler);
		pool.dispatch({ method, path, headers: headers as string[], body }, new PacedReply(handler));
	}

	/**
	 * A call has waited for long. What was sent into a broken line is sent again and again by the system for a quarter of
	 * an hour before anybody hears of it: when the host does not take a connection either, those that stand are dead.
	 */
	suspect(): void {
		const now = performance.now();
		if (now - this.lookedAt < lookMs || this.closed) return;
		this.lookedAt = now;
		this.dial(this.origin, () => void this.renew());
	}

	async destroy(): Promise<void> {
		this.closed = true;
		await Promise.all([this.calls.destroy(), this.streams.destroy()]);
	}

	/** All connections end, with the calls over them. */
	private async renew(): Promise<void> {
		if (this.closed) return;
		const dead = [this.calls, this.streams];
		this.calls = this.openCalls();
		this.streams = this.open(null);
		const error = Object.assign(new Error('the host does not answer any more'), { code: 'UND_ERR_SOCKET' });
		await Promise.all(dead.map((pool) => pool.destroy(error)));
	}

	private openCalls(): CallPool | Pool {
		const { protocol, origin } = this.origin;
		return protocol === 'http:' ? new CallPool(origin, this.onFault) : this.open(maximumCalls);
	}

	private open(connections: number | null): Pool {
		return new Pool(this.origin.origin, {
			pipelining: 1,
			connect: { timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
			// Calls may take as long as they like; whoever waits decides when to stop.
			headersTimeout: 0,
			bodyTimeout: 0,
			keepAliveTimeout: 60_000,
			connections,
		});
	}
}

function refuseLater(handler: ReplyHandler): void {
	// Whoever sends something has to have it in hand before it hears of the end.
	setImmediate(() => handler.onResponseError?.({ abort() {} }, busyError()));
}

const unreachable: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);

/** A connection that is refused says that the host is there; a server that stops takes none, but ends what it has begun. */
function dialHost(origin: URL, dead: () => void, again = true): void {
	const port = Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80);
	const socket = connect({ host: origin.hostname.replace(/^\[|\]$/g, ''), port, timeout: dialMs });
	socket.on('connect', () => socket.destroy());
	socket.on('timeout', () => {
		socket.destroy();
		// A server with a long queue drops one now and then.
		if (again) dialHost(origin, dead, false);
		else dead();
	});
	socket.on('error', (error: NodeJS.ErrnoException) => {
		if (unreachable.has(error.code ?? '')) dead();
	});
}
