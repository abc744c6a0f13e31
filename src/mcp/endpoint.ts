import type { McpLimits } from '../config/ir.ts';
import type { Backend, Exchange, Refusal } from '../http/exchange.ts';
import type { OriginGuard } from '../http/origin-guard.ts';
import type { Heartbeat } from '../lib/heartbeat.ts';
import { createSeal } from '../lib/seal.ts';
import { Connections, type Federation } from './connections/connections.ts';
import { mcpError, stopping } from './errors.ts';
import type { Caller } from './model.ts';
import { Parking } from './asks/parked.ts';
import { Pool } from './connections/pool.ts';
import { Session } from './sessions/session.ts';
import { Sessions } from './sessions/sessions.ts';
import { readAccept } from './wire/accept.ts';
import { classify } from './wire/classify.ts';
import { type EnvelopeFault, isBatch, isEnvelopeFault, readBatch, readEnvelope } from './wire/envelope.ts';
import { keepAliveMs } from './wire/event-stream.ts';
import { LegacyDialogue } from './wire/legacy-dialogue.ts';
import { SseFrontend, ssePath } from './wire/legacy-sse.ts';
import { StatelessFrontend } from './wire/legacy-stateless.ts';
import { LegacyFrontend } from './wire/legacy.ts';
import { ModernDialogue } from './wire/modern-dialogue.ts';
import { ModernFrontend } from './wire/modern.ts';
import { refuse } from './wire/refusals.ts';
import type { ChannelLimits } from './wire/shared-channel.ts';
import { type StdioHost, StdioServer } from './wire/stdio-server.ts';

/** What a reload changes of an endpoint, while its sessions go on. */
export interface EndpointChange {
	readonly federation: Federation;
	readonly scope: string;
	/** Refuses requests that a foreign web page may have sent (DNS rebinding). null: let it pass. */
	readonly guard: OriginGuard;
}

export interface EndpointOptions {
	readonly federation: Federation;
	readonly stateful: boolean;
	/** Milliseconds without use after which a session ends. */
	readonly sessionTtl: number;
	/** The gateway's own version. */
	readonly version: string;
	readonly heartbeat: Heartbeat;
	readonly limits: McpLimits;
	/** Names the backend on its route; a session that was opened there is served only there. */
	readonly scope: string;
	/** 32 bytes that seal what clients keep for the gateway. */
	readonly key: Buffer;
	/** Whether the key outlasts this start of the gateway, so that another may go on with its sessions. */
	readonly keyLasts: boolean;
	/** Random name of this start of the gateway. */
	readonly holder: string;
	readonly guard: OriginGuard;
	refuse(exchange: Exchange, refusal: Refusal): void;
}

/** The backend that speaks MCP over HTTP: reads the message, picks the era, hands it on. */
export class McpEndpoint implements Backend {
	private readonly options: EndpointOptions;
	private federation: Federation;
	private guard: OriginGuard;
	/** The session of the one client over stdio. */
	private local: Session | null = null;
	private closed = false;
	private readonly sessions: Sessions | null;
	private readonly pool: Pool;
	private readonly parking: Parking;
	private readonly modernDialogue: ModernDialogue;
	private readonly legacyDialogue: LegacyDialogue;
	private readonly legacy: LegacyFrontend | StatelessFrontend;
	private readonly sse: SseFrontend;
	private readonly modern: ModernFrontend;
	private stopping = false;

	constructor(options: EndpointOptions) {
		const { federation, heartbeat, version, limits } = options;
		this.options = options;
		this.federation = federation;
		this.guard = options.guard;
		this.pool = new Pool(federation, heartbeat, { sets: limits.maxPooledSessions, calls: limits.maxCallsPerSession });
		const { pool } = this;
		this.parking = new Parking(heartbeat, createSeal(options.key, 'request state'), limits.parkTimeout);
		this.modernDialogue = new ModernDialogue({ pool, parking: this.parking, version });
		const dialogue = new LegacyDialogue({ version, maximumCalls: limits.maxCallsPerSession });
		this.legacyDialogue = dialogue;
		const stream = { events: limits.maxStreamEvents, bytes: limits.maxStreamBytes };
		const channel = { heartbeat, headers: [], limits: stream, patience: keepAliveMs, record: () => null };
		const replay = { events: limits.replayEvents, bytes: limits.replayBytes };
		this.sessions = options.stateful ? openSessions(options) : null;
		this.legacy =
			this.sessions === null
				? new StatelessFrontend({ pool, dialogue, channel })
				: new LegacyFrontend({
						...{ sessions: this.sessions, dialogue, channel },
						http: { heartbeat, limits: stream, replay },
					});
		const { sessions } = this;
		this.sse = new SseFrontend({
			...{ sessions, heartbeat, dialogue, maximum: limits.maxSessions, limits: channelLimits(limits) },
		});
		this.modern = new ModernFrontend({ dialogue: this.modernDialogue, channel });
	}

	/** Sessions that are open now. */
	get openSessions(): number {
		return this.sessions?.size ?? 0;
	}

	/** Whether anybody waits for a call. */
	get busy(): boolean {
		return this.sessions?.busy === true || this.pool.busy;
	}

