import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A JSON-RPC message as the server reads it. */
export interface Received {
	method: string;
	id?: string | number;
	params: Record<string, unknown>;
	/** The whole body as it came. */
	text: string;
	headers: IncomingMessage['headers'];
}

/** Takes over the answer to a method. */
export type Override = (message: Received, response: ServerResponse) => void;

export interface HttpMcpServerOptions {
	/** `modern`: 2026-07-28, `legacy`: up to 2025-11-25. */
	eras: readonly ('legacy' | 'modern')[];
	/** Names of the tools. */
	tools?: readonly string[];
	/** Items on a page of a list; default all. */
	pageSize?: number;
	/** Each page leads to the first. */
	looping?: boolean;
	/** How results come: as JSON, or as an event. */
	reply?: 'json' | 'events';
	capabilities?: Record<string, unknown>;
}

const everything = {
	tools: { listChanged: true },
	prompts: {},
	resources: { subscribe: true },
	logging: {},
	completions: {},
};

/** A Streamable HTTP MCP server without any library, whose every answer a test can change while it runs. */
export class HttpMcpServer {
	readonly received: Received[] = [];
	readonly sessions = new Set<string>();
	/** Open GET streams and `subscriptions/listen` replies. */
	readonly streams = new Set<{ response: ServerResponse; id?: string | number }>();
	/** Calls whose connection the other side closed before the answer. */
	aborted = 0;
	tools: readonly string[];
	/** Sees each HTTP request first; true: it has answered it. */
	intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
	private readonly overrides = new Map<string, Override>();
	private readonly options: HttpMcpServerOptions;
	private readonly server: Server;
	private counter = 0;

	private constructor(options: HttpMcpServerOptions) {
		this.options = options;
		this.tools = options.tools ?? ['echo', 'slow', 'progress', 'refuse'];
		this.server = createServer((request, response) => void this.accept(request, response));
	}

	static async start(options: HttpMcpServerOptions, port = 0): Promise<HttpMcpServer> {
		const one = new HttpMcpServer(options);
		await new Promise<void>((resolve) => one.server.listen(port, '127.0.0.1', resolve));
		return one;
	}

