import type { Scanned } from '../../lib/json-scan.ts';
import type { Ask, Caller, Failure, Notice, Resumption, ServerFacts, Ticket } from '../model.ts';
import { code, mcpError } from '../errors.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import { failureOf } from './failure-of.ts';
import type { Dialect } from './dialect.ts';
import { OutsideCalls, type UnheardOwner } from './outside-calls.ts';
import type { LostCalls } from './lost-calls.ts';
import type { Vitals } from './vitals.ts';
import { EraCheck } from './era-check.ts';
import type { EraMemory } from './era-memory.ts';
import { initializedText, initializeHeaders, initializeText, legacyDialect } from './legacy.ts';
import { ListenStreams } from './listen.ts';
import { memberOf } from './message.ts';
import {
	discoverHeaders,
	discoverText,
	modernDialect,
	modernVersion,
	readDiscover,
	versionsInstead,
} from './modern.ts';
import type { TargetOptions } from './target-options.ts';
import { notInTime, startLimit, withPrinted } from './unstarted.ts';
import { notPostable, readHandshake, refusal, refusesGreeting, saysNo } from './verdict.ts';
import { otherWay, type Way } from './way.ts';
import { endsTransport, type Receiver, type Transport, type TransportFault } from './transport/transport.ts';

/** What a negotiation reports: `ready` or `failed` first; `failed` may follow `ready`. */
export interface NegotiationEvents extends LostCalls {
	ready(connection: Connection): void;
	failed(failure: Failure): void;
	note(notice: Notice): void;
	ask(ask: Ask): void;
	/** The server has forgotten the session, as its stream shows; no call was lost by that. */
	sessionForgotten(): void;
}

/** A server that does not know what it is asked may stay silent; then it is asked in the other way, too. */
const silenceMs = 2500;
/** Over HTTP a slow start is likelier than a server that drops what it does not know; but those exist, too. */
const httpSilenceMs = 5000;

/**
 * Finds out how a server wants to be spoken to (MCP 2026-07-28, "Versioning"). The way that is the client's own goes
 * first, so that as little as possible has to be translated; whatever answers otherwise, exits, or over stdio stays
 * silent, is greeted in the other way. Credentials refused, 5xx, broken connections and silence over HTTP say nothing
 * about eras and end the attempt.
 */
export class Negotiation implements ConnectionEvents, UnheardOwner {
	private readonly options: TargetOptions;
	private readonly memory: EraMemory;
	private readonly vitals: Vitals;
	private readonly caller: Caller;
	private readonly events: NegotiationEvents;
	private readonly resume: Resumption | null;
	private transport: Transport | null = null;
	private connection: Connection | null = null;
	private listening: Ticket | null = null;
	private topics: ListenStreams | null = null;
	private timers: NodeJS.Timeout[] | null = null;
	/**
	 * Connections to one server share sockets. An answer that a server sends twice must fit no request of another client,
	 * so all count from elsewhere.
	 */
	private nextId = 1 + Math.floor(Math.random() * 2 ** 30);
	private closed = false;
	private established = false;
	/** How each greeting stands; absent: not sent. */
	private readonly greetings: { [W in Way]?: 'open' | Failure } = {};
	/** A handshake that succeeded, but would not carry questions; kept while the other way is tried. */
	private held: (() => void) | null = null;
	private corrected = false;
	/** The server's answer to `initialize` was that there is nothing to post to. */
	private notPostable = false;
	/** Why the usual way failed, once the fallback is tried: told when that fails, too. */
	private first: Failure | null = null;
	/** Transports given up on the way, still ending. */
	private ending: readonly Promise<void>[] = none;
	/** Ends the server's session, when it has one. */
	private sessionHeaders: readonly string[] | null = null;

