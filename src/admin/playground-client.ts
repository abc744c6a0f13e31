import { inSlices } from '../lib/in-slices.ts';
import type { Look } from '../lib/json-scan.ts';
import { ObjectText } from './object-text.ts';
import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import { replyLimit, tooLongFailure, wireFailure } from './playground-wire.ts';
import type { Wire, WireFailure, WireReply } from './playground-wire.ts';

/** What the gateway said of itself when the session was opened. */
export interface Handshake {
	failed: false;
	protocolVersion: string;
	serverInfo: { name: string; version: string };
	instructions: string;
	capabilities: ObjectText;
}

/** A JSON-RPC reply, with what came before it on its stream. */
export interface CallReply {
	failed: false;
	httpStatus: number;
	response: ObjectText;
	notifications: ObjectText[];
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
/** One with more has been made to be hard to read. */
const membersOfTool = 1000;

/** What is looked at in the replies that the client itself needs. */
const looks = {
	initialize: { result: { serverInfo: {}, capabilities: {} }, error: {} },
	list: { result: { tools: { '[]': null } }, error: {} },
} satisfies Record<string, Look>;

const noParams = Buffer.from('{}');

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
		const params = Buffer.from(JSON.stringify(this.initializeParams()));
		const reply = await this.exchange('initialize', params, signal, looks.initialize, (headers) => {
			const id = headers['mcp-session-id'];
			this.sessionId = typeof id === 'string' ? id : null;
		});
		if (reply.failed) return reply;
		const failure = refusalOf(reply, 'initialize');
		if (failure !== null) return failure;
		const result = reply.response.object('result');
		this.negotiated = result?.string('protocolVersion') || protocolVersion;
		await this.notify('"method":"notifications/initialized"', signal);
		const server = result?.object('serverInfo');
		return {
			failed: false,
			protocolVersion: this.negotiated,
			serverInfo: { name: server?.string('name') ?? '', version: server?.string('version') ?? '' },
			instructions: result?.string('instructions') ?? '',
			capabilities: result?.object('capabilities') ?? ObjectText.empty(),
		};
	}

	/** All tools, page after page. */
	async tools(signal: AbortSignal): Promise<{ failed: false; tools: ObjectText[] } | WireFailure> {
		const tools: ObjectText[] = [];
		const seen = new Set<string>();
		let size = 0;
		for (let cursor: string | null = null; ; ) {
			const reply = await this.call('tools/list', pageParams(cursor), signal, looks.list);
			if (reply.failed) return reply;
			const failure = refusalOf(reply, 'tools/list');
			if (failure !== null) return failure;
			const page = reply.response.object('result');
			size += reply.response.text.length;
			if (size > replyLimit) return tooLongFailure('list of tools');
			await inSlices(page?.entries('tools') ?? [], (text) => {
				const tool = ObjectText.read(text, {}, membersOfTool);
				if (typeof tool !== 'string' && tool.string('name') !== null) tools.push(tool);
			});
			const nextCursor = page?.string('nextCursor') ?? null;
			if (nextCursor === null) return { failed: false, tools };
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
	 * Sends one request, whose `params` are the text of a JSON object. When the signal ends it, the server is told to stop, because in this version of MCP a closed
	 * connection does not mean that (basic/utilities/cancellation).
	 */
	async call(method: string, params: Buffer, signal: AbortSignal, look: Look = {}): Promise<CallReply | WireFailure> {
		const id = this.nextId;
		const reply = await this.exchange(method, params, signal, look);
		if (reply.failed && (reply.status === 499 || reply.status === 504)) {
			const why = reply.status === 499 ? 'Cancelled in the Playground' : 'Timed out in the Playground';
			const note = JSON.stringify({ requestId: id, reason: why });
			void this.notify(`"method":"notifications/cancelled","params":${note}`, AbortSignal.timeout(5000));
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
			onEvent: () => false,
		});
	}

	private async exchange(
		method: string,
		params: Buffer,
		signal: AbortSignal,
		look: Look,
		onHeaders?: (headers: WireReply['headers']) => void,
	): Promise<CallReply | WireFailure> {
		const id = this.nextId++;
		const notifications: ObjectText[] = [];
		let response: ObjectText | string = '';
		const take = (data: Buffer): boolean => {
			const message = ObjectText.read(data, look);
			if (typeof message === 'string') {
				response = message;
				return false;
			}
			if (!message.has('method')) {
				if (message.bytes('id')?.toString() === String(id)) response = message;
				return response === message;
			}
			notifications.push(message);
			if (message.has('id')) this.decline(message);
			return false;
		};
		const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":`;
		const reply = await this.options.wire(this.options.endpoint, {
			method: 'POST',
			headers: { ...this.headers(method === 'initialize'), 'content-type': 'application/json' },
			body: Buffer.concat([Buffer.from(head), params, Buffer.from('}')]),
			signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
			onEvent: take,
		});
		if (reply.failed) return reply;
		onHeaders?.(reply.headers);
		if (!reply.streamed) response = ObjectText.read(reply.body, look);
		if (typeof response === 'string') return noResponse(reply, method, response);
		if (!isResponse(response)) return noResponse(reply, method, 'neither a result nor an error');
		return { failed: false, httpStatus: reply.status, response, notifications };
	}

	/** The Playground offers no sampling, elicitation or roots; a ping is answered as every client must. */
	private decline(request: ObjectText): void {
		const method = request.string('method') ?? '';
		const message = `The Playground does not support ${method.slice(0, 200)}`;
		const outcome = method === 'ping' ? '"result":{}' : `"error":${JSON.stringify({ code: -32601, message })}`;
		const id = request.bytes('id')?.toString() ?? 'null';
		void this.notify(`"id":${id},${outcome}`, AbortSignal.timeout(5000));
	}

	/** `members`: what stands in the message behind `jsonrpc`. */
	private async notify(members: string, signal: AbortSignal): Promise<void> {
		await this.options.wire(this.options.endpoint, {
			method: 'POST',
			headers: { ...this.headers(), 'content-type': 'application/json' },
			body: Buffer.from(`{"jsonrpc":"2.0",${members}}`),
			signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
			onEvent: () => false,
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

	private initializeParams(): object {
		return {
			protocolVersion,
			capabilities: {},
			clientInfo: { name: 'agentgateway-playground', version: this.options.version },
		};
	}
}

function pageParams(cursor: string | null): Buffer {
	return cursor === null ? noParams : Buffer.from(JSON.stringify({ cursor }));
}

/** A failure when the reply to a request of the handshake is an error. */
function refusalOf(reply: CallReply, method: string): WireFailure | null {
	const error = reply.response.bytes('error');
	if (error === null) return null;
	return wireFailure(
		502,
		`The gateway answered \`${method}\` with an error: ${reply.response.object('error')?.string('message') || 'no message'}`,
		remedyFor(reply.httpStatus),
		detailOf(error),
	);
}

/** As much of a text as a person reads. */
export function detailOf(text: Buffer): string {
	return text.toString('utf8', 0, 2000);
}

function noResponse(reply: WireReply, method: string, why: string): WireFailure {
	const detail = `${method}: HTTP ${reply.status}${reply.body.length === 0 ? '' : `: ${detailOf(reply.body)}`}`;
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
		why === '' ? detail : `${why}; ${detail}`,
	);
}

function remedyFor(status: number): string {
	if (status === 401) return 'Enter a bearer token that this route accepts, then connect again.';
	if (status === 403) return 'A policy of the route forbids it. Look at its policies, or enter another bearer token.';
	if (status === 429) return 'A rate limit of the route was reached. Wait, then try again.';
	return 'Look at the state of the targets under Backends; the reason stands there.';
}

function isResponse(message: ObjectText): boolean {
	return message.has('result') || message.has('error');
}
