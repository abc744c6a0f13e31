import { type Dispatcher, request } from 'undici';

/** Decoded JSON, to be looked into without ceremony. */
export type Loose = ReturnType<typeof JSON.parse>;

/** What came back for one request. */
export interface WireReply {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	/** The JSON-RPC response as it was on the wire; empty when there was none. */
	text: string;
	/** The response decoded; numbers that a double cannot hold are lost here. */
	message: { id?: unknown; result?: Loose; error?: { code: number; message: string; data?: Loose } };
	/** Messages of the same stream before the response. */
	before: string[];
}

/** What a server may ask of this client: the result for a method and its params, or a promise of it. */
export type AnswerAsk = (method: string, params: Loose) => unknown;

export interface WireOptions {
	/** The capabilities object, as JSON text; default `{}`. */
	capabilities?: string;
	/** Old clients: the version to ask for; default 2025-11-25. */
	version?: string;
	dispatcher?: Dispatcher;
	answer?: AnswerAsk;
	/** Each notification, on whatever stream it comes. */
	onNote?(message: { method: string; params?: Loose }, text: string): void;
}

export interface SendOptions {
	/** JSON text; default the next free number. */
	id?: string;
	signal?: AbortSignal;
	headers?: Record<string, string>;
	/** New era: further members of `_meta`, as JSON text: `"progressToken":1`. */
	meta?: string;
	/** Each message of the reply's stream as it comes. */
	onMessage?(text: string): void;
}

/** An open stream of messages; `ended` resolves with what ended it. */
export interface WireStream {
	close(): void;
	readonly ended: Promise<void>;
}

const modernVersion = '2026-07-28';

/** A client that writes its JSON by hand and answers what servers ask. Params are JSON text. */
export class WireClient {
	readonly era: 'legacy' | 'modern';
	/** The session; empty in the new era. */
	session = '';
	/** Answer to `initialize` or `server/discover`. */
	greeting: WireReply = { status: 0, headers: {}, text: '', message: {}, before: [] };
	/** The version that the server agreed to. */
	version: string;
	readonly asked: { method: string; params: Loose }[] = [];
	private readonly url: string;
	private readonly options: WireOptions;
	private nextId = 1;

	private constructor(url: string, era: 'legacy' | 'modern', options: WireOptions) {
		this.url = url;
		this.era = era;
		this.options = options;
		this.version = era === 'modern' ? modernVersion : (options.version ?? '2025-11-25');
	}

	/** Shakes hands, or asks a new server what it is. */
	static async open(url: string, era: 'legacy' | 'modern', options: WireOptions = {}): Promise<WireClient> {
		const client = new WireClient(url, era, options);
		if (era === 'modern') {
			client.greeting = await client.request('server/discover', '{}', { id: '0' });
			return client;
		}
		const capabilities = options.capabilities ?? '{}';
		const info = '{"name":"wire","version":"1"}';
		const params = `{"protocolVersion":"${client.version}","capabilities":${capabilities},"clientInfo":${info}}`;
		const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
		client.greeting = await client.post(body, {});
		const session = client.greeting.headers['mcp-session-id'];
		if (typeof session !== 'string') throw new Error(`no session: ${client.greeting.status} ${client.greeting.text}`);
		client.session = session;
		client.version = client.greeting.message.result?.protocolVersion;
		await client.notify('notifications/initialized');
		return client;
	}

	request(method: string, params = '{}', options: SendOptions = {}): Promise<WireReply> {
		return this.post(
			this.bodyOf(method, params, options),
			{ ...this.headersOf(method, params), ...options.headers },
			options,
		);
	}

	/** The body that `request` sends. */
	bodyOf(method: string, params: string, { id, meta }: SendOptions): string {
		const own = this.era === 'modern' ? `"_meta":{${this.envelope()}${meta === undefined ? '' : `,${meta}`}}` : '';
		const more = this.era === 'legacy' && meta !== undefined ? `"_meta":{${meta}}` : own;
		const rest = params.trim().slice(1);
		const comma = more === '' || rest.trim() === '}' ? '' : ',';
		return `{"jsonrpc":"2.0","id":${id ?? this.nextId++},"method":"${method}","params":{${more}${comma}${rest}}`;
	}

	/** The headers that a request of this client has besides those of HTTP. */
	headersOf(method: string, params: string): Record<string, string> {
		if (this.era === 'legacy') return { 'mcp-session-id': this.session, 'mcp-protocol-version': this.version };
		const headers: Record<string, string> = { 'mcp-protocol-version': modernVersion, 'mcp-method': method };
		const { name, uri, taskId } = JSON.parse(params) as Record<string, unknown>;
		const mirrored = { 'tools/call': name, 'prompts/get': name, 'resources/read': uri }[method];
		const own = mirrored ?? (method.startsWith('tasks/') ? taskId : undefined);
		if (typeof own === 'string') headers['mcp-name'] = own;
		return headers;
	}

