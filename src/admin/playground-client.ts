import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import { parseObject, wireFailure } from './playground-wire.ts';
import type { JsonObject, Wire, WireFailure, WireReply } from './playground-wire.ts';
import type { PlaygroundTool } from './state.ts';

/** What the gateway said of itself when the session was opened. */
export interface Handshake {
	failed: false;
	protocolVersion: string;
	serverInfo: { name: string; version: string };
	instructions: string;
	capabilities: JsonObject;
}

/** A JSON-RPC reply, with what came before it on its stream. */
export interface CallReply {
	failed: false;
	httpStatus: number;
	response: JsonObject;
	notifications: JsonObject[];
}

export interface PlaygroundClientOptions {
	endpoint: PlaygroundEndpoint;
	wire: Wire;
	/** Sent as `Authorization: Bearer …` when not empty. */
	bearerToken: string;
	/** Version of the gateway, for `clientInfo`. */
	version: string;
	/** Milliseconds that one request may take. */
	timeoutMs: number;
}

const protocolVersion = '2025-11-25';
const maxPages = 100;

/**
 * An MCP client of the legacy Streamable HTTP kind (MCP 2025-11-25, basic/transports) that goes through the gateway's
 * own listener, so that every policy of the route counts. It offers the server nothing: requests from it are declined.
 */
export class PlaygroundClient {
	private readonly options: PlaygroundClientOptions;
	private sessionId: string | null = null;
	private negotiated: string | null = null;
	private nextId = 1;
	private reopening: Promise<WireFailure | null> | null = null;

	constructor(options: PlaygroundClientOptions) {
		this.options = options;
	}

	/** Opens an MCP session in place of an earlier one, if there was any. */
	async open(signal: AbortSignal): Promise<Handshake | WireFailure> {
		const reply = await this.exchange('initialize', this.initializeParams(), signal, (headers) => {
			const id = headers['mcp-session-id'];
			this.sessionId = typeof id === 'string' ? id : null;
		});
		if (reply.failed) return reply;
		const failure = refusalOf(reply, 'initialize');
		if (failure !== null) return failure;
		const result = objectIn(reply.response, 'result');
		this.negotiated = textIn(result, 'protocolVersion') || protocolVersion;
		await this.notify({ jsonrpc: '2.0', method: 'notifications/initialized' }, signal);
		const server = objectIn(result, 'serverInfo');
		return {
			failed: false,
			protocolVersion: this.negotiated,
			serverInfo: { name: textIn(server, 'name'), version: textIn(server, 'version') },
			instructions: textIn(result, 'instructions'),
			capabilities: objectIn(result, 'capabilities'),
		};
	}

	/** All tools, page after page. */
	async tools(signal: AbortSignal): Promise<{ failed: false; tools: PlaygroundTool[] } | WireFailure> {
		const tools: PlaygroundTool[] = [];
		const seen = new Set<string>();
		for (let cursor: string | null = null; ; ) {
			const reply = await this.call('tools/list', cursor === null ? {} : { cursor }, signal);
			if (reply.failed) return reply;
			const failure = refusalOf(reply, 'tools/list');
			if (failure !== null) return failure;
			const { tools: page, nextCursor } = objectIn(reply.response, 'result');
			if (Array.isArray(page)) tools.push(...page.filter(isTool));
			if (typeof nextCursor !== 'string') return { failed: false, tools };
			if (seen.has(nextCursor) || seen.size + 1 >= maxPages) {
				return wireFailure(
					502,
					`The list of tools has no end: more than ${maxPages} pages, or one page after itself.`,
					'Look at the server behind this route; its cursors are wrong.',
				);
			}
			seen.add(nextCursor);
			cursor = nextCursor;
		}
	}

