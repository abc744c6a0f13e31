import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
	CreateMessageRequestSchema,
	ElicitRequestSchema,
	ListRootsRequestSchema,
	McpError,
} from '@modelcontextprotocol/sdk/types.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Loose } from '../support/wire-client.ts';
import { agree, type Peer, type PeerOptions, Refused, type Said, type UseOptions, type Wanted } from './peer.ts';
import { ownGateway } from './own-gateway.ts';
import { watchingGet } from './stream-open.ts';

/** The SDK that only knows sessions. */
export class OldSdkPeer implements Peer {
	readonly notes: Said[] = [];
	readonly asked: Said[] = [];
	answer: Peer['answer'] = agree;
	private readonly client: Client;
	private readonly way: Way;

	private constructor(client: Client, way: Way) {
		this.client = client;
		this.way = way;
	}

	static async open(over: 'HTTP' | 'SSE' | 'stdio', options: PeerOptions): Promise<OldSdkPeer> {
		const { capabilities, answer: first } = options;
		const client = new Client({ name: 'matrix', version: '1' }, { capabilities });
		const way = wayOver(over, options);
		const peer = new OldSdkPeer(client, way);
		if (first !== undefined) peer.answer = first;
		const answer = async ({ method, params }: Said): Promise<Loose> => {
			peer.asked.push({ method, params });
			return peer.answer(method, params);
		};
		if ('elicitation' in capabilities) client.setRequestHandler(ElicitRequestSchema, answer as Loose);
		if ('sampling' in capabilities) client.setRequestHandler(CreateMessageRequestSchema, answer as Loose);
		if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, answer as Loose);
		client.fallbackNotificationHandler = async ({ method, params }) => void peer.notes.push({ method, params });
		await client.connect(way.transport);
		await way.opened;
		return peer;
	}

	get facts(): Peer['facts'] {
		return {
			name: this.client.getServerVersion()?.name,
			capabilities: this.client.getServerCapabilities(),
			instructions: this.client.getInstructions(),
			version: this.way.version(),
		};
	}

	async use(method: string, params: Loose = {}, { signal, onProgress }: UseOptions = {}): Promise<Loose> {
		const { client } = this;
		const options = {
			...(signal === undefined ? {} : { signal }),
			...(onProgress === undefined ? {} : { onprogress: onProgress }),
		};
		try {
			switch (method) {
				case 'tools/call':
					return await client.callTool(params, undefined, options);
				case 'tools/list':
					return await client.listTools(params, options);
				case 'prompts/list':
					return await client.listPrompts(params, options);
				case 'prompts/get':
					return await client.getPrompt(params, options);
				case 'resources/list':
					return await client.listResources(params, options);
				case 'resources/templates/list':
					return await client.listResourceTemplates(params, options);
				case 'resources/read':
					return await client.readResource(params, options);
				case 'completion/complete':
					return await client.complete(params, options);
				case 'logging/setLevel':
					return await client.setLoggingLevel(params.level, options);
				case 'ping':
					return await client.ping(options);
				default:
					throw new Error(`the matrix does not use ${method} with an SDK`);
			}
		} catch (error) {
			if (error instanceof McpError) throw new Refused(error.code, error.message, error.data);
			throw error;
		}
	}

	tell(method: string): Promise<unknown> {
		return this.client.notification({ method } as Loose);
	}

	async watch({ uris }: Wanted): Promise<() => Promise<void>> {
		for (const uri of uris) await this.client.subscribeResource({ uri });
		return async () => {
			for (const uri of uris) await this.client.unsubscribeResource({ uri });
		};
	}

	async close(): Promise<void> {
		await this.way.end();
		await this.client.close();
	}
}

/** A transport, and what the clients of the matrix need of it besides. */
interface Way {
	readonly transport: Transport;
	/** Resolves once the server can speak without being asked. */
	readonly opened: Promise<void>;
	version(): string | undefined;
	end(): Promise<void>;
}

function wayOver(over: 'HTTP' | 'SSE' | 'stdio', { url, config = '' }: PeerOptions): Way {
	if (over === 'HTTP') {
		const { fetch, opened } = watchingGet();
		const http = new StreamableHTTPClientTransport(new URL(url), { fetch });
		return { transport: http, opened, version: () => http.protocolVersion, end: () => http.terminateSession() };
	}
	let version: string | undefined;
	// oxlint-disable-next-line typescript/no-deprecated -- clients that know nothing newer are to be served
	const sse = () => new SSEClientTransport(new URL('/sse', url));
	const transport: Transport = over === 'SSE' ? sse() : new StdioClientTransport(ownGateway(config));
	transport.setProtocolVersion = (agreed) => {
		version = agreed;
	};
	return { transport, opened: Promise.resolve(), version: () => version, end: async () => {} };
}
