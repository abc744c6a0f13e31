import type { Exchange } from '../http/exchange.ts';
import type { Logger } from '../telemetry/log.ts';
import { ObjectText } from './object-text.ts';
import { PlaygroundClient, detailOf } from './playground-client.ts';
import type { CallReply } from './playground-client.ts';
import { findEndpoint } from './playground-endpoint.ts';
import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import { wireFailure } from './playground-wire.ts';
import type { Wire, WireFailure } from './playground-wire.ts';
import { apiError, sendError, sendJson, sendMembers } from './replies.ts';
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

	private async open(wanted: PlaygroundConnect, signal: AbortSignal): Promise<Opened | WireFailure> {
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
		const opened = await openSession(client, endpoint, id, now, signal).finally(() => this.used(session));
		if (!opened.failed) return opened;
		logger.debug('playground could not connect', { url: endpoint.url, error: opened.error.error });
		this.end(id);
		return opened;
	}

	private async run(id: string, session: Session, wanted: Wanted, signal: AbortSignal): Promise<Ran | WireFailure> {
		const { now } = this.deps;
		const started = now();
		session.busy++;
		const reply = await callAgain(session.client, wanted, signal).finally(() => this.used(session));
		if (reply.failed) {
			if (reply.status === 410) this.end(id);
			return reply;
		}
		const { httpStatus, response, notifications } = reply;
		return {
			failed: false,
			value: { httpStatus, durationMs: since(started, now) },
			texts: { response, notifications },
		};
	}

	private used(session: Session): void {
		session.busy--;
		session.usedAt = this.deps.now();
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
	/** Text of a JSON object. */
	params: Buffer;
}

/** An answer of which some members stay the bytes that came. */
interface Told<Answer, Texts extends keyof Answer> {
	failed: false;
	value: Omit<Answer, Texts>;
	texts: Record<Texts, ObjectText | readonly ObjectText[]>;
}

type Opened = Told<PlaygroundSession, 'capabilities' | 'tools'>;
type Ran = Told<PlaygroundResult, 'response' | 'notifications'>;

async function openSession(
	client: PlaygroundClient,
	endpoint: PlaygroundEndpoint,
	id: string,
	now: () => number,
	signal: AbortSignal,
): Promise<Opened | WireFailure> {
	const started = now();
	const handshake = await client.open(signal);
	if (handshake.failed) return handshake;
	const { protocolVersion, serverInfo, instructions, capabilities } = handshake;
	const listed = capabilities.has('tools') ? await client.tools(signal) : null;
	if (listed?.failed) return listed;
	return {
		failed: false,
		value: {
			id,
			protocolVersion,
			serverInfo,
			instructions,
			durationMs: since(started, now),
			endpoint: endpoint.url,
		},
		texts: { capabilities, tools: listed?.tools ?? [] },
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
			reply.failed ? reply.error.detail : detailOf(reply.response.text),
		);
	}
	return (await client.reopen(session)) ?? client.call(method, params, signal);
}

/** Reads a body that must be a JSON object, or answers why not. */
function readObject(exchange: Exchange, use: (body: ObjectText) => void): void {
	exchange.body(bodyLimit, (body) => {
		if (!Buffer.isBuffer(body)) return sendError(exchange, body.status, apiError(body.message), body.headers);
		const value = ObjectText.read(body, {});
		if (typeof value === 'string')
			return sendError(exchange, 400, apiError('The body is not a JSON object.', sendObject, value));
		use(value);
	});
}

function answer(exchange: Exchange, work: Promise<Opened | Ran | WireFailure>): void {
	work.then(
		(value) => {
			if (value.failed) sendError(exchange, value.status, value.error);
			else sendMembers(exchange, 200, value.value, value.texts);
		},
		(error: unknown) => {
			const detail = error instanceof Error ? error.message : String(error);
			sendError(exchange, 500, apiError('The Playground failed.', 'Connect again.', detail));
		},
	);
}

function connectIn(body: ObjectText): PlaygroundConnect | null {
	const [bind, listener, route] = [body.string('bind'), body.string('listener'), body.string('route')];
	if (bind === null || listener === null || route === null) return null;
	const bearerToken = body.has('bearerToken') ? body.string('bearerToken') : '';
	if (bearerToken === '') return { bind, listener, route };
	// RFC 6750 b64token; anything else could not stand in a header.
	if (bearerToken === null || !/^[\w.~+/=:-]+$/.test(bearerToken)) return null;
	return { bind, listener, route, bearerToken };
}

function callIn(body: ObjectText): Wanted | null {
	const method = body.string('method');
	if (method === null || !/^[a-z][\w/.-]{0,127}$/i.test(method)) return null;
	if (method === 'initialize' || method.startsWith('notifications/')) return null;
	if (!body.has('params')) return { method, params: ObjectText.empty().text };
	const params = body.bytes('params');
	return params?.[0] === 0x7b ? { method, params } : null;
}

function since(started: number, now: () => number): number {
	return Math.round((now() - started) * 10) / 10;
}

function tooMany(): WireFailure {
	return wireFailure(429, 'All Playground sessions are busy.', 'Wait for a call to end, or close other tabs.');
}

const sendObject = 'Send one object, at most 128 levels deep, with no key twice.';

const unknownSession = apiError('This Playground session does not exist, or it has ended.', 'Connect again.');

const badConnect = apiError(
	'The body does not name a route.',
	'Send `{"bind": …, "listener": …, "route": …}` as they stand in /api/state; `bearerToken` must not contain spaces.',
);

const badCall = apiError(
	'The body is not a call.',
	'Send `{"method": "tools/call", "params": {…}}`; `initialize` and notifications are sent by the Playground itself.',
);