	/**
	 * Sends one request. When the signal ends it, the server is told to stop, because in this version of MCP a closed
	 * connection does not mean that (basic/utilities/cancellation).
	 */
	async call(method: string, params: JsonObject, signal: AbortSignal): Promise<CallReply | WireFailure> {
		const id = this.nextId;
		const reply = await this.exchange(method, params, signal);
		if (reply.failed && (reply.status === 499 || reply.status === 504)) {
			const why = reply.status === 499 ? 'Cancelled in the Playground' : 'Timed out in the Playground';
			const note = { requestId: id, reason: why };
			void this.notify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: note }, AbortSignal.timeout(5000));
		}
		return reply;
	}

	/** The id of the open session; null where the gateway gave none. */
	get session(): string | null {
		return this.sessionId;
	}

	/**
	 * Opens a new session in place of one that the gateway has forgotten. Calls that find this out at the same time
	 * share the new one. null: it is open.
	 */
	async reopen(forgotten: string): Promise<WireFailure | null> {
		if (this.reopening === null) {
			if (this.sessionId !== forgotten) return null;
			// Not ended with the call that asked: others may wait for it too.
			this.reopening = this.open(AbortSignal.timeout(this.options.timeoutMs))
				.then((handshake) => (handshake.failed ? handshake : null))
				.finally(() => {
					this.reopening = null;
				});
		}
		return this.reopening;
	}

	/** Ends the MCP session. Never fails: the gateway ends forgotten sessions by itself. */
	async close(): Promise<void> {
		if (this.sessionId === null) return;
		const headers = this.headers();
		this.sessionId = null;
		await this.options.wire(this.options.endpoint, {
			method: 'DELETE',
			headers,
			body: null,
			signal: AbortSignal.timeout(5000),
			onMessage: () => false,
		});
	}

	private async exchange(
		method: string,
		params: JsonObject,
		signal: AbortSignal,
		onHeaders?: (headers: WireReply['headers']) => void,
	): Promise<CallReply | WireFailure> {
		const id = this.nextId++;
		const notifications: JsonObject[] = [];
		let response: JsonObject | null = null;
		const take = (message: JsonObject): boolean => {
			if (message.method === undefined) {
				if (message.id === id) response = message;
				return response !== null;
			}
			notifications.push(message);
			if (message.id !== undefined) this.decline(message);
			return false;
		};
		const reply = await this.options.wire(this.options.endpoint, {
			method: 'POST',
			headers: { ...this.headers(method === 'initialize'), 'content-type': 'application/json' },
			body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
			signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
			onMessage: take,
		});
		if (reply.failed) return reply;
		onHeaders?.(reply.headers);
		if (!reply.streamed) response = parseObject(reply.body);
		if (response === null || !isResponse(response)) return noResponse(reply, method);
		return { failed: false, httpStatus: reply.status, response, notifications };
	}

	/** The Playground offers no sampling, elicitation or roots; a ping is answered as every client must. */
	private decline(request: JsonObject): void {
		const { id, method } = request;
		const answer =
			method === 'ping'
				? { jsonrpc: '2.0', id, result: {} }
				: { jsonrpc: '2.0', id, error: { code: -32601, message: `The Playground does not support ${String(method)}` } };
		void this.notify(answer, AbortSignal.timeout(5000));
	}

	private async notify(message: JsonObject, signal: AbortSignal): Promise<void> {
		await this.options.wire(this.options.endpoint, {
			method: 'POST',
			headers: { ...this.headers(), 'content-type': 'application/json' },
			body: JSON.stringify(message),
			signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
			onMessage: () => false,
		});
	}

	/** A request that opens a session names none, and no version yet. */
	private headers(opening = false): Record<string, string> {
		const { bearerToken } = this.options;
		return {
			accept: 'application/json, text/event-stream',
			...(bearerToken === '' ? {} : { authorization: `Bearer ${bearerToken}` }),
			...(opening || this.sessionId === null ? {} : { 'mcp-session-id': this.sessionId }),
			...(opening || this.negotiated === null ? {} : { 'mcp-protocol-version': this.negotiated }),
		};
	}

	private initializeParams(): JsonObject {
		return {
			protocolVersion,
			capabilities: {},
			clientInfo: { name: 'agentgateway-playground', version: this.options.version },
		};
	}
}

/** A failure when the reply to a request of the handshake is an error. */
function refusalOf(reply: CallReply, method: string): WireFailure | null {
	if (reply.response.error === undefined) return null;
	const error = objectIn(reply.response, 'error');
	return wireFailure(
		502,
		`The gateway answered \`${method}\` with an error: ${textIn(error, 'message') || 'no message'}`,
		remedyFor(reply.httpStatus),
		JSON.stringify(error).slice(0, 2000),
	);
}

function noResponse(reply: WireReply, method: string): WireFailure {
	const detail = `${method}: HTTP ${reply.status}${reply.body === '' ? '' : `: ${reply.body.slice(0, 2000)}`}`;
	if (reply.status === 404) {
		const failure = wireFailure(
			502,
			'The gateway found no route or session for this request (HTTP 404).',
			'Connect again. If that fails, the route asks for a method, header or query that the Playground does not send.',
			detail,
		);
		return { ...failure, httpStatus: 404 };
	}
	if (reply.status >= 400) {
		const failure = wireFailure(
			502,
			`The gateway answered with HTTP ${reply.status}.`,
			remedyFor(reply.status),
			detail,
		);
		return { ...failure, httpStatus: reply.status };
	}
	return wireFailure(
		502,
		reply.streamed ? 'The stream ended without an answer.' : 'The answer is not an MCP message.',
		'Look at the state of the target and at the log of the gateway.',
		detail,
	);
}

function remedyFor(status: number): string {
	if (status === 401) return 'Enter a bearer token that this route accepts, then connect again.';
	if (status === 403) return 'A policy of the route forbids it. Look at its policies, or enter another bearer token.';
	if (status === 429) return 'A rate limit of the route was reached. Wait, then try again.';
	return 'Look at the state of the targets under Backends; the reason stands there.';
}

function isResponse(message: JsonObject): boolean {
	return 'result' in message || 'error' in message;
}

function isTool(value: unknown): value is PlaygroundTool {
	return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

function objectIn(value: JsonObject, name: string): JsonObject {
	const member = value[name];
	return typeof member === 'object' && member !== null && !Array.isArray(member) ? (member as JsonObject) : {};
}

function textIn(value: JsonObject, name: string): string {
	const member = value[name];
	return typeof member === 'string' ? member : '';
}