	/** `resume`: the session at the server to go on with, null for a new one. */
	constructor(
		options: TargetOptions,
		memory: EraMemory,
		vitals: Vitals,
		caller: Caller,
		events: NegotiationEvents,
		resume: Resumption | null,
	) {
		this.options = options;
		this.memory = memory;
		this.vitals = vitals;
		this.caller = caller;
		this.events = events;
		this.resume = resume;
	}

	get pid(): number | null {
		return this.transport?.pid ?? null;
	}

	/** Whether calls are under way over the connection that came of it. */
	get busy(): boolean {
		return this.connection?.busy === true;
	}

	get hearsSince(): number | null {
		if (this.closed || !this.established) return null;
		return this.topics === null ? (this.transport?.hearsSince ?? null) : this.topics.hearsSince;
	}

	/** The server's session, for who wants to go on with it later. */
	resumption: Resumption | null = null;

	begin(): void {
		this.open((transport) => {
			const limit = startLimit(this.options);
			this.after(limit, () => {
				if (!this.established) this.failed(notInTime(limit));
			});
			if (this.resume !== null && this.memory.server !== null)
				return this.establishSession(transport, this.memory.server, this.resume.sessionId);
			const own: Way = this.caller.handshake || this.handshakeOnly ? 'legacy' : 'modern';
			const known = this.memory.lacks(own) && !(own === 'modern' && this.memory.wantsAnotherLook());
			this.greet(transport, known ? otherWay(own) : own);
		});
	}

	/** Time to answer begins when there is somebody who could. */
	private open(then: (transport: Transport) => void): void {
		const transport = this.options.openTransport(this.caller);
		this.transport = transport;
		if (transport.whenStarted === undefined) then(transport);
		else transport.whenStarted(() => then(transport));
	}

	/** Hears nothing any more; calls under way go on. */
	retire(): void {
		this.stopTimers();
		this.topics?.close();
		this.listening?.cancel();
	}

	/** With `keepSession` the server is not told that its session has ended. */
	async close(keepSession = false): Promise<void> {
		this.closed = true;
		this.retire();
		this.connection?.abandon('the connection was closed');
		if (this.transport !== null) {
			if (this.sessionHeaders !== null && !keepSession) await this.transport.end?.(this.sessionHeaders);
			this.leave(this.transport);
		}
		await Promise.all(this.ending);
	}

	/** Gives up a transport; `close` waits until it has ended. */
	private leave(transport: Transport): void {
		this.ending = [...this.ending, transport.close()];
	}

	private get settled(): boolean {
		return this.closed || this.established;
	}

	private greet(transport: Transport, way: Way): void {
		this.greetings[way] = 'open';
		// A slow start is no verdict: the first greeting stays open beside the second, and what succeeds first counts.
		if (this.mayTry(otherWay(way)) || this.held !== null) {
			this.after(this.options.overHttp ? httpSilenceMs : silenceMs, () => this.silent(way, transport));
		}
		if (way === 'modern') this.discover(transport);
		else this.initialize(transport);
	}

	private silent(way: Way, transport: Transport): void {
		if (!this.waitsFor(way, transport)) return;
		if (this.held !== null) this.held();
		else if (this.mayTry(otherWay(way))) this.greet(transport, otherWay(way));
	}

	private get handshakeOnly(): boolean {
		return this.transport?.handshakeOnly === true;
	}

	private mayTry(way: Way): boolean {
		return this.greetings[way] === undefined && !(way === 'modern' && this.handshakeOnly);
	}

	private discover(transport: Transport): void {
		const id = this.nextId++;
		const receiver: Receiver = {
			message: (scanned) => {
				if (memberOf(scanned.members, 'method') === null && this.waitsFor('modern', transport))
					this.discovered(transport, scanned);
			},
			failed: (fault) => {
				if (this.waitsFor('modern', transport)) this.discoverFailed(transport, fault);
			},
		};
		transport.request({ id, message: discoverText(id, this.caller), headers: discoverHeaders }, receiver);
	}

