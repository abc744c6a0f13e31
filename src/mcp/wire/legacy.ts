import type { Exchange } from '../../http/exchange.ts';
import type { Heartbeat } from '../../lib/heartbeat.ts';
import { code, mcpError } from '../errors.ts';
import type { Caller, McpError, Result } from '../model.ts';
import type { Pool } from '../pool.ts';
import { errorResponse } from '../rpc-text.ts';
import type { Session } from '../session.ts';
import type { Sessions } from '../sessions.ts';
import type { Envelope } from './envelope.ts';
import { HttpChannel } from './http-channel.ts';
import { legacyCodec } from './legacy-codec.ts';
import {
	callOf,
	chooseVersion,
	type LegacyDialogue,
	legacyVersions,
	openingCaller,
	tokenOf,
} from './legacy-dialogue.ts';
import { ListenStream } from './listen-stream.ts';
import { CallReply } from './reply.ts';

export interface LegacyOptions {
	/** null: `statefulMode: stateless`, no sessions. */
	readonly sessions: Sessions | null;
	readonly pool: Pool;
	readonly heartbeat: Heartbeat;
	readonly dialogue: LegacyDialogue;
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
			const error = mcpError(code.invalidRequest, `MCP-Protocol-Version ${version} is not supported`);
			return refuse(exchange, 400, envelope.id, error);
		}
		if (this.options.sessions === null) return this.stateless(exchange, envelope);
		const session = this.session(exchange, envelope.id);
		if (session === null) return;
		const { dialogue, heartbeat } = this.options;
		if (envelope.kind === 'request') {
			const channel = new HttpChannel(exchange, { heartbeat, headers: [], record: () => null });
			return dialogue.request(envelope, session, channel, exchange.facts);
		}
		if (envelope.kind === 'notification') dialogue.notification(envelope, session);
		else dialogue.response(envelope, session);
		exchange.respond(202, [], null);
	}

	/** Opens the session's stream for what belongs to no call. */
	get(exchange: Exchange): void {
		if (this.options.sessions === null) return notAllowed(exchange);
		const accept = header(exchange, 'accept');
		if (accept !== null && !accept.includes('text/event-stream') && !accept.includes('*/*')) {
			const error = mcpError(code.invalidRequest, 'a GET needs Accept: text/event-stream');
			return refuse(exchange, 406, null, error);
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
			const error = mcpError(code.invalidRequest, 'the Mcp-Session-Id header is missing; send initialize first');
			refuse(exchange, 400, id, error);
			return null;
		}
		const session = this.options.sessions?.find(sessionId);
		if (session === undefined) {
			const error = mcpError(code.invalidRequest, 'the session is unknown or has ended; send initialize again');
			refuse(exchange, 404, id, error);
			return null;
		}
		exchange.facts.mcpSession = session.id.slice(0, 8);
		return session;
	}

	private initialize(exchange: Exchange, envelope: Envelope): void {
		exchange.facts.mcpMethod = 'initialize';
		const version = chooseVersion(envelope);
		const caller = openingCaller(envelope);
		const { sessions, dialogue, heartbeat } = this.options;
		if (sessions === null) return this.greetStateless(exchange, envelope, caller, version);
		const session = sessions.open(caller, version);
		if (session === null) {
			const error = mcpError(code.internal, 'too many sessions are open');
			return refuse(exchange, 503, envelope.id, error, ['retry-after', '5']);
		}
		exchange.facts.mcpSession = session.id.slice(0, 8);
		const headers = ['mcp-session-id', session.id];
		const channel = new HttpChannel(exchange, { heartbeat, headers, record: () => null });
		const reply = new CallReply(channel, idOf(envelope), null, legacyCodec, exchange.facts, null);
		dialogue.greet(session.connections, version, (answer) => {
			if (isError(answer)) sessions.end(session.id);
			settle(reply, answer);
		});
	}

	private greetStateless(exchange: Exchange, envelope: Envelope, caller: Caller, version: string): void {
		const { pool, dialogue, heartbeat } = this.options;
		const lease = pool.lease(unasked(caller));
		if (lease === null) return refuse(exchange, 503, envelope.id, tooManyClients, ['retry-after', '5']);
		const channel = new HttpChannel(exchange, { heartbeat, headers: [], record: () => null });
		const reply = new CallReply(channel, idOf(envelope), null, legacyCodec, exchange.facts, null);
		reply.ended = () => lease.release();
		dialogue.greet(lease.connections, version, (answer) => settle(reply, answer));
	}

	private stateless(exchange: Exchange, envelope: Envelope): void {
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const { pool, heartbeat } = this.options;
		const lease = pool.lease(nobody);
		if (lease === null) return refuse(exchange, 503, envelope.id, tooManyClients, ['retry-after', '5']);
		const channel = new HttpChannel(exchange, { heartbeat, headers: [], record: () => null });
		const reply = new CallReply(channel, envelope.id, tokenOf(envelope), legacyCodec, exchange.facts, null);
		reply.ended = () => lease.release();
		if (envelope.method === 'ping') return reply.done(emptyResult);
		reply.follow(lease.connections.start(callOf(envelope, nobody), exchange.facts, reply));
	}
}

const nobody: Caller = {
	principal: 'anonymous',
	clientInfo: null,
	capabilities: Buffer.from('{}'),
	logLevel: null,
	handshake: true,
	interactive: false,
};

/** Without a session there is no way back to the client in mid-call, whatever it says it can do. */
function unasked(caller: Caller): Caller {
	return { ...nobody, clientInfo: caller.clientInfo };
}

const tooManyClients = mcpError(code.internal, 'too many clients at once');
const emptyResult: Result = { text: Buffer.from('{}'), type: 'complete', stamped: false };
const nullId = Buffer.from('null');

function idOf(envelope: Envelope): Buffer {
	return envelope.id ?? nullId;
}

function isError(answer: Result | McpError): answer is McpError {
	return 'code' in answer;
}

function settle(reply: CallReply, answer: Result | McpError): void {
	if (isError(answer)) reply.fail(answer);
	else reply.done(answer);
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
	error: McpError,
	headers: readonly string[] = [],
): void {
	exchange.facts.mcpErrorCode = error.code;
	exchange.facts.mcpErrorMessage = error.message;
	exchange.facts.reason = 'MCP';
	exchange.respond(status, ['content-type', 'application/json', ...headers], errorResponse(id, error));
}

function header(exchange: Exchange, name: string): string | null {
	const value = exchange.headers[name];
	return typeof value === 'string' ? value : null;
}