	get port(): number {
		return (this.server.address() as AddressInfo).port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}/mcp`;
	}

	/** Answers a method this way from now on; null: as before. */
	override(method: string, override: Override | null): void {
		if (override === null) this.overrides.delete(method);
		else this.overrides.set(method, override);
	}

	/** The same, and gives what there was before. */
	replace(method: string, override: Override | null): Override | null {
		const before = this.overrides.get(method) ?? null;
		this.override(method, override);
		return before;
	}

	/** Received messages of a method. */
	of(method: string): Received[] {
		return this.received.filter((one) => one.method === method);
	}

	/** Tells all who listen that the list of tools has changed. */
	toolsChanged(): void {
		for (const { response, id } of this.streams) {
			const meta =
				id === undefined ? '' : `,"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":${JSON.stringify(id)}}}`;
			response.write(`data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"${meta}}\n\n`);
		}
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private async accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (this.intercept?.(request, response) === true) return;
		if (request.method === 'GET') return this.openStream(response);
		if (request.method === 'DELETE') {
			this.sessions.delete(String(request.headers['mcp-session-id']));
			response.writeHead(200).end();
			return;
		}
		let text = '';
		for await (const chunk of request) text += String(chunk);
		const value = JSON.parse(text) as { id?: string | number; method?: string; params?: Record<string, unknown> };
		const message = { method: '', params: {}, ...value, text, headers: request.headers };
		this.received.push(message);
		response.on('close', () => {
			if (!response.writableFinished) this.aborted++;
		});
		const override = this.overrides.get(message.method);
		if (override !== undefined) override(message, response);
		else if (message.id === undefined) response.writeHead(202).end();
		else this.answer(message, response);
	}

	private answer(message: Received, response: ServerResponse): void {
		const modern = message.text.includes('"io.modelcontextprotocol/protocolVersion"');
		const refusal = this.refusal(message, modern);
		if (refusal !== null) return sendError(response, message, refusal.status, refusal.code, refusal.text, refusal.data);
		if (message.method === 'tools/call') return this.call(message, response);
		if (message.method === 'subscriptions/listen') return this.listen(message, response);
		const headers: Record<string, string> = {};
		if (message.method === 'initialize') {
			const session = `session-${++this.counter}`;
			this.sessions.add(session);
			headers['mcp-session-id'] = session;
		}
		const result = this.resultOf(message);
		if (result === null) return sendError(response, message, 200, -32601, 'Method not found');
		this.send(response, message, modern ? { resultType: 'complete', ...result } : result, headers);
	}

	private refusal(
		message: Received,
		modern: boolean,
	): { status: number; code: number; text: string; data?: unknown } | null {
		if (modern && !this.options.eras.includes('modern'))
			return { status: 400, code: -32000, text: 'Bad Request: Server not initialized' };
		if (!modern && !this.options.eras.includes('legacy'))
			return { status: 400, code: -32022, text: 'Unsupported protocol version', data: { supported: ['2026-07-28'] } };
		if (modern || message.method === 'initialize') return null;
		const known = this.sessions.has(String(message.headers['mcp-session-id']));
		return known ? null : { status: 404, code: -32001, text: 'Session not found' };
	}

	private resultOf({ method, params }: Received): Record<string, unknown> | null {
		const capabilities = this.options.capabilities ?? everything;
		const serverInfo = { name: 'http-fixture', version: '1.2.3' };
		switch (method) {
			case 'initialize':
				return { protocolVersion: '2025-11-25', capabilities, serverInfo };
			case 'server/discover':
				return {
					supportedVersions: ['2026-07-28'],
					capabilities,
					ttlMs: 0,
					cacheScope: 'private',
					_meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
				};
			case 'tools/list':
				return this.page(
					'tools',
					this.tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
					params,
				);
			case 'prompts/list':
				return this.page('prompts', [{ name: 'greet' }, { name: 'part' }], params);
			case 'prompts/get':
				return { messages: [{ role: 'user', content: { type: 'text', text: `prompt ${String(params['name'])}` } }] };
			case 'resources/list':
				return this.page('resources', [{ uri: 'file:///a?x=1+2', name: 'a' }], params);
			case 'resources/templates/list':
				return this.page('resourceTemplates', [{ uriTemplate: 'file:///{path}', name: 'files' }], params);
			case 'resources/read':
				return { contents: [{ uri: params['uri'], text: `content of ${String(params['uri'])}` }] };
			case 'completion/complete':
				return { completion: { values: [JSON.stringify(params['ref'])] } };
			case 'logging/setLevel':
			case 'ping':
				return {};
			default:
				return null;
		}
	}

	private page(key: string, items: readonly unknown[], params: Record<string, unknown>): Record<string, unknown> {
		const size = this.options.pageSize ?? items.length;
		const from = Number(params['cursor'] ?? 0);
		const next = this.options.looping === true ? 0 : from + size;
		const more = this.options.looping === true || next < items.length;
		return { [key]: items.slice(from, from + size), ...(more ? { nextCursor: String(next) } : {}) };
	}

	private call(message: Received, response: ServerResponse): void {
		const { name } = message.params;
		const modern = message.headers['mcp-protocol-version'] === '2026-07-28';
		const result = (value: Record<string, unknown>) => (modern ? { resultType: 'complete', ...value } : value);
		if (name === 'slow') return;
		if (name === 'refuse') return sendError(response, message, 200, -32042, 'refused by the tool', { why: 1.0 });
		const content = { content: [{ type: 'text', text: message.text }], isError: false };
		if (name !== 'progress') return this.send(response, message, result(content), {});
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		const token = (message.params['_meta'] as Record<string, unknown> | undefined)?.['progressToken'];
		if (token !== undefined) {
			const params = { progressToken: token, progress: 1, total: 2 };
			response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`);
		}
		response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: result(content) })}\n\n`);
	}

	private send(response: ServerResponse, message: Received, result: unknown, headers: Record<string, string>): void {
		const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
		if (this.options.reply !== 'events') {
			response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
			return;
		}
		response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
		response.end(`event: message\r\ndata: ${text}\r\n\r\n`);
	}

	private openStream(response: ServerResponse): void {
		if (!this.options.eras.includes('legacy')) {
			response.writeHead(405).end();
			return;
		}
		this.hold(response);
	}

	private listen(message: Received, response: ServerResponse): void {
		this.hold(response, message.id);
		const params = {
			_meta: { 'io.modelcontextprotocol/subscriptionId': message.id },
			notifications: message.params['notifications'],
		};
		response.write(
			`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params })}\n\n`,
		);
	}

	private hold(response: ServerResponse, id?: string | number): void {
		const stream = { response, ...(id === undefined ? {} : { id }) };
		this.streams.add(stream);
		response.on('close', () => this.streams.delete(stream));
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write(': open\n\n');
	}
}

/** Sends a JSON-RPC error with an HTTP status. */
export function sendError(
	response: ServerResponse,
	message: Received,
	status: number,
	code: number,
	text: string,
	data?: unknown,
): void {
	const error = { code, message: text, ...(data === undefined ? {} : { data }) };
	response.writeHead(status, { 'content-type': 'application/json' });
	response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, error }));
}
