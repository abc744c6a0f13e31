import type { Seal } from '../../lib/seal.ts';
import type { Target } from '../model.ts';
import { type OpenedSessionId, openSessionId, sessionKey } from './session-id.ts';

/** Why an id stands for no session: it is no id at all, or one of no session that is served here. */
export type NoSession = 'malformed' | 'unknown';

/** As what a backend seals the ids of its sessions, and as what it knows them again. */
export interface SessionIdentity {
	/** Names the backend on its route: what was opened there is served only there. */
	readonly scope: string;
	/** Random name of this start of the gateway. */
	readonly holder: string;
	readonly seal: Seal;
	/** Whether the key outlasts this start, so that somebody may go on with sessions when it ends. */
	readonly lasting: boolean;
}

/** What may have been the id of a session once, somewhere. */
const likelyId = /^[\w+/=.:-]{16,4096}$/;

/** Ids are good for a day at least, however short the time is after which an idle session ends. */
const leastAgeMs = 24 * 3_600_000;
/** More ended sessions of others are not remembered. */
const maximumBuried = 10_000;

/** Which sessions that another start of the gateway (or another one with the same key) has opened may go on here. */
export class Revival {
	private readonly identity: SessionIdentity;
	private targets: readonly Target[];
	private scope: string;
	private readonly maximumAge: number;
	/** Sessions of others that ended here, and until when their ids would be good, in milliseconds since 1970. */
	private readonly buried = new Map<string, number>();

	/** `ttl`: milliseconds without use after which a session ends. */
	constructor(identity: SessionIdentity, targets: readonly Target[], ttl: number) {
		this.identity = identity;
		this.targets = targets;
		this.scope = identity.scope;
		this.maximumAge = Math.max(ttl, leastAgeMs);
	}

	/** A reload has changed the targets; what has ended stays ended. */
	follow(targets: readonly Target[], scope: string): void {
		this.targets = targets;
		this.scope = scope;
	}

	/** What the id of a session says that is not open here, when the session may be opened again. */
	check(id: string, principal: string): OpenedSessionId | NoSession {
		const { holder, seal } = this.identity;
		const opened = openSessionId(id, seal);
		// Ids of other gateways, or of an earlier version, are as good as unknown: their clients must begin anew.
		if (opened === 'malformed') return likelyId.test(id) ? 'unknown' : 'malformed';
		// From here on there is one answer for all, which tells nobody whether he had guessed well.
		if (opened === 'forged' || opened.backend !== this.scope || opened.principal !== principal) return 'unknown';
		// What was opened here and is not here any more has ended.
		if (opened.holder === holder || !opened.resumable || opened.holdsLocal) return 'unknown';
		if (Date.now() > opened.issuedAt + this.maximumAge || this.buried.has(sessionKey(id))) return 'unknown';
		return this.sameTargets(opened) ? opened : 'unknown';
	}

	/** Remembers that a session of another has ended, for as long as its id would be good. */
	bury(id: string): void {
		const opened = openSessionId(id, this.identity.seal);
		if (typeof opened === 'string' || opened.holder === this.identity.holder) return;
		if (this.buried.size >= maximumBuried) this.makeRoom();
		this.buried.set(sessionKey(id), opened.issuedAt + this.maximumAge);
	}

	private makeRoom(): void {
		const now = Date.now();
		for (const [key, until] of this.buried) if (until < now) this.buried.delete(key);
		const [oldest] = this.buried.keys();
		if (this.buried.size >= maximumBuried && oldest !== undefined) this.buried.delete(oldest);
	}

	/** What a client knows of a session, names above all, holds only for the targets that the session began with. */
	private sameTargets({ upstreamSessions }: OpenedSessionId): boolean {
		if (upstreamSessions.length !== this.targets.length) return false;
		return this.targets.every(
			({ name, local }) => !local && upstreamSessions.some((session) => session.target === name),
		);
	}
}
