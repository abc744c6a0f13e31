import type { Backend, Exchange, Refusal } from '../http/exchange.ts';
import type { Heartbeat } from '../lib/heartbeat.ts';
import { createSeal } from '../lib/seal.ts';
import { Connections, type Federation } from './connections.ts';
import { mcpError } from './errors.ts';
import type { Caller } from './model.ts';
import { Parking } from './parked.ts';
import { Pool } from './pool.ts';
import { errorResponse } from './rpc-text.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { classify } from './wire/classify.ts';
import { isEnvelopeFault, readEnvelope } from './wire/envelope.ts';
import { LegacyFrontend } from './wire/legacy.ts';
import { LegacyDialogue } from './wire/legacy-dialogue.ts';
import { SseFrontend, ssePath } from './wire/legacy-sse.ts';
import { ModernFrontend } from './wire/modern.ts';
import { ModernDialogue } from './wire/modern-dialogue.ts';
import { type StdioHost, StdioServer } from './wire/stdio-server.ts';

export interface EndpointOptions {
	readonly federation: Federation;
	readonly stateful: boolean;
	/** Milliseconds without use after which a session ends. */
	readonly sessionTtl: number;
	readonly refuseWhenMissing: 'any' | 'all' | 'never';
	/** The gateway's own version. */
	readonly version: string;
	readonly heartbeat: Heartbeat;
	/** 32 bytes that seal what clients keep for the gateway. */
	readonly key: Buffer;
	/** Refuses requests that a foreign web page may have sent (DNS rebinding). null: let it pass. */
	guard(exchange: Exchange): Refusal | null;
	refuse(exchange: Exchange, refusal: Refusal): void;
}

/** A call whose server waits for the client's answer is given up after so long. */
const parkPatienceMs = 5 * 60_000;

/** Larger request bodies are refused with 413. */
export const maximumBodyBytes = 4 * 1024 * 1024;

/** The backend that speaks MCP over HTTP: reads the message, picks the era, hands it on. */
export class McpEndpoint implements Backend {
	private readonly options: EndpointOptions;
	private readonly sessions: Sessions | null;
	private readonly pool: Pool;
	private readonly parking: Parking;
	private readonly modernDialogue: ModernDialogue;
	private readonly legacyDialogue: LegacyDialogue;
	private readonly legacy: LegacyFrontend;
	private readonly sse: SseFrontend;
	private readonly modern: ModernFrontend;

	constructor(options: EndpointOptions) {
		const { federation, heartbeat, version } = options;
		this.options = options;
		this.sessions = options.stateful ? new Sessions(federation, options.sessionTtl, heartbeat) : null;
		this.pool = new Pool(federation, heartbeat);
		const { sessions, pool } = this;
		this.parking = new Parking(heartbeat, createSeal(options.key, 'request state'), parkPatienceMs);
		this.modernDialogue = new ModernDialogue({ pool, parking: this.parking, version });
		const dialogue = new LegacyDialogue({ version, refuseWhenMissing: options.refuseWhenMissing });
		this.legacyDialogue = dialogue;
		this.legacy = new LegacyFrontend({ sessions, pool, heartbeat, dialogue });
		this.sse = new SseFrontend({ sessions, heartbeat, dialogue });
		this.modern = new ModernFrontend({ dialogue: this.modernDialogue, heartbeat });
	}

	/** Sessions that are open now. */
	get openSessions(): number {
		return this.sessions?.size ?? 0;
	}

	handle(exchange: Exchange): void {
		exchange.facts.protocol = 'mcp';
		const refusal = this.options.guard(exchange);
		if (refusal !== null) return this.options.refuse(exchange, refusal);
		const overSse = exchange.path === ssePath;
		if (exchange.method === 'POST') return this.post(exchange);
		if (exchange.method === 'GET') return overSse ? this.sse.get(exchange) : this.legacy.get(exchange);
		if (exchange.method === 'DELETE' && !overSse) return this.legacy.delete(exchange);
		this.options.refuse(exchange, notAllowed);
	}

	/** Serves the client of this process over stdio, with what serves the others over HTTP. Who asks for it closes it. */
	serveStdio(host: StdioHost): StdioServer {
		const open = (caller: Caller, version: string) =>
			new Session(version, caller, new Connections(this.options.federation, caller, { lanes: null, resume: null }));
		return new StdioServer({ legacy: this.legacyDialogue, modern: this.modernDialogue, pool: this.pool, open }, host);
	}

	/** Ends the streams that would go on for ever, so that a drain comes to an end. */
	endStreams(): void {
		this.sse.endStreams();
		this.sessions?.endStreams();
		this.modernDialogue.endStreams();
	}

	/** Ends all sessions and everything they hold. */
	async close(): Promise<void> {
		this.parking.close();
		await Promise.all([this.sessions?.close(), this.pool.close()]);
	}

	private post(exchange: Exchange): void {
		const type = exchange.headers['content-type'];
		if (typeof type !== 'string' || !/^application\/json\s*(;|$)/i.test(type))
			return this.options.refuse(exchange, notJson);
		exchange.body(maximumBodyBytes, (body) => {
			if (!Buffer.isBuffer(body)) return this.options.refuse(exchange, body);
			const envelope = readEnvelope(body);
			if (isEnvelopeFault(envelope)) {
				exchange.facts.mcpErrorCode = envelope.code;
				exchange.facts.mcpErrorMessage = envelope.message;
				exchange.facts.reason = 'MCP';
				const text = errorResponse(envelope.id, mcpError(envelope.code, envelope.message));
				return exchange.respond(envelope.status, ['content-type', 'application/json'], text);
			}
			if (exchange.path === ssePath) return this.sse.post(exchange, envelope);
			const version = exchange.headers['mcp-protocol-version'];
			const era = classify(envelope, typeof version === 'string' ? version : null);
			if (era === 'modern') this.modern.post(exchange, envelope);
			else this.legacy.post(exchange, envelope);
		});
	}
}

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
