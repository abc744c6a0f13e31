import type { Scanned } from '../../lib/json-scan.ts';
import type { Caller, Failure, Notice, ServerFacts, Ticket } from '../model.ts';
import { Connection, type Dialect, failureOf } from './dialect.ts';
import { initializedText, initializeText, legacyDialect, readInitialize } from './legacy.ts';
import { memberOf, textOf } from './message.ts';
import { discoverHeaders, discoverText, listenHeaders, listenText, modernDialect, readDiscover } from './modern.ts';
import type { TargetOptions } from './target-options.ts';
import type { Receiver, Transport, TransportFault } from './transport/transport.ts';

/** What is remembered of a server between connections. */
export interface EraMemory {
	era: 'modern' | 'legacy' | null;
}

/** What a negotiation reports: `ready` or `failed` first; `failed` may follow `ready`. */
export interface NegotiationEvents {
	ready(connection: Connection): void;
	failed(failure: Failure): void;
	note(notice: Notice): void;
}

/** A server that does not know the probe may stay silent; then it is asked in the old way, too. */
const probeTimeoutMs = 2500;
/** A command may have to be downloaded first (uvx, npx); an HTTP server is there or is not. */
const handshakeTimeoutMs = { process: 120_000, http: 30_000 } as const;
/** A stream of list changes that ended is asked for again after this pause. */
const listenAgainMs = 5000;

/**
 * Finds out which era a server speaks (MCP 2026-07-28, "Versioning"): `server/discover` first; whatever answers
 * otherwise, stays silent or exits is asked to `initialize`. Credentials refused, 5xx and broken connections say
 * nothing about eras and end the attempt.
 */
export class Negotiation {
	private readonly options: TargetOptions;
	private readonly memory: EraMemory;
	private readonly caller: Caller;
	private readonly events: NegotiationEvents;
	private transport: Transport | null = null;
	private listening: Ticket | null = null;
	private readonly timers = new Set<NodeJS.Timeout>();
	private nextId = 1;
	private closed = false;
	/** The probe is out and unanswered. */
	private probing = false;
	private established = false;
	/** `initialize` was refused while the probe was still open. */
	private refused: Failure | null = null;
	/** Transports given up on the way, still ending. */
	private readonly ending: Promise<void>[] = [];
	/** Ends the server's session, when it has one. */
	private sessionHeaders: readonly string[] | null = null;

	constructor(options: TargetOptions, memory: EraMemory, caller: Caller, events: NegotiationEvents) {
		this.options = options;
		this.memory = memory;
		this.caller = caller;
		this.events = events;
	}

	get pid(): number | null {
		return this.transport?.pid ?? null;
	}

	begin(): void {
		const limit = this.options.overHttp ? handshakeTimeoutMs.http : handshakeTimeoutMs.process;
		this.after(limit, () => {
			if (!this.established)
				this.fail({ ...noProcess, reason: `it did not answer within ${limit / 1000} s`, remedy: '' });
		});
		this.transport = this.options.openTransport();
		if (this.memory.era === 'legacy') this.initialize(this.transport);
		else this.probe(this.transport);
	}

	async close(): Promise<void> {
		this.closed = true;
		for (const timer of this.timers) clearTimeout(timer);
		this.listening?.cancel();
		if (this.transport !== null) {
			if (this.sessionHeaders !== null) await this.transport.end?.(this.sessionHeaders);
			this.ending.push(this.transport.close());
		}
		await Promise.all(this.ending);
	}

	private probe(transport: Transport): void {
		const id = this.nextId++;
		this.probing = true;
		const answered = (then: () => void) => {
			if (!this.probing || this.closed || this.established) return;
			this.probing = false;
			then();
		};
		let initializing = false;
		const initialize = () => {
			if (initializing) return this.refused === null ? undefined : this.fail(this.refused);
			initializing = true;
			this.initialize(transport);
		};
		const receiver: Receiver = {
			message: (scanned) => {
				if (memberOf(scanned.members, 'method') === null) answered(() => this.probed(transport, scanned, initialize));
			},
			failed: (fault) => answered(() => this.probeFailed(transport, fault, initialize)),
		};
		// A slow start is no verdict: the probe stays open beside the handshake, and the first that succeeds counts.
		if (!this.options.overHttp) {
			this.after(probeTimeoutMs, () => {
				if (this.probing && !this.established) initialize();
			});
		}
		transport.request({ id, message: discoverText(id, this.caller), headers: discoverHeaders }, receiver);
	}

	private probed(transport: Transport, scanned: Scanned, initialize: () => void): void {
		const server = readDiscover(scanned);
		if (server === 'disjoint' || (server === 'not-modern' && speaksOtherVersions(scanned))) {
			const reason = 'it speaks only MCP versions that this gateway does not know';
			return this.fail({ ...noProcess, reason, remedy: 'Update agentgateway.' });
		}
		if (server === 'not-modern') return initialize();
		this.memory.era = 'modern';
		const connection = this.establish(transport, server, modernDialect(this.options.overHttp));
		this.listenModern(transport, connection, server);
	}

