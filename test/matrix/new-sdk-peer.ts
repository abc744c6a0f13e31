import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Loose } from '../support/wire-client.ts';
import { agree, type Peer, type PeerOptions, Refused, type Said, type UseOptions, type Wanted } from './peer.ts';
import { ownGateway } from './own-gateway.ts';
import { watchingGet } from './stream-open.ts';

/** The SDK that knows both eras, told to speak one of them. */
export class NewSdkPeer implements Peer {
	readonly notes: Said[] = [];
	readonly asked: Said[] = [];
	answer: Peer['answer'] = agree;
	private readonly client: Client;
	private readonly transport: StreamableHTTPClientTransport | StdioClientTransport;

	private constructor(client: Client, transport: NewSdkPeer['transport']) {
		this.client = client;
		this.transport = transport;
	}

	static async open(era: 'legacy' | 'modern', over: 'HTTP' | 'stdio', options: PeerOptions): Promise<NewSdkPeer> {
		const { url, capabilities, config = '', answer: first } = options;
		const client = new Client(
			{ name: 'matrix', version: '1' },
			{ capabilities, versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
		);
		const { fetch, opened } = watchingGet();
		const transport =
			over === 'stdio'
				? new StdioClientTransport(ownGateway(config))
				: new StreamableHTTPClientTransport(new URL(url), { fetch });
		const peer = new NewSdkPeer(client, transport);
		if (first !== undefined) peer.answer = first;
		const answer = async ({ method, params }: Loose): Promise<Loose> => {
			peer.asked.push({ method, params });
			return peer.answer(method, params);
		};
		if ('elicitation' in capabilities) client.setRequestHandler('elicitation/create', answer);
		if ('sampling' in capabilities) client.setRequestHandler('sampling/createMessage', answer);
		if ('roots' in capabilities) client.setRequestHandler('roots/list', answer);
		client.fallbackNotificationHandler = async ({ method, params }) => void peer.notes.push({ method, params });
		await client.connect(transport);
		if (era === 'legacy' && over === 'HTTP') await opened;
		return peer;
	}

	get facts(): Peer['facts'] {
		return {
			name: this.client.getServerVersion()?.name,
			capabilities: this.client.getServerCapabilities(),
			instructions: this.client.getInstructions(),
			version: this.client.getNegotiatedProtocolVersion(),
		};
	}

	async use(method: string, given: Loose = {}, { signal, onProgress, logLevel }: UseOptions = {}): Promise<Loose> {
		const { client } = this;
		const options = {
			...(signal === undefined ? {} : { signal }),
			...(onProgress === undefined ? {} : { onprogress: onProgress }),
			cacheMode: 'bypass' as const,
		};
		const meta = { _meta: { 'io.modelcontextprotocol/logLevel': logLevel } };
		const params = logLevel === undefined ? given : { ...given, ...meta };
		try {
			switch (method) {
				case 'tools/call':
					return await client.callTool(params, options);
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
					// oxlint-disable-next-line typescript/no-deprecated -- of the old era, which this speaks here
					return await client.setLoggingLevel(params.level, options);
				case 'ping':
					return await client.ping(options);
				default:
					throw new Error(`the matrix does not use ${method} with an SDK`);
			}
		} catch (error) {
			if (error instanceof ProtocolError) throw new Refused(error.code, error.message, error.data);
			throw error;
		}
	}

	tell(method: string): Promise<unknown> {
		return this.client.notification({ method } as Loose);
	}

	async watch({ lists, uris }: Wanted): Promise<() => Promise<void>> {
		if (this.client.getProtocolEra() === 'legacy') {
			for (const uri of uris) await this.client.subscribeResource({ uri });
			return async () => {
				for (const uri of uris) await this.client.unsubscribeResource({ uri });
			};
		}
		const kinds = lists ? { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } : {};
		const subscription = await this.client.listen({
			...kinds,
			...(uris.length === 0 ? {} : { resourceSubscriptions: [...uris] }),
		});
		return () => subscription.close();
	}

	async close(): Promise<void> {
		if (this.client.getProtocolEra() === 'legacy' && 'terminateSession' in this.transport) {
			await this.transport.terminateSession();
		}
		await this.client.close();
	}
}
