import { setImmediate as immediately } from 'node:timers/promises';
import type { Heartbeat } from '../../lib/heartbeat.ts';
import { inSlices } from '../../lib/in-slices.ts';
import { Connections, type Federation } from '../connections/connections.ts';
import { interactive } from '../asks/interactive.ts';
import type { Caller, Resumption } from '../model.ts';
import { Session, type SessionKeeper } from './session.ts';
import { type OpenedSessionId, sealSessionId, sessionKey, type UpstreamSession } from './session-id.ts';
import { type NoSession, Revival, type SessionIdentity } from './session-revival.ts';

export interface SessionsOptions {
	readonly federation: Federation;
	readonly heartbeat: Heartbeat;
	readonly identity: SessionIdentity;
	/** Milliseconds without use after which a session ends. */
	readonly ttl: number;
	/** Milliseconds that a session with child processes outlives the streams of its client. */
	readonly vanished: number;
	/** More sessions at once are refused. */
	readonly maximum: number;
}

/** The sessions of one MCP backend. Idle ones end after `ttl` milliseconds, with everything they hold. */
export class Sessions implements SessionKeeper {
	private readonly options: SessionsOptions;
	private readonly revival: Revival;
	private federation: Federation;
	private scope: string;
	/** By the key of their id, see `sessionKey`. */
	private readonly sessions = new Map<string, Session>();
	/** Sessions that have no id, yet or at all. */
	private readonly nameless = new Set<Session>();
	private readonly ending = new Set<Promise<void>>();

	constructor(options: SessionsOptions) {
		this.options = options;
		this.federation = options.federation;
		this.scope = options.identity.scope;
		this.revival = new Revival(options.identity, options.federation.targets, options.ttl);
	}

	get size(): number {
		return this.sessions.size + this.nameless.size;
	}

	/**
	 * Opens a session; null when there are too many. It has no id until `admit` gives it one, and until then whoever
	 * opened it ends it: it does not grow old.
	 */
	open(caller: Caller, protocolVersion: string): Session | null {
		const session = this.begin(caller, protocolVersion, null);
		if (session !== null) this.nameless.add(session);
		return session;
	}

	/**
	 * Gives a session its id, by which `find` finds it from now on. The id tells of the sessions at servers, so this is
	 * best done once they are open. False: the session has ended.
	 */
	admit(session: Session): boolean {
		if (!this.nameless.delete(session)) return false;
		const { holder, seal } = this.options.identity;
		const { caller, protocolVersion } = session;
		const { legs } = session.connections.upstreams;
		const holdsLocal = legs.some(({ target }) => target.local);
		const sealed = sealSessionId(
			{
				...{ backend: this.scope, holder, protocolVersion, holdsLocal, issuedAt: Date.now() },
				principal: caller.principal,
				clientInfo: caller.clientInfo,
				capabilities: caller.capabilities,
				logLevel: caller.logLevel,
				upstreamSessions: upstreamSessions(session),
			},
			seal,
		);
		session.id = sealed.id;
		session.resumable = sealed.resumable && !holdsLocal;
		this.keep(session);
		return true;
	}

	/**
	 * The session with this id, marked as used now. One that another start of the gateway has opened is taken up again,
	 * when its servers keep what belongs to it. `full`: it could be, but there are too many sessions.
	 */
	find(id: string, principal: string): Session | NoSession | 'full' {
		const session = this.sessions.get(sessionKey(id));
		if (session === undefined || session.id !== id) return this.revive(id, principal);
		if (session.caller.principal !== principal) return 'unknown';
		session.lastUsed = performance.now();
		return session;
	}

	/** Ends a session and, in the background, what it holds. False: it has ended before. */
	end(session: Session): boolean {
		if (!this.forget(session)) return false;
		if (session.id !== '') this.revival.bury(session.id);
		this.shut(session, false);
		return true;
	}

	/** Each is looked at by itself: thousands that end in the same second would hold up the loop. */
	look(session: Session, now: number): void {
		if (session.busy) session.lastUsed = now;
		else if (now - session.lastUsed > this.options.ttl || this.vanished(session, now)) this.end(session);
	}

	/** Whether any client waits for a call. */
	get busy(): boolean {
		for (const { calls } of [...this.sessions.values(), ...this.nameless]) if (calls.size > 0) return true;
		return false;
	}

