import { type Dispatcher, request } from 'undici';

/** What came back for one POST. */
export interface RpcReply {
	status: number;
	/** The JSON-RPC response as it was on the wire; empty when there was none. */
	text: string;
	message: {
		id?: unknown;
		result?: Record<string, unknown> & { content?: { type: string; text: string }[] };
		error?: { code: number; message: string };
	};
	/** Messages of the same stream before the response. */
	before: string[];
}

/** A client that writes its JSON by hand, so that tests decide about every byte. Params are JSON text. */
export interface RpcClient {
	/** `id` is JSON text; without it, the next free number. */
	request(method: string, params: string, id?: string): Promise<RpcReply>;
	/** `arguments` is JSON text; gives the first text of the result's content. */
	tool(name: string, args?: string): Promise<string>;
	toolNames(): Promise<string[]>;
}

const modernMeta = (capabilities: string) =>
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
	`"io.modelcontextprotocol/clientCapabilities":${capabilities},"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"}}`;

/** A client of 2025-11-25, with a session. */
export class LegacyClient implements RpcClient {
	readonly session: string;
	/** The result of `initialize`. */
	readonly greeting: RpcReply;
	private readonly url: string;
	private readonly dispatcher: Dispatcher | undefined;
	private nextId = 1;

	private constructor(url: string, session: string, greeting: RpcReply, dispatcher: Dispatcher | undefined) {
		this.url = url;
		this.session = session;
		this.greeting = greeting;
		this.dispatcher = dispatcher;
	}

	/** `capabilities` is JSON text. */
	static async open(url: string, dispatcher?: Dispatcher, capabilities = '{}'): Promise<LegacyClient> {
		const params = `{"protocolVersion":"2025-11-25","capabilities":${capabilities},"clientInfo":{"name":"test","version":"1"}}`;
		const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
		const { reply, headers } = await post(url, {}, body, dispatcher);
		const session = headers['mcp-session-id'];
		if (typeof session !== 'string') throw new Error(`no session: ${reply.status} ${reply.text}`);
		const client = new LegacyClient(url, session, reply, dispatcher);
		await post(url, client.headers, '{"jsonrpc":"2.0","method":"notifications/initialized"}', dispatcher);
		return client;
	}

	private get headers(): Record<string, string> {
		return { 'mcp-session-id': this.session, 'mcp-protocol-version': '2025-11-25' };
	}

	async request(method: string, params: string, id?: string): Promise<RpcReply> {
		const body = `{"jsonrpc":"2.0","id":${id ?? this.nextId++},"method":"${method}","params":${params}}`;
		return (await post(this.url, this.headers, body, this.dispatcher)).reply;
	}

	tool(name: string, args = '{}'): Promise<string> {
		return callTool(this, name, args);
	}

	toolNames(): Promise<string[]> {
		return namesOf(this);
	}

	/** Opens the GET stream; `seen` grows with each message. `close` ends it; `ended`: somebody has. */
	async listen(): Promise<{ seen: string[]; close(): void; ended(): boolean }> {
		const aborter = new AbortController();
		const headers = { ...this.headers, accept: 'text/event-stream' };
		const { statusCode, body } = await request(this.url, {
			headers,
			signal: aborter.signal,
			dispatcher: this.dispatcher,
		});
		if (statusCode !== 200) throw new Error(`GET was answered ${statusCode}: ${await body.text()}`);
		const seen: string[] = [];
		let rest = '';
		body.on('data', (chunk: Buffer) => {
			const events = (rest + chunk).split('\n\n');
			rest = events.pop() ?? '';
			seen.push(...events.map(dataOf).filter((data) => data !== ''));
		});
		body.on('error', () => {});
		return { seen, close: () => aborter.abort(), ended: () => body.closed };
	}

	/** DELETEs the session. */
	async end(): Promise<number> {
		const { statusCode, body } = await request(this.url, {
			method: 'DELETE',
			headers: this.headers,
			dispatcher: this.dispatcher,
		});
		await body.dump();
		return statusCode;
	}
}

