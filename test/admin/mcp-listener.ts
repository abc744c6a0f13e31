import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the listener differs from a good one. */
export interface McpOptions {
	/** Only stands in the route's view. */
	hostname?: string;
	/** Pages of tools, one tool each. */
	pages?: number;
	/** Every page names itself as the next one. */
	sameCursor?: boolean;
	/** Answers everything with this status. */
	status?: number;
	/** Answers everything with HTML. */
	garbage?: boolean;
	initializeError?: string;
	noTools?: boolean;
	/** The result of the tool `large`, as it goes out. */
	large?: Buffer;
	/** The description of each tool. */
	description?: string;
	/** Tools of the only page, as they go out. */
	tools?: string;
}

interface Message {
	id?: string | number;
	method?: string;
	params?: { name?: string; arguments?: unknown; cursor?: string };
}

/** What a message looked like when it arrived. */
export interface Seen {
	method: string;
	path: string;
	headers: IncomingHttpHeaders;
	body: Message;
}

/** A small MCP server over Streamable HTTP (2025-11-25) in the gateway's place. */
export interface McpListener {
	port: number;
	seen: Seen[];
	/** Bodies as they came. */
	texts: string[];
	/** Replies of the client to requests of the server. */
	answers: unknown[];
	/** Ids of sessions that the client has ended. */
	deleted: string[];
	/** Forgets all sessions. */
	forget(): void;
	close(): Promise<void>;
}

export async function startMcp(options: McpOptions): Promise<McpListener> {
	const seen: Seen[] = [];
	const texts: string[] = [];
	const answers: unknown[] = [];
	const deleted: string[] = [];
	const sessions = new Set<string>();
	let count = 0;

	function reply(response: ServerResponse, { id, method, params }: Message): void {
		if (method === 'initialize' && options.initializeError === undefined) {
			response.setHeader('mcp-session-id', `session-${++count}`);
			sessions.add(`session-${count}`);
		}
		if (params?.name === 'hang') return;
		if (params?.name === 'sse') return stream(response, id);
		if (method === 'tools/list' && options.tools !== undefined) {
			response.setHeader('content-type', 'application/json');
			response.end(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[${options.tools}]}}`);
			return;
		}
		if (params?.name === 'large') {
			response.setHeader('content-type', 'application/json');
			response.write(`{"jsonrpc":"2.0","id":${id},"result":`);
			response.write(options.large ?? '{}');
			response.end('}');
			return;
		}
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome(method, params, options) }));
	}

	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const session = request.headers['mcp-session-id'];
			if (request.method === 'DELETE') {
				deleted.push(String(session));
				return response.writeHead(204).end();
			}
			const text = Buffer.concat(chunks).toString('utf8');
			texts.push(text);
			const body: Message = JSON.parse(text);
			if (body.method === undefined) answers.push(body);
			else seen.push({ method: body.method, path: request.url ?? '', headers: request.headers, body });
			if (options.status !== undefined) return response.writeHead(options.status).end('refused');
			if (options.garbage) return response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello');
			if (body.method !== 'initialize' && !sessions.has(String(session))) return response.writeHead(404).end();
			if (body.id === undefined || body.method === undefined) return response.writeHead(202).end();
			reply(response, body);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		port: (server.address() as AddressInfo).port,
		seen,
		texts,
		answers,
		deleted,
		forget: () => sessions.clear(),
		close: () => {
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
}

function outcome(method: string | undefined, params: Message['params'], options: McpOptions): object {
	if (method === 'initialize') {
		if (options.initializeError !== undefined) return { error: { code: -32603, message: options.initializeError } };
		return {
			result: {
				protocolVersion: '2025-11-25',
				serverInfo: { name: 'fake', version: '1' },
				instructions: 'be kind',
				capabilities: options.noTools ? {} : { tools: {} },
			},
		};
	}
	if (method === 'tools/list') {
		const page = Number(params?.cursor ?? 0);
		const more = page + 1 < (options.pages ?? 1);
		const nextCursor = options.sameCursor ? '0' : String(page + 1);
		const tools = [{ name: `tool${page}`, inputSchema: { type: 'object' }, description: options.description }];
		return { result: more ? { tools, nextCursor } : { tools } };
	}
	if (params?.name === 'json') return { result: { echoed: params.arguments } };
	return { error: { code: -32602, message: `Unknown tool: ${params?.name}` } };
}

/** A note, two requests of the server, a reply to somebody else, then the reply, torn inside a character. */
function stream(response: ServerResponse, id: string | number | undefined): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	const send = (message: object) => `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
	response.write(': ping\n\n');
	response.write(send({ method: 'notifications/message', params: { level: 'info', data: 'hi' } }));
	response.write(send({ id: 's-1', method: 'sampling/createMessage', params: {} }));
	response.write(send({ id: 77, method: 'ping' }));
	response.write(send({ id: 'other', result: {} }));
	const last = Buffer.from(send({ id, result: { content: [{ type: 'text', text: 'ünï\ncode' }] } }));
	const half = last.indexOf(0xc3) + 1;
	response.write(last.subarray(0, half));
	// The stream stays open: the reply alone must be enough.
	setTimeout(() => response.write(last.subarray(half)), 20);
}
