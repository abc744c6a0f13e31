import type { Exchange, ReplyStream } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import { decodeString, isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import type { Connections } from '../connections.ts';
import { code, mcpError } from '../errors.ts';
import { type Greeting, greet } from '../greeting.ts';
import type { Call, Caller, McpError, Notice, Result } from '../model.ts';
import type { Pool } from '../pool.ts';
import type { Session, SessionStream, Sessions } from '../sessions.ts';
import type { Envelope } from './envelope.ts';
import { CallReply, errorResponse, eventOf, noticeText, type ReplyCodec, streamHeaders } from './reply.ts';

/** Versions with the `initialize` handshake that clients may speak, newest first. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

export interface LegacyOptions {
	/** null: `statefulMode: stateless`, no sessions. */
	readonly sessions: Sessions | null;
	readonly pool: Pool;
	readonly heartbeat: Heartbeat;
	/** The gateway's own version. */
	readonly version: string;
	/** Refuse `initialize` while a target is missing; `all`: only when every one is. */
	readonly refuseWhenMissing: 'any' | 'all' | 'never';
}

/** Serves clients of the revisions 2024-11-05 to 2025-11-25 over Streamable HTTP. */
export class LegacyFrontend {
	private readonly options: LegacyOptions;

	constructor(options: LegacyOptions) {
		this.options = options;
	}

	post(exchange: Exchange, envelope: Envelope): void {
		if (envelope.kind === 'request' && envelope.method === 'initialize') return this.initialize(exchange, envelope);
		const version = header(exchange, 'mcp-protocol-version');
		if (version !== null && !legacyVersions.includes(version)) {
			return refuse(
				exchange,
				400,
				envelope.id,
				code.invalidRequest,
				`MCP-Protocol-Version ${version} is not supported`,
			);
		}
		if (this.options.sessions === null) return this.stateless(exchange, envelope);
		const session = this.session(exchange, envelope.id);
		if (session === null) return;
		if (envelope.kind === 'request') return this.request(exchange, envelope, session);
		if (envelope.kind === 'notification') notification(envelope, session);
		exchange.respond(202, [], null);
	}

	/** Opens the session's stream for what belongs to no call. */
	get(exchange: Exchange): void {
		if (this.options.sessions === null) return notAllowed(exchange);
		const accept = header(exchange, 'accept');
		if (accept !== null && !accept.includes('text/event-stream') && !accept.includes('*/*')) {
			return refuse(exchange, 406, null, code.invalidRequest, 'a GET needs Accept: text/event-stream');
		}
		const session = this.session(exchange, null);
		if (session === null) return;
		new ListenStream(exchange, session, this.options.heartbeat).start();
	}

	/** Ends the session. */
	delete(exchange: Exchange): void {
		if (this.options.sessions === null) return notAllowed(exchange);
		const session = this.session(exchange, null);
		if (session === null) return;
		this.options.sessions.end(session.id);
		exchange.respond(204, [], null);
	}

	private session(exchange: Exchange, id: Buffer | null): Session | null {
		const sessionId = header(exchange, 'mcp-session-id');
		if (sessionId === null) {
			refuse(exchange, 400, id, code.invalidRequest, 'the Mcp-Session-Id header is missing; send initialize first');
			return null;
		}
		const session = this.options.sessions?.find(sessionId);
		if (session === undefined) {
			refuse(exchange, 404, id, code.invalidRequest, 'the session is unknown or has ended; send initialize again');
			return null;
		}
		exchange.facts.mcpSession = session.id.slice(0, 8);
		return session;
	}

	private initialize(exchange: Exchange, envelope: Envelope): void {
		exchange.facts.mcpMethod = 'initialize';
		const id = envelope.id ?? Buffer.from('null');
		const asked = stringParam(envelope, 'protocolVersion');
		const version = asked !== null && legacyVersions.includes(asked) ? asked : (legacyVersions[0] ?? '');
		const caller = callerOf(envelope);
		if (this.options.sessions === null) return this.greetStateless(exchange, id, caller, version);
		const session = this.options.sessions.open(caller, version);
		if (session === null) {
			return refuse(exchange, 503, id, code.internal, 'too many sessions are open', ['retry-after', '5']);
		}
		exchange.facts.mcpSession = session.id.slice(0, 8);
		const reply = new CallReply(
			exchange,
			id,
			null,
			legacyCodec,
			['mcp-session-id', session.id],
			this.options.heartbeat,
		);
		session.connections.upstreams.whenSettled(() => {
			const missing = this.missing(session.connections);
			if (missing !== null) {
				this.options.sessions?.end(session.id);
				reply.fail(missing);
			} else
				reply.done(
					initializeResult(
						greet(session.connections.upstreams, session.connections.federation.naming, this.options.version),
						version,
					),
				);
		});
	}