/** A client of 2026-07-28, without session. */
export class ModernClient implements RpcClient {
	private readonly url: string;
	private readonly dispatcher: Dispatcher | undefined;
	private readonly meta: string;
	private nextId = 1;

	/** `capabilities` is JSON text. */
	constructor(url: string, dispatcher?: Dispatcher, capabilities = '{}') {
		this.url = url;
		this.dispatcher = dispatcher;
		this.meta = modernMeta(capabilities);
	}

	async request(method: string, params: string, id?: string): Promise<RpcReply> {
		const comma = params.trim() === '{}' ? '' : ',';
		const all = `{${this.meta}${comma}${params.trim().slice(1)}`;
		const headers: Record<string, string> = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
		const { name: own, uri, taskId } = JSON.parse(params) as { name?: unknown; uri?: unknown; taskId?: unknown };
		const name = own ?? uri ?? taskId;
		if (typeof name === 'string') headers['mcp-name'] = name;
		const body = `{"jsonrpc":"2.0","id":${id ?? this.nextId++},"method":"${method}","params":${all}}`;
		return (await post(this.url, headers, body, this.dispatcher)).reply;
	}

	tool(name: string, args = '{}'): Promise<string> {
		return callTool(this, name, args);
	}

	toolNames(): Promise<string[]> {
		return namesOf(this);
	}
}

async function callTool(client: RpcClient, name: string, args: string): Promise<string> {
	const reply = await client.request('tools/call', `{"name":"${name}","arguments":${args}}`);
	const text = reply.message.result?.content?.[0]?.text;
	if (text === undefined) throw new Error(`no text from ${name}: ${reply.status} ${reply.text}`);
	return text;
}

async function namesOf(client: RpcClient): Promise<string[]> {
	const reply = await client.request('tools/list', '{}');
	const tools = reply.message.result?.['tools'];
	if (!Array.isArray(tools)) throw new Error(`no tools: ${reply.status} ${reply.text}`);
	return tools.map((tool: { name: string }) => tool.name);
}

async function post(
	url: string,
	headers: Record<string, string>,
	body: string,
	dispatcher: Dispatcher | undefined,
): Promise<{ reply: RpcReply; headers: Record<string, string | string[] | undefined> }> {
	const response = await request(url, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			...headers,
		},
		body,
		dispatcher,
	});
	const whole = await response.body.text();
	const stream = String(response.headers['content-type']).startsWith('text/event-stream');
	const messages = stream ? await messagesOf(url, headers, whole, dispatcher) : [whole];
	const text = messages.pop() ?? '';
	const message = text === '' ? {} : (JSON.parse(text) as RpcReply['message']);
	return { reply: { status: response.statusCode, text, message, before: messages }, headers: response.headers };
}

/** The messages of a reply that came as a stream, which is resumed until the response has come. */
async function messagesOf(
	url: string,
	headers: Record<string, string>,
	begun: string,
	dispatcher: Dispatcher | undefined,
): Promise<string[]> {
	let whole = begun;
	for (;;) {
		const messages = whole
			.split('\n\n')
			.map(dataOf)
			.filter((data) => data !== '');
		const id = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1];
		const last = JSON.parse(messages.at(-1) ?? '{}') as { method?: string; id?: unknown };
		if (id === undefined || (last.method === undefined && last.id !== undefined)) return messages;
		await new Promise((resolve) => setTimeout(resolve, 100));
		const again = { ...headers, accept: 'text/event-stream', 'last-event-id': id };
		const more = await request(url, { headers: again, dispatcher });
		const text = await more.body.text();
		if (more.statusCode !== 200) throw new Error(`the stream cannot be resumed: ${more.statusCode} ${text}`);
		whole += text;
	}
}

function dataOf(event: string): string {
	return event
		.split('\n')
		.filter((one) => one.startsWith('data:'))
		.map((one) => one.slice(5).trimStart())
		.join('\n');
}
