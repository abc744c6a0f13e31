import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
	CreateMessageRequestSchema,
	ElicitRequestSchema,
	ListRootsRequestSchema,
	McpError,
} from '@modelcontextprotocol/sdk/types.js';
import type { Loose } from '../support/wire-client.ts';
import { agree, type Peer, type PeerOptions, Refused, type Said, type UseOptions, type Wanted } from './peer.ts';
import { watchingGet } from './stream-open.ts';

/** The SDK that only knows sessions. */
export class OldSdkPeer implements Peer {
	readonly notes: Said[] = [];
	readonly asked: Said[] = [];
	answer: Peer['answer'] = agree;
	private readonly client: Client;
	private readonly transport: StreamableHTTPClientTransport;

	private constructor(client: Client, transport: StreamableHTTPClientTransport) {
		this.client = client;
		this.transport = transport;
	}

	static async open({ url, capabilities, answer: first }: PeerOptions): Promise<OldSdkPeer> {
		const client = new Client({ name: 'matrix', version: '1' }, { capabilities });
		const { fetch, opened } = watchingGet();
		const transport = new StreamableHTTPClientTransport(new URL(url), { fetch });
		const peer = new OldSdkPeer(client, transport);
		if (first !== undefined) peer.answer = first;
		const answer = async ({ method, params }: Said): Promise<Loose> => {
			peer.asked.push({ method, params });
			return peer.answer(method, params);
		};
		if ('elicitation' in capabilities) client.setRequestHandler(ElicitRequestSchema, answer as Loose);
		if ('sampling' in capabilities) client.setRequestHandler(CreateMessageRequestSchema, answer as Loose);
		if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, answer as Loose);
		client.fallbackNotificationHandler = async ({ method, params }) => void peer.notes.push({ method, params });
		await client.connect(transport);
		await opened;
		return peer;
	}

	get facts(): Peer['facts'] {
		return {
			name: this.client.getServerVersion()?.name,
			capabilities: this.client.getServerCapabilities(),
			instructions: this.client.getInstructions(),
			version: this.transport.protocolVersion,
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

	async watch({ uris }: Wanted): Promise<() => Promise<void>> {
		for (const uri of uris) await this.client.subscribeResource({ uri });
		return async () => {
			for (const uri of uris) await this.client.unsubscribeResource({ uri });
		};
	}

	async close(): Promise<void> {
		await this.transport.terminateSession();
		await this.client.close();
	}
}