	async notify(method: string, params = '{}'): Promise<number> {
		const body = this.bodyOf(method, params, { id: 'none' }).replace('"id":none,', '');
		return (await this.post(body, this.headersOf(method, '{}'))).status;
	}

	/** Opens the stream of an old session, or a `subscriptions/listen` of the new era; resolves once it is open. */
	async listen(filter = '{}'): Promise<WireStream> {
		const aborter = new AbortController();
		if (this.era === 'legacy') {
			const headers = { ...this.headersOf('', '{}'), accept: 'text/event-stream' };
			const { statusCode, body } = await request(this.url, {
				headers,
				signal: aborter.signal,
				...this.dispatching(),
			});
			if (statusCode !== 200) throw new Error(`no stream: ${statusCode} ${await body.text()}`);
			const ended = this.readEvents(body).then(() => {});
			return { close: () => aborter.abort(), ended };
		}
		return new Promise((resolve, reject) => {
			const params = `{"notifications":${filter}}`;
			const opened = (text: string) => {
				if (text.includes('notifications/subscriptions/acknowledged')) resolve({ close: () => aborter.abort(), ended });
			};
			const ended = this.post(
				this.bodyOf('subscriptions/listen', params, {}),
				this.headersOf('subscriptions/listen', params),
				{ signal: aborter.signal, onMessage: opened },
			).then((reply) => reject(new Error(`no stream: ${reply.status} ${reply.text}`)));
			ended.catch(reject);
		});
	}

	/** DELETEs the session. */
	async end(): Promise<number> {
		const headers = this.headersOf('', '{}');
		const { statusCode, body } = await request(this.url, { method: 'DELETE', headers, ...this.dispatching() });
		await body.dump();
		return statusCode;
	}

	/** POSTs any text. */
	async post(
		body: string,
		headers: Record<string, string>,
		{ signal, onMessage }: Pick<SendOptions, 'signal' | 'onMessage'> = {},
	): Promise<WireReply> {
		const response = await request(this.url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
			body,
			...(signal === undefined ? {} : { signal }),
			...this.dispatching(),
		});
		const stream = String(response.headers['content-type']).startsWith('text/event-stream');
		const messages = stream ? await this.readEvents(response.body, onMessage) : [await response.body.text()];
		const isResponse = (text: string) => text !== '' && !/^\{"jsonrpc":"2\.0",(?:"id":[^{}]*?,)?"method"/.test(text);
		const text = isResponse(messages.at(-1) ?? '') ? (messages.pop() ?? '') : '';
		const message = text.startsWith('{') ? (JSON.parse(text) as WireReply['message']) : {};
		return { status: response.statusCode, headers: response.headers, text, message, before: messages };
	}

	private envelope(): string {
		const key = (name: string) => `"io.modelcontextprotocol/${name}"`;
		const info = '{"name":"wire","version":"1"}';
		return `${key('protocolVersion')}:"${modernVersion}",${key('clientCapabilities')}:${this.options.capabilities ?? '{}'},${key('clientInfo')}:${info}`;
	}

	/** Reads a stream to its end; gives all texts but the questions, which are answered. */
	private async readEvents(body: AsyncIterable<Buffer>, onMessage?: (text: string) => void): Promise<string[]> {
		const messages: string[] = [];
		const decoder = new TextDecoder();
		let rest = '';
		try {
			for await (const chunk of body) {
				const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
				rest = events.pop() ?? '';
				for (const text of events.map(dataOf)) {
					if (text === '') continue;
					onMessage?.(text);
					if (!this.take(text)) messages.push(text);
				}
			}
		} catch (error) {
			if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
		}
		return messages;
	}

	/** Answers a question, hands on a notification; true: it was a question. */
	private take(text: string): boolean {
		// Results may be large and odd: only their beginning is looked at.
		if (!/^\{[^{]*?"method"/.test(text)) return false;
		const { id, method, params } = JSON.parse(text) as { id?: unknown; method: string; params?: Loose };
		if (id === undefined) {
			this.options.onNote?.({ method, params }, text);
			return false;
		}
		this.asked.push({ method, params });
		void this.answerAsk(id, method, params);
		return true;
	}

	private async answerAsk(id: unknown, method: string, params: Loose): Promise<void> {
		const result = await this.options.answer?.(method, params);
		const outcome = result === undefined ? { error: { code: -32601, message: 'Not known' } } : { result };
		await this.post(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }), this.headersOf('', '{}'));
	}

	private dispatching(): { dispatcher?: Dispatcher } {
		return this.options.dispatcher === undefined ? {} : { dispatcher: this.options.dispatcher };
	}
}

function dataOf(event: string): string {
	return event
		.split('\n')
		.filter((one) => one.startsWith('data:'))
		.map((one) => one.slice(5).replace(/^ /, ''))
		.join('\n');
}
