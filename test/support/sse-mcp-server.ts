import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as the server reads it. */
export interface SseReceived {
	method?: string;
	id?: string | number;
	params?: Record<string, unknown>;
	headers: IncomingMessage['headers'];
	path: string;
}

export interface SseMcpServerOptions {
	/** What the endpoint event says, from the server's origin and a session; default `/message?sessionId=<session>`. */
	endpoint?(origin: string, session: string): string;
	/** Status of what was taken; default 202. */
	accepted?: number;
	/** Status for POSTs to the stream's own URL; default 405. */
	refused?: number;
	/** Path of the stream; default `/sse`. */
	path?: string;
	/** Sent before the endpoint event. */
	preamble?: string;
}

/** An MCP server of 2024-11-05 over HTTP+SSE, without any library. */
export class SseMcpServer {
	readonly received: SseReceived[] = [];
	/** Open streams by session. */
	readonly streams = new Map<string, ServerResponse>();
	/** GETs of the stream so far. */
	opened = 0;
	/** Each POST to the endpoint is answered so; true: done. */
	intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
	private readonly options: SseMcpServerOptions;
	private readonly server: Server;

	private constructor(options: SseMcpServerOptions) {
		this.options = options;
		this.server = createServer((request, response) => void this.accept(request, response));
	}

	static async start(options: SseMcpServerOptions = {}, port = 0): Promise<SseMcpServer> {
		const one = new SseMcpServer(options);
		await new Promise<void>((resolve) => one.server.listen(port, '127.0.0.1', resolve));
		return one;
	}

	get origin(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	get port(): number {
		return (this.server.address() as AddressInfo).port;
	}

	get url(): string {
		return `${this.origin}${this.options.path ?? '/sse'}`;
	}

	of(method: string): SseReceived[] {
		return this.received.filter((one) => one.method === method);
	}

	/** Sends a message over every stream. */
	say(message: unknown): void {
		for (const stream of this.streams.values()) stream.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private async accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? '/', this.origin);
		if (request.method === 'GET' && url.pathname === (this.options.path ?? '/sse')) return this.open(response);
		if (this.intercept?.(request, response) === true) return;
		const stream = this.streams.get(url.searchParams.get('sessionId') ?? '');
		if (request.method !== 'POST' || stream === undefined) {
			response.writeHead(this.options.refused ?? 405).end('no');
			return;
		}
		let text = '';
		for await (const chunk of request) text += String(chunk);
		const message = {
			...(JSON.parse(text) as object),
			headers: request.headers,
			path: request.url ?? '',
		} as SseReceived;
		this.received.push(message);
		response.writeHead(this.options.accepted ?? 202).end(this.options.accepted === 200 ? 'null' : 'Accepted');
		if (message.id !== undefined && message.method !== undefined) this.answer(message, stream);
	}

	private open(response: ServerResponse): void {
		const session = `s${++this.opened}`;
		this.streams.set(session, response);
		response.on('close', () => this.streams.delete(session));
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		const endpoint = this.options.endpoint?.(this.origin, session) ?? `/message?sessionId=${session}`;
		response.write(`${this.options.preamble ?? ''}event: endpoint\r\ndata: ${endpoint}\r\n\r\n`);
	}

	private answer({ id, method, params }: SseReceived, stream: ServerResponse): void {
		const send = (message: object) =>
			stream.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
		if (method === 'initialize') {
			const serverInfo = { name: 'sse-fixture', version: '1' };
			return void send({
				id,
				result: { protocolVersion: '2024-11-05', capabilities: { tools: {}, logging: {} }, serverInfo },
			});
		}
		if (method === 'tools/list') {
			const tools = ['echo', 'slow', 'progress', 'last'].map((name) => ({ name, inputSchema: { type: 'object' } }));
			return void send({ id, result: { tools } });
		}
		if (method !== 'tools/call') return void send({ id, error: { code: -32601, message: 'Method not found' } });
		const { name, _meta } = params ?? {};
		if (name === 'slow') return;
		if (name === 'last') return void stream.end();
		const token = (_meta as Record<string, unknown> | undefined)?.['progressToken'];
		if (name === 'progress' && token !== undefined)
			send({ method: 'notifications/progress', params: { progressToken: token, progress: 1, total: 2 } });
		send({ id, result: { content: [{ type: 'text', text: JSON.stringify(params) }] } });
	}
}