	private discovered(transport: Transport, scanned: Scanned): void {
		const server = readDiscover(scanned);
		const others = server === 'not-modern' ? versionsInstead(scanned) : null;
		if (others?.includes(modernVersion) && !this.corrected) {
			this.corrected = true;
			return this.discover(transport);
		}
		if (server === 'disjoint' || (others !== null && others.length > 0 && others.every((one) => one >= '2026'))) {
			const reason = 'it speaks only MCP versions that this gateway does not know';
			return this.failed({ ...noProcess, reason, remedy: 'Update agentgateway.' });
		}
		if (server === 'not-modern')
			return this.refused('modern', transport, { ...noProcess, ...refusal('server/discover', scanned) });
		this.memory.note('modern', true);
		const connection = this.establish(transport, server, modernDialect(this.options.overHttp));
		const { name: target } = this.options;
		this.topics = new ListenStreams({
			target,
			transport,
			connection,
			server,
			caller: this.caller,
			note: (notice) => this.events.note(notice),
		});
		connection.topics = this.topics;
		// Over stdio what the server reports shares the channel, over HTTP it has a stream of its own.
		if (!this.options.overHttp) this.listening = transport.listen(this.unsolicited(connection), []);
		this.topics.begin();
	}

	private discoverFailed(transport: Transport, fault: TransportFault): void {
		const exited = fault.kind === 'process' && fault.exitCode !== null && transport.pid !== null;
		// Some servers exit on any request before initialize: a fresh one is asked in the old way.
		if (exited && this.greetings.legacy !== undefined && this.greetings.legacy !== 'open')
			return this.failed(failureOf(fault));
		if (exited) {
			this.memory.note('modern', false);
			this.greetings.modern = failureOf(fault);
			this.leave(transport);
			return this.open((fresh) => this.greet(fresh, 'legacy'));
		}
		if (saysNo(fault)) return this.refused('modern', transport, failureOf(fault));
		if (this.held !== null) return this.held();
		this.failed(failureOf(fault));
	}

	private initialize(transport: Transport): void {
		const id = this.nextId++;
		const receiver: Receiver = {
			message: (scanned, headers) => {
				if (memberOf(scanned.members, 'method') !== null || !this.waitsFor('legacy', transport)) return;
				const said = readHandshake(scanned, headers);
				if ('reason' in said) return this.refused('legacy', transport, { ...noProcess, ...said });
				this.memory.note('legacy', true);
				this.initialized(transport, this.memory.same(said.server), said.session);
			},
			failed: (fault) => {
				if (!this.waitsFor('legacy', transport)) return;
				const failure = this.first ?? failureOf(fault);
				this.notPostable = fault.kind === 'http' && notPostable.has(fault.status);
				if (fault.kind === 'http' && refusesGreeting(fault.status)) return this.refused('legacy', transport, failure);
				const early = fault.kind === 'process' && fault.exitCode !== null;
				this.memory.forget();
				this.failed(early ? { ...failure, reason: `${failure.reason} before it answered initialize` } : failure);
			},
		};
		transport.request({ id, message: initializeText(id, this.caller), headers: initializeHeaders }, receiver);
	}

	/** Over HTTP, a handshake without a session carries nothing that a server has to say by itself; the other way does. */
	private initialized(transport: Transport, server: ServerFacts, session: string | null): void {
		const mute = this.options.overHttp && session === null;
		if (mute && this.mayTry('modern') && !this.memory.lacks('modern')) {
			this.held = () => this.establishSession(transport, server, session);
			return this.greet(transport, 'modern');
		}
		this.establishSession(transport, server, session);
	}

