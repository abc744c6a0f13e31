import type { Exchange } from '../../http/exchange.ts';
import { code, mcpError, stopping } from '../errors.ts';
import type { McpError, Result } from '../model.ts';
import { errorResponse } from '../rpc-text.ts';
import type { NoSession } from '../sessions/session-revival.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { type ReplyForm, readAccept } from './accept.ts';
import { BatchReply } from './batch.ts';
import { anonymous, metaKeys } from './callers.ts';
import { type Envelope, type EnvelopeFault, isEnvelopeFault } from './envelope.ts';
import { HttpChannel, type HttpChannelOptions } from './http-channel.ts';
import { HttpSession, type HttpSessionOptions } from './http-session.ts';
import { legacyCodec } from './legacy-codec.ts';
import { chooseVersion, type LegacyDialogue, legacyVersions } from './legacy-dialogue.ts';
import { header, refuse } from './refusals.ts';
import { CallReply } from './reply.ts';

export interface LegacyOptions {
	readonly sessions: Sessions;
	readonly dialogue: LegacyDialogue;
	/** For replies outside sessions, which nobody can resume. */
	readonly channel: HttpChannelOptions;
	readonly http: HttpSessionOptions;
}

/** The only revision with batches. */
const batchVersion = '2025-03-26';

/** Serves clients of the revisions 2024-11-05 to 2025-11-25 over Streamable HTTP, in sessions. */
export class LegacyFrontend {
	private readonly options: LegacyOptions;
	/** What HTTP adds to each session that was used. */
	private readonly resumable = new WeakMap<Session, HttpSession>();

	constructor(options: LegacyOptions) {
		this.options = options;
	}

	post(exchange: Exchange, envelope: Envelope): void {
		const form = readAccept(header(exchange, 'accept'));
		if (envelope.kind === 'request' && envelope.method === 'initialize')
			return this.initialize(exchange, envelope, form);
		if (!supportsVersion(exchange, envelope.id)) return;
		const session = this.session(exchange, envelope.id);
		if (session === null) return;
		if (envelope.kind === 'request') {
			const channel = new HttpChannel(exchange, this.http(session), form);
			this.options.dialogue.request(envelope, session, channel, exchange.facts);
			return channel.begun();
		}
		this.silent(envelope, session, exchange);
		exchange.respond(202, [], null);
	}

	/** Several messages at once, as clients of 2025-03-26 may send them. */
	batch(exchange: Exchange, messages: readonly (Envelope | EnvelopeFault)[]): void {
		// A client of the new era that is told nothing of its version is told that there is no such thing as a batch.
		if (messages.some((one) => !isEnvelopeFault(one) && one.meta.some(({ key }) => key === metaKeys.version)))
			return refuse(exchange, 400, null, noBatches);
		if (!supportsVersion(exchange, null)) return;
		const session = this.session(exchange, null);
		if (session === null) return;
		if (session.protocolVersion !== batchVersion) return refuse(exchange, 400, null, noBatches);
		const expected = messages.filter((one) => isEnvelopeFault(one) || one.kind === 'request').length;
		if (expected === 0) {
			for (const one of messages) this.silent(one, session, exchange);
			return exchange.respond(202, [], null);
		}
		const channel = new HttpChannel(exchange, this.http(session), readAccept(header(exchange, 'accept')));
		const reply = new BatchReply(channel, expected);
		channel.begun();
		for (const one of messages) {
			if (isEnvelopeFault(one)) reply.answered(errorResponse(one.id, mcpError(one.code, one.message)));
			else if (one.kind !== 'request') this.silent(one, session, exchange);
			else if (one.method === 'initialize') reply.answered(errorResponse(one.id, notInBatch));
			else this.options.dialogue.request(one, session, reply.part(), exchange.facts);
		}
	}

	/** Opens the session's stream for what belongs to no call, or goes on with a stream that the client has lost. */
	get(exchange: Exchange): void {
		const form = readAccept(header(exchange, 'accept'));
		if (form === 'neither' || form === 'json-only') {
			const error = mcpError(code.invalidRequest, 'a GET needs Accept: text/event-stream');
			return refuse(exchange, 406, null, error);
		}
		if (!supportsVersion(exchange, null)) return;
		const session = this.session(exchange, null);
		if (session !== null) this.http(session).get(exchange, header(exchange, 'last-event-id'));
	}