	private greetStateless(exchange: Exchange, id: Buffer, caller: Caller, version: string): void {
		const lease = this.options.pool.lease(caller);
		if (lease === null)
			return refuse(exchange, 503, id, code.internal, 'too many clients at once', ['retry-after', '5']);
		const reply = new CallReply(exchange, id, null, legacyCodec, [], this.options.heartbeat);
		reply.ended = () => lease.release();
		lease.connections.upstreams.whenSettled(() => {
			const missing = this.missing(lease.connections);
			if (missing !== null) reply.fail(missing);
			else
				reply.done(
					initializeResult(
						greet(lease.connections.upstreams, lease.connections.federation.naming, this.options.version),
						version,
					),
				);
		});
	}

	/** The error of a strict backend whose targets are away. */
	private missing(connections: Connections): McpError | null {
		if (this.options.refuseWhenMissing === 'never') return null;
		const legs = connections.upstreams.legs;
		const away = legs.filter((leg) => leg.state !== 'ready');
		const first = away[0];
		if (first === undefined || (this.options.refuseWhenMissing === 'all' && away.length < legs.length)) return null;
		const reason = first.failure?.reason ?? 'it did not answer in time';
		return mcpError(code.internal, `target "${first.target.name}" could not start: ${reason}`, first.target.name);
	}

	private stateless(exchange: Exchange, envelope: Envelope): void {
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const lease = this.options.pool.lease(nobody);
		if (lease === null)
			return refuse(exchange, 503, envelope.id, code.internal, 'too many clients at once', ['retry-after', '5']);
		const reply = new CallReply(exchange, envelope.id, tokenOf(envelope), legacyCodec, [], this.options.heartbeat);
		reply.ended = () => lease.release();
		if (envelope.method === 'ping') return reply.done(emptyResult);
		reply.follow(lease.connections.start(callOf(envelope, nobody), exchange.facts, reply));
	}

	private request(exchange: Exchange, envelope: Envelope, session: Session): void {
		const id = envelope.id;
		if (id === null) throw new Error('a request without id');
		const reply = new CallReply(exchange, id, tokenOf(envelope), legacyCodec, [], this.options.heartbeat);
		if (envelope.method === 'ping') {
			exchange.facts.mcpMethod = 'ping';
			return reply.done(emptyResult);
		}
		const key = id.toString('latin1');
		if (session.calls.get(key) !== undefined) {
			return reply.fail(mcpError(code.invalidRequest, 'a request with this id is still open in this session'));
		}
		session.calls.add(key, reply);
		reply.ended = () => session.calls.delete(key);
		reply.follow(
			session.connections.start(callOf(envelope, session.connections.upstreams.caller), exchange.facts, reply),
		);
	}
}

function notification(envelope: Envelope, session: Session): void {
	if (envelope.method === 'notifications/initialized') return;
	const { text, start, end, members } = envelope.params;
	if (envelope.method === 'notifications/cancelled') {
		const id = members?.find((member) => member.key === 'requestId');
		const reason = stringParam(envelope, 'reason');
		if (id !== undefined) session.calls.get(text.toString('latin1', id.start, id.end))?.cancel(reason ?? undefined);
		return;
	}
	session.connections.notify({ method: envelope.method, params: text.subarray(start, end) });
}

function callOf(envelope: Envelope, caller: Caller): Call {
	return {
		method: envelope.method,
		params: envelope.params,
		edits: [],
		meta: envelope.meta.filter((member) => member.key !== 'progressToken'),
		name: null,
		wantsProgress: envelope.meta.some((member) => member.key === 'progressToken'),
		caller,
		origin: 'client',
	};
}

/** The client's progress token as JSON text. */
export function tokenOf(envelope: Envelope): Buffer | null {
	const member = envelope.meta.find((one) => one.key === 'progressToken');
	return member === undefined ? null : envelope.params.text.subarray(member.start, member.end);
}