	/**
	 * Goes over to another configuration of the backend. Sessions, parked calls and streams stay, connections to targets
	 * that stay do, too. Resolves when connections to dropped targets are gone, after `patience` milliseconds at the latest.
	 */
	async follow({ federation, scope, guard }: EndpointChange, patience: number): Promise<void> {
		this.guard = guard;
		this.federation = federation;
		await Promise.all([
			this.sessions?.follow(federation, scope, patience),
			this.pool.follow(federation, patience),
			this.local?.connections.follow(federation, patience),
		]);
	}

	handle(exchange: Exchange): void {
		exchange.facts.protocol = 'mcp';
		if (this.closed) return this.options.refuse(exchange, routeGone);
		const refusal = this.guard(exchange);
		if (refusal !== null) return this.options.refuse(exchange, refusal);
		const overSse = exchange.path === ssePath;
		if (exchange.method === 'POST') return this.post(exchange);
		if (exchange.method === 'GET' && this.stopping && !overSse)
			return refuse(exchange, 503, null, stopping, retryLater);
		if (exchange.method === 'GET') return overSse ? this.sse.get(exchange) : this.legacy.get(exchange);
		if (exchange.method === 'DELETE' && !overSse) return this.legacy.delete(exchange);
		this.options.refuse(exchange, notAllowed);
	}

	/** Serves the client of this process over stdio, with what serves the others over HTTP. Who asks for it closes it. */
	serveStdio(host: StdioHost): StdioServer {
		const open = (caller: Caller, version: string) => {
			const connections = new Connections(this.federation, caller, { lanes: null, resume: null });
			this.local = new Session(version, caller, connections);
			return this.local;
		};
		const { legacyDialogue: legacy, modernDialogue: modern, pool } = this;
		const { limits } = this.options;
		const parts = { legacy, modern, pool, open, maximumId: limits.maxIdBytes, limits: channelLimits(limits) };
		return new StdioServer(parts, host);
	}

	/** Ends the streams that would go on for ever, and refuses further ones, so that a drain comes to an end. */
	async endStreams(): Promise<void> {
		this.stopping = true;
		await Promise.all([this.sse.endStreams(), this.sessions?.endStreams(), this.modernDialogue.endStreams()]);
	}

	/** Ends all sessions and everything they hold. */
	async close(): Promise<void> {
		this.closed = true;
		this.parking.close();
		await Promise.all([this.sessions?.close(), this.pool.close()]);
	}

	private post(exchange: Exchange): void {
		const { 'content-type': type, accept } = exchange.headers;
		if (typeof type !== 'string' || !/^application\/json\s*(;|$)/i.test(type))
			return this.options.refuse(exchange, notJson);
		const overSse = exchange.path === ssePath;
		if (!overSse && typeof accept === 'string' && readAccept(accept) === 'neither')
			return this.options.refuse(exchange, notAcceptable);
		exchange.body(this.options.limits.maxBodySize, (body) => {
			if (!Buffer.isBuffer(body)) this.options.refuse(exchange, body);
			// The route was removed while the body was on its way.
			else if (this.closed) this.options.refuse(exchange, routeGone);
			else if (!overSse && isBatch(body)) this.batch(exchange, body);
			else this.message(exchange, body);
		});
	}

	private message(exchange: Exchange, body: Buffer): void {
		const envelope = readEnvelope(body, this.options.limits.maxIdBytes);
		if (isEnvelopeFault(envelope)) return refuseMessage(exchange, envelope);
		if (exchange.path === ssePath) return this.sse.post(exchange, envelope);
		const version = exchange.headers['mcp-protocol-version'];
		const era = classify(envelope, typeof version === 'string' ? version : null);
		if (era === 'modern') this.modern.post(exchange, envelope);
		else this.legacy.post(exchange, envelope);
	}

	private batch(exchange: Exchange, body: Buffer): void {
		const { maxBatch, maxIdBytes } = this.options.limits;
		const messages = readBatch(body, maxBatch, maxIdBytes);
		if ('status' in messages) refuseMessage(exchange, messages);
		else this.legacy.batch(exchange, messages);
	}
}

function openSessions(options: EndpointOptions): Sessions {
	const { federation, heartbeat, scope, holder, sessionTtl: ttl, limits } = options;
	const seal = createSeal(options.key, 'session id');
	const identity = { scope, holder, seal, lasting: options.keyLasts };
	return new Sessions({
		federation,
		heartbeat,
		identity,
		ttl,
		vanished: limits.vanishedTimeout,
		maximum: limits.maxSessions,
	});
}

function channelLimits({ maxStreamEvents, maxStreamBytes, maxResultSize }: McpLimits): ChannelLimits {
	return { maximumEvents: maxStreamEvents, maximumBytes: maxStreamBytes, maximumResponseBytes: maxResultSize };
}

function refuseMessage(exchange: Exchange, { status, id, code, message }: EnvelopeFault): void {
	refuse(exchange, status, id, mcpError(code, message));
}

const retryLater = ['retry-after', '5'];
const routeGone: Refusal = { refused: true, status: 404, reason: 'NotFound', message: 'route not found' };
const notAllowed: Refusal = {
	refused: true,
	status: 405,
	reason: 'InvalidRequest',
	message: 'MCP uses POST, GET and DELETE.',
	headers: ['allow', 'GET, POST, DELETE'],
};
const notJson: Refusal = {
	refused: true,
	status: 415,
	reason: 'InvalidRequest',
	message: 'The Content-Type must be application/json.',
};
const notAcceptable: Refusal = {
	refused: true,
	status: 406,
	reason: 'InvalidRequest',
	message: 'The Accept header must allow application/json or text/event-stream.',
};