	private establishSession(transport: Transport, server: ServerFacts, session: string | null): void {
		const { resume } = this;
		// The handshake only told what the server is; its session is not the one that was asked for.
		if (resume !== null && session !== null && session !== resume.sessionId)
			void transport.end?.(legacyDialect(server.protocolVersion, session).postHeaders);
		const sessionId = resume?.sessionId ?? session;
		const protocolVersion = resume?.protocolVersion ?? server.protocolVersion;
		const dialect = legacyDialect(protocolVersion, sessionId);
		if (sessionId !== null) {
			this.sessionHeaders = dialect.postHeaders;
			this.resumption = { sessionId, protocolVersion };
		}
		if (resume !== null) return this.begun(transport, server, dialect);
		// Requests take other connections than this notification; servers refuse those that overtake it.
		const settled = () => this.begun(transport, server, dialect);
		transport.post({ message: initializedText, headers: dialect.postHeaders, settled });
	}

	private begun(transport: Transport, server: ServerFacts, dialect: Dialect): void {
		if (this.settled) return;
		const connection = this.establish(transport, server, dialect);
		this.listening = transport.listen(this.unsolicited(connection), dialect.postHeaders);
	}

	/** The server does not want to be greeted in this way. */
	private refused(way: Way, transport: Transport, failure: Failure): void {
		this.greetings[way] = failure;
		if (way === 'modern' && this.held !== null) {
			this.memory.note('modern', false);
			return this.held();
		}
		if (this.mayTry(otherWay(way))) {
			this.memory.note(way, false);
			return this.greet(transport, otherWay(way));
		}
		const there = this.greetings[otherWay(way)];
		if (there === 'open') return;
		// It refused both; it may have been replaced by another.
		this.memory.forget();
		const told = way === 'legacy' ? failure : (there ?? failure);
		if (!this.fellBack(told)) this.failed(told);
	}

	/** A URL that cannot be posted to may still give a stream ("Backwards compatibility"): the fallback, where there is one. */
	private fellBack(failure: Failure): boolean {
		const { openFallback } = this.options;
		if (!this.notPostable || this.first !== null || openFallback === undefined || this.handshakeOnly) return false;
		this.first = failure;
		if (this.transport !== null) this.leave(this.transport);
		this.transport = openFallback();
		this.greet(this.transport, 'legacy');
		return true;
	}

	/** Whether an answer to this greeting still counts. A transport that was given up has a successor. */
	private waitsFor(way: Way, transport: Transport): boolean {
		return !this.settled && this.greetings[way] === 'open' && this.transport === transport;
	}

	private establish(transport: Transport, server: ServerFacts, dialect: Dialect): Connection {
		this.established = true;
		this.stopTimers();
		transport.established?.();
		const { caller, vitals, memory } = this;
		const options = { target: this.options.name, transport, dialect, server, caller, tools: memory.tools, vitals };
		const connection = new Connection(options, this, this.nextId);
		this.connection = connection;
		connection.lost = this.events;
		if (this.options.overHttp && !this.handshakeOnly) connection.check = new EraCheck(transport, connection, caller);
		this.events.ready(connection);
		return connection;
	}

	private unsolicited(connection: Connection): Receiver {
		return new OutsideCalls(connection, this);
	}

	unheard(connection: Connection, fault: TransportFault): void {
		if (this.closed) return;
		if (fault.kind === 'http' && fault.sessionLost) this.events.sessionForgotten();
		else if (endsTransport(fault)) connection.fail(failureOf(fault));
	}

	private after(ms: number, then: () => void): void {
		if (this.closed) return;
		const timer = setTimeout(then, ms);
		timer.unref();
		(this.timers ??= []).push(timer);
	}

	private stopTimers(): void {
		for (const timer of this.timers ?? []) clearTimeout(timer);
		this.timers = null;
	}

	note(notice: Notice): void {
		this.events.note(notice);
	}

	ask(ask: Ask): void {
		if (this.closed) ask.answer({ error: mcpError(code.internal, 'the connection ends') });
		else this.events.ask(ask);
	}

	failed(failure: Failure): void {
		if (this.closed) return;
		const printed = this.established ? undefined : this.transport?.printed;
		this.events.failed(printed === undefined ? failure : withPrinted(failure, printed));
	}
}

const none: readonly Promise<void>[] = [];
const noProcess = { exitCode: null, signal: null, stderr: [] };
