import { randomBytes } from 'node:crypto';
import { Dictionary } from '../lib/dictionary.ts';
import type { Beating, Heartbeat } from '../lib/heartbeat.ts';
import { Connections, type Federation, type Listener } from './connections.ts';
import type { Caller, Notice } from './model.ts';

/** A client's session: its connections, its open calls, its stream for what belongs to no call. */
export class Session implements Listener {
	readonly id: string;
	readonly protocolVersion: string;
	readonly connections: Connections;
	/** Open calls by the client's request id (JSON text), for `notifications/cancelled`. */
	readonly calls = new Dictionary<{ cancel(reason?: string): void }>();
	lastUsed = performance.now();
	private stream: SessionStream | null = null;
	private readonly missed: Notice[] = [];

	constructor(id: string, protocolVersion: string, connections: Connections) {
		this.id = id;
		this.protocolVersion = protocolVersion;
		this.connections = connections;
		connections.listen(this);
	}

	/** Notifications go to the stream that was opened last; without one, the newest hundred wait for it. */
	note(notice: Notice): void {
		if (this.stream !== null) return this.stream.send(notice);
		const repeated = notice.params === null && this.missed.some((other) => other.method === notice.method);
		if (repeated) return;
		if (this.missed.length >= maximumMissed) this.missed.shift();
		this.missed.push(notice);
	}

	attach(stream: SessionStream): void {
		this.stream?.end();
		this.stream = stream;
		for (const notice of this.missed.splice(0)) stream.send(notice);
	}

	detach(stream: SessionStream): void {
		if (this.stream === stream) this.stream = null;
	}

	/** Whether a call or a stream is open; a session in use does not grow old. */
	get busy(): boolean {
		return this.stream !== null || this.calls.size > 0;
	}

	endStream(): void {
		this.stream?.end();
		this.stream = null;
	}

	async close(): Promise<void> {
		this.endStream();
		for (const call of this.calls.all()) call.cancel('the session has ended');
		await this.connections.close();
	}
}

const maximumMissed = 100;

/** The stream of a GET request. */
export interface SessionStream {
	send(notice: Notice): void;
	end(): void;
}

/** More sessions at once are refused with 503. */
const maximumSessions = 10_000;

/** The sessions of one MCP backend. Idle ones end after `ttl` milliseconds, with everything they hold. */
export class Sessions implements Beating {
	slot = -1;
	private readonly federation: Federation;
	private readonly heartbeat: Heartbeat;
	private readonly ttl: number;
	private readonly sessions = new Map<string, Session>();
	private readonly ending = new Set<Promise<void>>();

	constructor(federation: Federation, ttl: number, heartbeat: Heartbeat) {
		this.federation = federation;
		this.ttl = ttl;
		this.heartbeat = heartbeat;
		heartbeat.add(this);
	}

	get size(): number {
		return this.sessions.size;
	}

	/** Opens a session; null when there are too many. */
	open(caller: Caller, protocolVersion: string): Session | null {
		if (this.sessions.size >= maximumSessions) return null;
		const id = randomBytes(24).toString('base64url');
		const session = new Session(id, protocolVersion, new Connections(this.federation, caller));
		this.sessions.set(id, session);
		return session;
	}

	/** The session with this id, marked as used now. */
	find(id: string): Session | undefined {
		const session = this.sessions.get(id);
		if (session !== undefined) session.lastUsed = performance.now();
		return session;
	}

	/** Ends a session and, in the background, what it holds. False: there is none. */
	end(id: string): boolean {
		const session = this.sessions.get(id);
		if (session === undefined) return false;
		this.sessions.delete(id);
		const ending = session.close().finally(() => this.ending.delete(ending));
		this.ending.add(ending);
		return true;
	}

	beat(now: number): void {
		for (const session of this.sessions.values()) {
			if (session.busy) session.lastUsed = now;
			else if (now - session.lastUsed > this.ttl) this.end(session.id);
		}
	}

	/** Ends the GET streams; the sessions stay. */
	endStreams(): void {
		for (const session of this.sessions.values()) session.endStream();
	}

	async close(): Promise<void> {
		this.heartbeat.remove(this);
		for (const id of [...this.sessions.keys()]) this.end(id);
		await Promise.all(this.ending);
	}
}