	/** Ends the session. */
	delete(exchange: Exchange): void {
		if (!supportsVersion(exchange, null)) return;
		const session = this.session(exchange, null);
		if (session === null) return;
		this.options.sessions.end(session);
		exchange.respond(204, [], null);
	}

	/** The session of a request; null when the request was refused. */
	private session(exchange: Exchange, id: Buffer | null): Session | null {
		const sessionId = header(exchange, 'mcp-session-id');
		const found = sessionId === null ? 'missing' : this.options.sessions.find(sessionId, anonymous);
		if (typeof found === 'string') {
			const { status, error, headers } = refusals[found];
			refuse(exchange, status, id, error, headers);
			return null;
		}
		exchange.facts.mcpSession = found.id.slice(0, 8);
		return found;
	}

	private http(session: Session): HttpSession {
		const known = this.resumable.get(session);
		if (known !== undefined) return known;
		const made = new HttpSession(session, this.options.http);
		this.resumable.set(session, made);
		return made;
	}

	/** A message that is not answered. */
	private silent(message: Envelope | EnvelopeFault, session: Session, exchange: Exchange): void {
		if (isEnvelopeFault(message)) return;
		if (message.kind === 'notification') this.options.dialogue.notification(message, session, exchange);
		else this.options.dialogue.response(message, session, exchange);
	}

	/** The reply begins when the targets have been heard: the session id in its headers tells of them. */
	private initialize(exchange: Exchange, envelope: Envelope, form: ReplyForm): void {
		exchange.facts.mcpMethod = 'initialize';
		const version = chooseVersion(envelope);
		const { sessions, dialogue, channel } = this.options;
		const session = sessions.open(dialogue.openedBy(envelope), version);
		if (session === null) {
			const { status, error, headers } = refusals.full;
			return refuse(exchange, status, envelope.id, error, headers);
		}
		let over = false;
		const end = () => {
			// Nobody has learnt the id.
			if (!over) sessions.end(session);
			over = true;
		};
		exchange.onGone(end);
		exchange.expiring = {
			expire: () => {
				if (over) return;
				end();
				refuse(exchange, 503, envelope.id, stopping, ['retry-after', '5']);
			},
		};
		dialogue.greet(session.connections, version, (answer) => {
			if (over) return;
			over = true;
			const outcome = isError(answer) || sessions.admit(session) ? answer : stopping;
			if (isError(outcome)) sessions.end(session);
			else exchange.facts.mcpSession = session.id.slice(0, 8);
			const headers = isError(outcome) ? [] : ['mcp-session-id', session.id];
			const reply = new HttpChannel(exchange, { ...channel, headers }, form);
			settle(new CallReply(reply, envelope.id ?? nullId, null, legacyCodec, exchange.facts, null), outcome);
		});
	}
}

/** Whether the version that a request claims is one of those served here; the request is refused if it is not. */
export function supportsVersion(exchange: Exchange, id: Buffer | null): boolean {
	const version = header(exchange, 'mcp-protocol-version');
	if (version === null || legacyVersions.includes(version)) return true;
	refuse(exchange, 400, id, mcpError(code.invalidRequest, `MCP-Protocol-Version ${version} is not supported`));
	return false;
}

/** Ends a reply with the answer to `initialize`. */
export function settle(reply: CallReply, answer: Result | McpError): void {
	if (isError(answer)) reply.fail(answer);
	else reply.done(answer);
}

function isError(answer: Result | McpError): answer is McpError {
	return 'code' in answer;
}

interface SessionRefusal {
	readonly status: number;
	readonly error: McpError;
	readonly headers: readonly string[];
}

const refusals: Readonly<Record<NoSession | 'full' | 'missing', SessionRefusal>> = {
	missing: {
		status: 400,
		error: mcpError(code.invalidRequest, 'the Mcp-Session-Id header is missing; send initialize first'),
		headers: [],
	},
	malformed: {
		status: 400,
		error: mcpError(code.invalidRequest, 'the Mcp-Session-Id header holds no id that this gateway gave'),
		headers: [],
	},
	unknown: {
		status: 404,
		error: mcpError(code.invalidRequest, 'the session is unknown or has ended; send initialize again'),
		headers: [],
	},
	full: { status: 503, error: mcpError(code.internal, 'too many sessions are open'), headers: ['retry-after', '5'] },
};

const noBatches = mcpError(
	code.invalidRequest,
	`batches exist only in sessions of MCP ${batchVersion}; send each message by itself`,
);
const notInBatch = mcpError(code.invalidRequest, 'initialize cannot be part of a batch');
const nullId = Buffer.from('null');