function callerOf(envelope: Envelope): Caller {
	const text = envelope.params.text;
	const part = (key: string) => {
		const member = envelope.params.members?.find((one: Member) => one.key === key);
		return member !== undefined && text[member.start] === 0x7b
			? Buffer.from(text.subarray(member.start, member.end))
			: null;
	};
	return {
		principal: 'anonymous',
		clientInfo: part('clientInfo'),
		capabilities: part('capabilities') ?? Buffer.from('{}'),
		logLevel: null,
	};
}

function stringParam(envelope: Envelope, key: string): string | null {
	const member = envelope.params.members?.find((one) => one.key === key);
	const text = envelope.params.text;
	return member !== undefined && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}

function initializeResult(greeting: Greeting, version: string): Result {
	const tail = greeting.instructions === null ? '}' : `,"instructions":${JSON.stringify(greeting.instructions)}}`;
	const text = Buffer.concat([
		Buffer.from(`{"protocolVersion":${JSON.stringify(version)},"capabilities":`),
		greeting.capabilities,
		Buffer.from(',"serverInfo":'),
		greeting.serverInfo,
		Buffer.from(tail),
	]);
	return { text, type: 'complete', stamped: false };
}

const nobody: Caller = { principal: 'anonymous', clientInfo: null, capabilities: Buffer.from('{}'), logLevel: null };

const emptyResult: Result = { text: Buffer.from('{}'), type: 'complete', stamped: false };

/** Members that newer servers put on results and that older clients do not know. */
const newerMembers: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);

const legacyCodec: ReplyCodec = {
	result: (result) => (result.stamped ? withoutMembers(result.text, newerMembers) : result.text),
	status: () => 200,
	error: (error) => error,
	cancelsWhenGone: false,
};

/** Takes members out of an object text, with the comma that goes with each. */
export function withoutMembers(object: Buffer, keys: ReadonlySet<string>): Buffer {
	const scanned = scanJson(object, {});
	if (isScanFault(scanned) || scanned.members === null) return object;
	const kept = scanned.members.filter((member) => !keys.has(member.key));
	if (kept.length === scanned.members.length) return object;
	const edits: Edit[] = [];
	let from = scanned.start + 1;
	kept.forEach((member, index) => {
		edits.push({ start: from, end: member.keyStart, text: index === 0 ? '' : ',' });
		from = member.end;
	});
	edits.push({ start: from, end: scanned.end - 1, text: '' });
	return splice(scanned.text, edits, scanned.start, scanned.end);
}

/** The stream of a GET request, kept alive by comments. */
class ListenStream implements SessionStream, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly session: Session;
	private readonly heartbeat: Heartbeat;
	private reply: ReplyStream | null = null;
	private lastWrite = performance.now();
	private over = false;

	constructor(exchange: Exchange, session: Session, heartbeat: Heartbeat) {
		this.exchange = exchange;
		this.session = session;
		this.heartbeat = heartbeat;
	}

	start(): void {
		this.reply = this.exchange.stream(200, streamHeaders);
		// Something must be sent for the headers to leave: clients wait for them.
		this.reply.write(': open\n\n');
		this.exchange.onGone(() => this.stop());
		this.heartbeat.add(this);
		this.session.attach(this);
	}

	send(notice: Notice): void {
		if (this.over || this.reply === null) return;
		this.reply.write(eventOf(noticeText(notice.method, notice.params)));
		this.lastWrite = performance.now();
		if (this.reply.buffered > 1024 * 1024) this.end();
	}

	end(): void {
		if (this.over) return;
		this.stop();
		this.reply?.end();
	}

	beat(now: number): void {
		this.session.lastUsed = now;
		if (now - this.lastWrite < 15_000) return;
		this.lastWrite = now;
		this.reply?.write(': keep-alive\n\n');
	}

	private stop(): void {
		this.over = true;
		this.heartbeat.remove(this);
		this.session.detach(this);
	}
}

function notAllowed(exchange: Exchange): void {
	exchange.respond(
		405,
		['allow', 'POST', 'content-type', 'text/plain'],
		'This endpoint keeps no sessions; use POST.\n',
	);
}

function refuse(
	exchange: Exchange,
	status: number,
	id: Buffer | null,
	number: number,
	message: string,
	headers: string[] = [],
): void {
	exchange.facts.mcpErrorCode = number;
	exchange.facts.mcpErrorMessage = message;
	exchange.facts.reason = 'MCP';
	exchange.respond(status, ['content-type', 'application/json', ...headers], errorResponse(id, number, message));
}

function header(exchange: Exchange, name: string): string | null {
	const value = exchange.headers[name];
	return typeof value === 'string' ? value : null;
}