	/**
	 * Goes over to what a reload has made of the backend, see `Connections.follow`; `scope` is its name in ids from now
	 * on. Sessions go one batch after another: with ten thousand of them the loop would stand still.
	 */
	async follow(federation: Federation, scope: string, patience: number): Promise<void> {
		this.scope = scope;
		this.revival.follow(federation.targets, scope);
		if (federation === this.federation) return;
		this.federation = federation;
		const following: Promise<void>[] = [];
		for (const session of [...this.sessions.values(), ...this.nameless]) {
			// A later reload overtakes this one.
			if (this.federation !== federation) break;
			following.push(session.connections.follow(federation, patience));
			if (following.length % batch === 0) await immediately();
		}
		await Promise.all(following);
	}

	/** Clients that never had a stream cannot be seen to go: their sessions last for the whole time. */
	private vanished({ leftAt, lastUsed, holdsProcesses }: Session, now: number): boolean {
		return leftAt !== null && now - Math.max(leftAt, lastUsed) > this.options.vanished && holdsProcesses;
	}

	/** Ends the GET streams; the sessions stay. */
	async endStreams(): Promise<void> {
		await inSlices([...this.sessions.values(), ...this.nameless], (session) => session.endStream());
	}

	/** Ends all sessions here. What servers keep of those that somebody may go on with stays. */
	async close(): Promise<void> {
		const { lasting } = this.options.identity;
		await inSlices([...this.sessions.values(), ...this.nameless], (session) => {
			if (this.forget(session)) this.shut(session, lasting && session.resumable);
		});
		await Promise.all(this.ending);
	}

	private begin(
		caller: Caller,
		protocolVersion: string,
		resume: ReadonlyMap<string, Resumption> | null,
	): Session | null {
		const { maximum } = this.options;
		// What ends still holds its processes: opening and ending in a row must not start them without end.
		if (this.size >= maximum || this.ending.size >= maximum) return null;
		const connections = new Connections(this.federation, caller, { lanes: null, resume });
		return new Session(protocolVersion, caller, connections);
	}

	/** Whoever asks for the session next finds it open. */
	private revive(id: string, principal: string): Session | NoSession | 'full' {
		const opened = this.revival.check(id, principal);
		if (typeof opened === 'string') return opened;
		const session = this.begin(callerOf(opened), opened.protocolVersion, resumptions(opened));
		if (session === null) return 'full';
		session.id = id;
		session.resumable = true;
		this.keep(session);
		return session;
	}

	private keep(session: Session): void {
		this.sessions.set(sessionKey(session.id), session);
		session.keeper = this;
		this.options.heartbeat.add(session);
	}

	private forget(session: Session): boolean {
		const key = sessionKey(session.id);
		if (this.sessions.get(key) !== session) return this.nameless.delete(session);
		this.options.heartbeat.remove(session);
		return this.sessions.delete(key);
	}

	private shut(session: Session, keepUpstream: boolean): void {
		const ending = session
			.close(keepUpstream)
			.catch(this.options.heartbeat.report)
			.finally(() => this.ending.delete(ending));
		this.ending.add(ending);
	}
}

/** Sessions that go over to another configuration at once. */
const batch = 50;

/** What the id says of the targets: all of them by name, with their session where they gave one. */
function upstreamSessions({ connections: { upstreams } }: Session): UpstreamSession[] {
	const known = upstreams.resumptions();
	return upstreams.legs.map(({ target, server }) => {
		const { sessionId = null, protocolVersion = server?.protocolVersion ?? '' } = known.get(target.name) ?? {};
		return { target: target.name, sessionId, protocolVersion };
	});
}

function resumptions({ upstreamSessions }: OpenedSessionId): ReadonlyMap<string, Resumption> {
	const resume = new Map<string, Resumption>();
	for (const { target, sessionId, protocolVersion } of upstreamSessions) {
		if (sessionId !== null) resume.set(target, { sessionId, protocolVersion });
	}
	return resume;
}

function callerOf({ principal, clientInfo, capabilities, logLevel }: OpenedSessionId): Caller {
	const handshake = true;
	return { principal, clientInfo, capabilities, logLevel, handshake, interactive: interactive(capabilities) };
}
