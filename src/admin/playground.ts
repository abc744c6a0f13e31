import type { Exchange } from '../http/exchange.ts';
import type { Logger } from '../telemetry/log.ts';
import { PlaygroundClient } from './playground-client.ts';
import type { CallReply } from './playground-client.ts';
import { findEndpoint } from './playground-endpoint.ts';
import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import { parseObject, wireFailure } from './playground-wire.ts';
import type { JsonObject, Wire, WireFailure } from './playground-wire.ts';
import { apiError, sendError, sendJson } from './replies.ts';
import type { PlaygroundConnect, PlaygroundResult, PlaygroundSession, StateSnapshot } from './state.ts';

/** What the Playground is told. */
export interface PlaygroundDeps {
	snapshot(): StateSnapshot;
	wire: Wire;
	logger: Logger;
	randomBytes(size: number): Buffer;
	/** Milliseconds on the monotonic clock. */
	now(): number;
	/** Milliseconds that one call may take. Default 120,000. */
	timeoutMs?: number;
	/** Milliseconds after which an unused session ends. Default 600,000. */
	idleMs?: number;
}

const maxSessions = 20;
const bodyLimit = 1024 * 1024;

interface Session {
	client: PlaygroundClient;
	usedAt: number;
	/** Calls in flight. */
	busy: number;
}

/** The Playground's endpoints, and the MCP sessions that its pages have opened, at most 20. */
export class Playground {
	private readonly deps: PlaygroundDeps;
	private readonly idleMs: number;
	private readonly sessions = new Map<string, Session>();
	private readonly closing = new AbortController();
	private readonly sweeper: NodeJS.Timeout;

	constructor(deps: PlaygroundDeps) {
		this.deps = deps;
		this.idleMs = deps.idleMs ?? 600_000;
		this.sweeper = setInterval(() => this.sweep(), Math.min(30_000, this.idleMs));
		this.sweeper.unref();
	}

	/** POST /api/playground/connect: `PlaygroundConnect` → `PlaygroundSession`. */
	connect(exchange: Exchange): void {
		readObject(exchange, (body) => {
			const wanted = connectIn(body);
			if (wanted === null) return sendError(exchange, 400, badConnect);
			answer(exchange, this.open(wanted, this.signalFor(exchange)));
		});
	}

	/** POST /api/playground/sessions/{id}/call: `PlaygroundCall` → `PlaygroundResult`. */
	call(exchange: Exchange, id: string): void {
		const session = this.sessions.get(id);
		if (session === undefined) return sendError(exchange, 404, unknownSession);
		readObject(exchange, (body) => {
			const wanted = callIn(body);
			if (wanted === null) return sendError(exchange, 400, badCall);
			answer(exchange, this.run(id, session, wanted, this.signalFor(exchange)));
		});
	}

	/** DELETE /api/playground/sessions/{id}. */
	remove(exchange: Exchange, id: string): void {
		if (!this.sessions.has(id)) return sendError(exchange, 404, unknownSession);
		this.end(id);
		sendJson(exchange, 200, {});
	}

	/** Ends all sessions. */
	close(): void {
		clearInterval(this.sweeper);
		this.closing.abort();
		for (const id of this.sessions.keys()) this.end(id);
	}

	private async open(wanted: PlaygroundConnect, signal: AbortSignal): Promise<PlaygroundSession | WireFailure> {
		const { now, logger, randomBytes, wire, timeoutMs, snapshot } = this.deps;
		const state = snapshot();
		const endpoint = findEndpoint(state, wanted);
		if (typeof endpoint === 'string') return wireFailure(404, endpoint, 'Load the page again and pick a route.');
		if (!this.makeRoom()) return tooMany();
		const client = new PlaygroundClient({
			endpoint,
			wire,
			bearerToken: wanted.bearerToken ?? '',
			version: state.version,
			timeoutMs: timeoutMs ?? 120_000,
		});
		const id = randomBytes(16).toString('hex');
		const session = { client, usedAt: now(), busy: 1 };
		this.sessions.set(id, session);
		const opened = await openSession(client, endpoint, id, now, signal);
		session.busy--;
		session.usedAt = now();
		if (!('failed' in opened)) return opened;
		logger.debug('playground could not connect', { url: endpoint.url, error: opened.error.error });
		this.end(id);
		return opened;
	}

	private async run(
		id: string,
		session: Session,
		wanted: Wanted,
		signal: AbortSignal,
	): Promise<PlaygroundResult | WireFailure> {
		const { now } = this.deps;
		const started = now();
		session.busy++;
		const reply = await callAgain(session.client, wanted, signal);
		session.busy--;
		session.usedAt = now();
		if (reply.failed) {
			if (reply.status === 410) this.end(id);
			return reply;
		}
		const { httpStatus, response, notifications } = reply;
		return { httpStatus, durationMs: since(started, now), response, notifications };
	}

	private sweep(): void {
		const oldest = this.deps.now() - this.idleMs;
		for (const [id, session] of this.sessions) if (session.busy === 0 && session.usedAt <= oldest) this.end(id);
	}

