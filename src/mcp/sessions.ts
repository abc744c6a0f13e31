import { randomBytes } from 'node:crypto';
import type { Beating, Heartbeat } from '../lib/heartbeat.ts';
import { Connections, type Federation } from './connections.ts';
import type { Caller } from './model.ts';
import { Session } from './session.ts';

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
		const connections = new Connections(this.federation, caller, { lanes: null, resume: null });
		const session = new Session(protocolVersion, caller, connections);
		session.id = randomBytes(24).toString('base64url');
		this.sessions.set(session.id, session);
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
