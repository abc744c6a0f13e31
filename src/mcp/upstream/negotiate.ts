import type { Scanned } from '../../lib/json-scan.ts';
import type { Caller, Failure, Notice, ServerFacts, Ticket } from '../model.ts';
import { Connection, failureOf } from './dialect.ts';
import { initializedText, initializeText, legacyDialect, readInitialize } from './legacy.ts';
import { memberOf, textOf } from './message.ts';
import { discoverHeaders, discoverText, modernDialect, readDiscover } from './modern.ts';
import type { TargetOptions } from './target.ts';
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

/** A server that does not know the probe may stay silent; then it is an old one. */
const probeTimeoutMs = 2500;

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
	private timer: NodeJS.Timeout | null = null;
	private nextId = 1;
	private closed = false;
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
		this.transport = this.options.openTransport();
		if (this.memory.era === 'legacy') this.initialize(this.transport);
		else this.probe(this.transport);
	}

	async close(): Promise<void> {
		this.closed = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.listening?.cancel();
		if (this.transport !== null) {
			if (this.sessionHeaders !== null) await this.transport.end?.(this.sessionHeaders);
			this.ending.push(this.transport.close());
		}
		await Promise.all(this.ending);
	}

	private probe(transport: Transport): void {
		const id = this.nextId++;
		let asked = true;
		const once = (then: () => void) => {
			if (!asked || this.closed) return;
			asked = false;
			if (this.timer !== null) clearTimeout(this.timer);
			then();
		};
		const receiver: Receiver = {
			message: (scanned) => {
				if (memberOf(scanned.members, 'method') === null) once(() => this.probed(transport, scanned));
			},
			failed: (fault) => once(() => this.probeFailed(transport, fault)),
		};
		if (!this.options.overHttp) {
			this.timer = setTimeout(() => once(() => this.initialize(transport)), probeTimeoutMs);
		}
		transport.request({ id, message: discoverText(id, this.caller), headers: discoverHeaders }, receiver);
	}

	private probed(transport: Transport, scanned: Scanned): void {
		const server = readDiscover(scanned);
		if (server === 'disjoint' || (server === 'not-modern' && speaksOtherVersions(scanned))) {
			return this.fail({
				...noProcess,
				reason: 'it speaks only MCP versions that this gateway does not know',
				remedy: 'Update agentgateway.',
			});
		}
		if (server === 'not-modern') return this.initialize(transport);
		this.memory.era = 'modern';
		this.established(transport, server, modernDialect(this.options.overHttp));
	}

	private probeFailed(transport: Transport, fault: TransportFault): void {
		// Some servers exit on any request before initialize: a fresh one is asked in the old way.
		if (fault.kind === 'process' && fault.exitCode !== null && transport.pid !== null) {
			this.ending.push(transport.close());
			const fresh = this.options.openTransport();
			this.transport = fresh;
			return this.initialize(fresh);
		}
		if (fault.kind === 'http' && fault.status < 500 && fault.status !== 401 && fault.status !== 403) {
			return this.initialize(transport);
		}
		this.fail(failureOf(fault));
	}

	private initialize(transport: Transport): void {
		const id = this.nextId++;
		const receiver: Receiver = {
			message: (scanned, headers) => {
				if (memberOf(scanned.members, 'method') !== null || this.closed) return;
				const server = readInitialize(scanned);
				if (server === null) return this.fail({ ...noProcess, ...refusedHandshake(scanned) });
				this.memory.era = 'legacy';
				const session = headers?.['mcp-session-id'];
				const dialect = legacyDialect(server.protocolVersion, typeof session === 'string' ? session : null);
				if (typeof session === 'string') this.sessionHeaders = dialect.postHeaders;
				transport.post(initializedText, dialect.postHeaders);
				this.established(transport, server, dialect);
			},
			failed: (fault) => {
				if (this.closed) return;
				const failure = failureOf(fault);
				const early = fault.kind === 'process' && fault.exitCode !== null;
				this.fail(early ? { ...failure, reason: `${failure.reason} before it answered initialize` } : failure);
			},
		};
		transport.request({ id, message: initializeText(id, this.caller), headers: [] }, receiver);
	}

	private established(transport: Transport, server: ServerFacts, dialect: ReturnType<typeof legacyDialect>): void {
		const connection = new Connection(
			this.options.name,
			transport,
			dialect,
			server,
			{
				ready() {},
				failed: (failure) => this.fail(failure),
				note: (notice) => this.events.note(notice),
			},
			this.nextId,
		);
		const receiver: Receiver = {
			message: (scanned) => connection.unsolicited(scanned, null),
			failed: (fault) => {
				if (!this.closed && fault.kind === 'process') connection.fail(failureOf(fault));
			},
		};
		this.listening = transport.listen(receiver, dialect.postHeaders);
		this.events.ready(connection);
	}

	private fail(failure: Failure): void {
		if (!this.closed) this.events.failed(failure);
	}
}

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