	private end(id: string): void {
		const session = this.sessions.get(id);
		this.sessions.delete(id);
		void session?.client.close();
	}

	/** Room for one more: a session that a closed page left behind goes first. False: all are working. */
	private makeRoom(): boolean {
		if (this.sessions.size < maxSessions) return true;
		const unused = [...this.sessions].filter(([, { busy }]) => busy === 0);
		const oldest = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
		if (oldest !== undefined) this.end(oldest[0]);
		return oldest !== undefined;
	}

	/** Aborted when the page that asked has gone, or the admin port closes. */
	private signalFor(exchange: Exchange): AbortSignal {
		const gone = new AbortController();
		exchange.onGone(() => gone.abort());
		return AbortSignal.any([gone.signal, this.closing.signal]);
	}
}

interface Wanted {
	method: string;
	params: JsonObject;
}

async function openSession(
	client: PlaygroundClient,
	endpoint: PlaygroundEndpoint,
	id: string,
	now: () => number,
	signal: AbortSignal,
): Promise<PlaygroundSession | WireFailure> {
	const started = now();
	const handshake = await client.open(signal);
	if (handshake.failed) return handshake;
	const listed = 'tools' in handshake.capabilities ? await client.tools(signal) : null;
	if (listed?.failed) return listed;
	const { protocolVersion, serverInfo, instructions, capabilities } = handshake;
	return {
		id,
		protocolVersion,
		serverInfo,
		instructions,
		capabilities,
		tools: listed?.tools ?? [],
		durationMs: since(started, now),
		endpoint: endpoint.url,
	};
}

/** Sends a call. Lists change nothing, so they are read again in a new session when the gateway has forgotten this one. */
async function callAgain(
	client: PlaygroundClient,
	{ method, params }: Wanted,
	signal: AbortSignal,
): Promise<CallReply | WireFailure> {
	const { session } = client;
	const reply = await client.call(method, params, signal);
	if (reply.httpStatus !== 404 || session === null) return reply;
	if (!method.endsWith('/list')) {
		return wireFailure(
			410,
			'The gateway has ended this MCP session; the call was not carried out.',
			'Connect again, then repeat the call.',
			reply.failed ? reply.error.detail : JSON.stringify(reply.response),
		);
	}
	return (await client.reopen(session)) ?? client.call(method, params, signal);
}

/** Reads a body that must be a JSON object, or answers why not. */
function readObject(exchange: Exchange, use: (body: JsonObject) => void): void {
	exchange.body(bodyLimit, (body) => {
		if (!Buffer.isBuffer(body)) return sendError(exchange, body.status, apiError(body.message), body.headers);
		const value = parseObject(body.toString('utf8'));
		if (value === null) return sendError(exchange, 400, apiError('The body is not a JSON object.'));
		use(value);
	});
}

function answer(exchange: Exchange, work: Promise<object | WireFailure>): void {
	work.then(
		(value) => {
			if ('failed' in value) sendFailure(exchange, value as WireFailure);
			else sendJson(exchange, 200, value);
		},
		(error: unknown) => {
			const detail = error instanceof Error ? error.message : String(error);
			sendError(exchange, 500, apiError('The Playground failed.', 'Connect again.', detail));
		},
	);
}

function sendFailure(exchange: Exchange, { status, error }: WireFailure): void {
	sendError(exchange, status, error);
}

function connectIn(body: JsonObject): PlaygroundConnect | null {
	const { bind, listener, route, bearerToken } = body;
	if (typeof bind !== 'string' || typeof listener !== 'string' || typeof route !== 'string') return null;
	if (bearerToken === undefined || bearerToken === '') return { bind, listener, route };
	// RFC 6750 b64token; anything else could not stand in a header.
	if (typeof bearerToken !== 'string' || !/^[\w.~+/=:-]+$/.test(bearerToken)) return null;
	return { bind, listener, route, bearerToken };
}

function callIn(body: JsonObject): Wanted | null {
	const { method, params } = body;
	if (typeof method !== 'string' || !/^[a-z][\w/.-]{0,127}$/i.test(method)) return null;
	if (method === 'initialize' || method.startsWith('notifications/')) return null;
	if (params === undefined) return { method, params: {} };
	if (typeof params !== 'object' || params === null || Array.isArray(params)) return null;
	return { method, params: params as JsonObject };
}

function since(started: number, now: () => number): number {
	return Math.round((now() - started) * 10) / 10;
}

function tooMany(): WireFailure {
	return wireFailure(429, 'All Playground sessions are busy.', 'Wait for a call to end, or close other tabs.');
}

const unknownSession = apiError('This Playground session does not exist, or it has ended.', 'Connect again.');

const badConnect = apiError(
	'The body does not name a route.',
	'Send `{"bind": …, "listener": …, "route": …}` as they stand in /api/state; `bearerToken` must not contain spaces.',
);

const badCall = apiError(
	'The body is not a call.',
	'Send `{"method": "tools/call", "params": {…}}`; `initialize` and notifications are sent by the Playground itself.',
);
