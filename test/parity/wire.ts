import { type Dispatcher, request } from 'undici';

/** A decoded message, to be looked into without ceremony. */
export type Loose = ReturnType<typeof JSON.parse>;

/** What came back, whole. */
export interface Reply {
	readonly status: number;
	readonly headers: Record<string, string | string[] | undefined>;
	readonly text: string;
	/** The messages of a JSON body or of an event stream, in order. */
	readonly messages: Loose[];
	/** The last of them. */
	readonly last: Loose;
}

export interface Sent {
	method?: 'POST' | 'GET' | 'DELETE';
	headers?: Record<string, string>;
	/** Text as it is, anything else as JSON. */
	body?: unknown;
	signal?: AbortSignal;
}

const postHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** Sends one HTTP request and reads the reply to its end. */
export async function send(url: string, sent: Sent = {}): Promise<Reply> {
	const response = await open(url, sent);
	const text = await response.body.text();
	const type = String(response.headers['content-type']);
	const messages = type.includes('event-stream') ? eventsOf(text) : type.includes('json') ? [JSON.parse(text)] : [];
	return { status: response.statusCode, headers: response.headers, text, messages, last: messages.at(-1) };
}

/** A reply that goes on; `seen` grows. */
export interface Stream {
	readonly status: number;
	readonly headers: Record<string, string | string[] | undefined>;
	readonly seen: Loose[];
	readonly ended: Promise<void>;
	/** Everything so far as text. */
	text(): string;
	/** Stops reading, so that the sender's buffers fill; `resume` goes on. */
	pause(): void;
	resume(): void;
	close(): void;
}

/** Sends one HTTP request and resolves with its head. */
export async function stream(url: string, sent: Sent = { method: 'GET' }): Promise<Stream> {
	const aborter = new AbortController();
	const { statusCode, headers, body } = await open(url, { ...sent, signal: aborter.signal });
	const pieces: string[] = [];
	let rest = '';
	const seen: Loose[] = [];
	body.setEncoding('utf8');
	body.on('data', (piece: string) => {
		pieces.push(piece);
		rest += piece;
		const end = piece.includes('\n') ? rest.lastIndexOf('\n\n') : -1;
		if (end < 0) return;
		seen.push(...eventsOf(rest.slice(0, end)));
		rest = rest.slice(end + 2);
	});
	body.on('error', () => {});
	const ended = new Promise<void>((resolve) => body.on('close', () => resolve()));
	return {
		status: statusCode,
		headers,
		seen,
		ended,
		text: () => pieces.join(''),
		pause: () => body.pause(),
		resume: () => body.resume(),
		close: () => aborter.abort(),
	};
}

function open(url: string, { method = 'POST', headers, body, signal }: Sent): Promise<Dispatcher.ResponseData> {
	const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
	const standard = method === 'POST' ? postHeaders : method === 'GET' ? { accept: 'text/event-stream' } : {};
	return request(url, { method, headers: { ...standard, ...headers }, body: text, ...(signal ? { signal } : {}) });
}

/** The messages of a piece of an event stream. */
function eventsOf(text: string): Loose[] {
	return text
		.split('\n\n')
		.map((event) => /^data: ?(.+)$/m.exec(event)?.[1])
		.filter((data) => data?.startsWith('{') || data?.startsWith('['))
		.map((data) => JSON.parse(data ?? ''));
}

/** The first member of an object. */
export function firstOf(object: object): [key: string, value: Loose] {
	const [first] = Object.entries(object);
	if (first === undefined) throw new Error('an object without members');
	return first;
}

let lastId = 0;

/** A request message. */
export function message(method: string, params: object = {}): { id: number; method: string; params: object } {
	return { ...{ jsonrpc: '2.0' }, id: ++lastId, method, params };
}

/** A session of 2025-11-25, driven by hand. */
export class Session {
	readonly url: string;
	readonly headers: Record<string, string>;
	/** The result of `initialize`. */
	readonly greeting: Loose;

	private constructor(url: string, headers: Record<string, string>, greeting: Loose) {
		this.url = url;
		this.headers = headers;
		this.greeting = greeting;
	}

	/** `headers` go with each request. */
	static async open(url: string, capabilities: object = {}, headers: Record<string, string> = {}): Promise<Session> {
		const reply = await send(url, { headers, body: initialize(capabilities) });
		if (reply.last?.result === undefined) throw new Error(`no session: ${reply.status} ${reply.text}`);
		const id = reply.headers['mcp-session-id'];
		const all: Record<string, string> = { ...headers, 'mcp-protocol-version': '2025-11-25' };
		if (typeof id === 'string') all['mcp-session-id'] = id;
		const session = new Session(url, all, reply.last.result);
		await session.notify('notifications/initialized');
		return session;
	}

	get id(): string {
		return this.headers['mcp-session-id'] ?? '';
	}

	request(method: string, params: object = {}): Promise<Reply> {
		return send(this.url, { headers: this.headers, body: message(method, params) });
	}

	/** The result of a request that must not fail. */
	async result(method: string, params: object = {}): Promise<Loose> {
		const reply = await this.request(method, params);
		if (reply.last?.result === undefined) throw new Error(`${method} failed: ${reply.status} ${reply.text}`);
		return reply.last.result;
	}

	notify(method: string, params: object = {}): Promise<Reply> {
		return send(this.url, { headers: this.headers, body: { jsonrpc: '2.0', method, params } });
	}

	/** The answer to a server's request. */
	answer(id: unknown, outcome: object): Promise<Reply> {
		return send(this.url, { headers: this.headers, body: { jsonrpc: '2.0', id, ...outcome } });
	}

	/** The stream of a request, while it goes on. */
	stream(method: string, params: object = {}): Promise<Stream> {
		return stream(this.url, { headers: this.headers, body: message(method, params) });
	}

	/** The session's own stream. */
	listen(headers: Record<string, string> = {}): Promise<Stream> {
		return stream(this.url, { method: 'GET', headers: { ...this.headers, ...headers } });
	}

	end(): Promise<Reply> {
		return send(this.url, { method: 'DELETE', headers: this.headers });
	}
}

/** The first message of an old client. */
export function initialize(capabilities: object = {}, protocolVersion = '2025-11-25'): Loose {
	return message('initialize', { protocolVersion, capabilities, clientInfo: { name: 'parity', version: '1' } });
}

export const modernVersion = '2026-07-28';
const key = (name: string) => `io.modelcontextprotocol/${name}`;
export const versionKey = key('protocolVersion');
export const capabilitiesKey = key('clientCapabilities');
export const infoKey = key('clientInfo');

/** The `_meta` of a new client; what `changes` gives replaces a member, undefined takes it out. */
export function modernMeta(changes: Record<string, unknown> = {}): Record<string, unknown> {
	const info = { name: 'parity', version: '1' };
	return { [versionKey]: modernVersion, [capabilitiesKey]: {}, [infoKey]: info, ...changes };
}

/** A request of a new client, with the headers that belong to it. */
export function modern(method: string, params: Loose = {}, meta: Record<string, unknown> = {}): Sent {
	const headers: Record<string, string> = { 'mcp-protocol-version': modernVersion, 'mcp-method': method };
	const name = params.name ?? params.uri ?? params.taskId;
	if (typeof name === 'string') headers['mcp-name'] = name;
	return { headers, body: message(method, { ...params, _meta: modernMeta(meta) }) };
}