	private probeFailed(transport: Transport, fault: TransportFault, initialize: () => void): void {
		// Some servers exit on any request before initialize: a fresh one is asked in the old way.
		if (fault.kind === 'process' && fault.exitCode !== null && transport.pid !== null) {
			this.ending.push(transport.close());
			const fresh = this.options.openTransport();
			this.transport = fresh;
			return this.initialize(fresh);
		}
		if (fault.kind === 'http' && fault.status < 500 && !withoutVerdict.has(fault.status)) return initialize();
		this.fail(failureOf(fault));
	}

	private initialize(transport: Transport): void {
		const id = this.nextId++;
		const receiver: Receiver = {
			message: (scanned, headers) => {
				if (memberOf(scanned.members, 'method') !== null || this.closed || this.established) return;
				const server = readInitialize(scanned);
				if (server === null) return this.initializeFailed({ ...noProcess, ...refusedHandshake(scanned) });
				this.memory.era = 'legacy';
				const session = headers?.['mcp-session-id'];
				const dialect = legacyDialect(server.protocolVersion, typeof session === 'string' ? session : null);
				if (typeof session === 'string') this.sessionHeaders = dialect.postHeaders;
				transport.post(initializedText, dialect.postHeaders);
				const connection = this.establish(transport, server, dialect);
				this.listening = transport.listen(this.unsolicited(connection), dialect.postHeaders);
			},
			failed: (fault) => {
				// A transport that was given up has a successor.
				if (this.closed || this.established || this.transport !== transport) return;
				const failure = failureOf(fault);
				const early = fault.kind === 'process' && fault.exitCode !== null;
				this.initializeFailed(
					early ? { ...failure, reason: `${failure.reason} before it answered initialize` } : failure,
				);
			},
		};
		transport.request({ id, message: initializeText(id, this.caller), headers: [] }, receiver);
	}

	private initializeFailed(failure: Failure): void {
		// It may have been replaced by one of the other era.
		this.memory.era = null;
		if (this.probing) this.refused = failure;
		else this.fail(failure);
	}

	private establish(transport: Transport, server: ServerFacts, dialect: Dialect): Connection {
		this.established = true;
		const events = {
			ready() {},
			failed: (failure: Failure) => this.fail(failure),
			note: (notice: Notice) => this.events.note(notice),
		};
		const connection = new Connection(this.options.name, transport, dialect, server, events, this.nextId);
		this.events.ready(connection);
		return connection;
	}

	/** List changes of modern servers: over stdio they share the channel, over HTTP they have a stream of their own. */
	private listenModern(transport: Transport, connection: Connection, server: ServerFacts): void {
		const receiver = this.unsolicited(connection);
		if (!this.options.overHttp) this.listening = transport.listen(receiver, []);
		const ask = (again: boolean) => {
			const id = connection.takeId();
			const message = listenText(id, this.caller, server.capabilities);
			if (message === null) return;
			// What changed in the meantime was not heard.
			if (again) for (const notice of listChangesOf(server)) this.events.note(notice);
			const ended = () => this.after(listenAgainMs, () => ask(true));
			const ticket = transport.request(
				{ id, message, headers: listenHeaders, lasting: true },
				{
					message: (scanned) => {
						if (memberOf(scanned.members, 'method') !== null) connection.unsolicited(scanned, null);
						else if (memberOf(scanned.members, 'error') === null) ended();
					},
					failed: (fault) => {
						if (fault.kind === 'io' || (fault.kind === 'http' && (fault.status === 429 || fault.status >= 500)))
							ended();
					},
				},
			);
			if (this.options.overHttp) this.listening = ticket;
		};
		ask(false);
	}

	private unsolicited(connection: Connection): Receiver {
		return {
			message: (scanned) => connection.unsolicited(scanned, null),
			failed: (fault) => {
				if (!this.closed && fault.kind === 'process') connection.fail(failureOf(fault));
			},
		};
	}

	private after(ms: number, then: () => void): void {
		if (this.closed) return;
		const timer = setTimeout(() => {
			this.timers.delete(timer);
			then();
		}, ms);
		timer.unref();
		this.timers.add(timer);
	}

	private fail(failure: Failure): void {
		if (!this.closed) this.events.failed(failure);
	}
}

/** The list changes that a server announces. */
function listChangesOf({ capabilities }: ServerFacts): Notice[] {
	return ['tools', 'prompts', 'resources']
		.filter((list) => list in capabilities)
		.map((list) => ({ method: `notifications/${list}/list_changed`, params: null }));
}

/** Credentials and pressure say nothing about eras. */
const withoutVerdict: ReadonlySet<number> = new Set([401, 403, 408, 429]);

const noProcess = { exitCode: null, signal: null, stderr: [] };

function refusedHandshake(scanned: Scanned): { reason: string; remedy: string } {
	const error = memberOf(scanned.members, 'error');
	const said = error === null ? '' : `: ${textOf(scanned, error).toString('utf8').slice(0, 200)}`;
	return { reason: `it did not accept initialize${said}`, remedy: 'Check that the target is an MCP server.' };
}

/** -32022 with modern versions that the gateway does not speak: asking to initialize would be pointless. */
function speaksOtherVersions(scanned: Scanned): boolean {
	const error = memberOf(scanned.members, 'error');
	if (error === null) return false;
	const value = JSON.parse(textOf(scanned, error).toString()) as { code?: unknown; data?: { supported?: unknown } };
	if (value.code !== -32022 || !Array.isArray(value.data?.supported)) return false;
	return value.data.supported.length > 0 && value.data.supported.every((version) => String(version) >= '2026');
}
