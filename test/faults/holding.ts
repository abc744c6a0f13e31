import type { ServerResponse } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { RawClient } from '../http/raw-client.ts';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type Received } from '../support/http-mcp-server.ts';
import type { LegacyClient } from '../support/rpc-client.ts';

/** Of each body that a test wants held. */
export const size = 300_000;
export const pad = 'x'.repeat(size);

export type Gateway = RunningGateway & { readonly file: string };

export async function start(yaml: string, env: Record<string, string> = {}, ...nodeArgs: string[]): Promise<Gateway> {
	const gateway = await runGateway(yaml, { env, nodeArgs });
	onTestFinished(async () => {
		expect(await gateway.stop()).toBe(0);
	});
	return gateway;
}

export async function httpServer(...eras: ('legacy' | 'modern')[]): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start({ eras });
	onTestFinished(() => server.close());
	return server;
}

export const target = ({ url }: HttpMcpServer, name = 'a') => `- name: ${name}\n  mcp: { host: "${url}" }`;

export async function held(gateway: RunningGateway): Promise<number> {
	const text = await (await fetch(`${gateway.statsUrl}/metrics`)).text();
	return Number(/^agentgateway_request_bytes_held (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}

export const none = (gateway: RunningGateway) => expect.poll(() => held(gateway), { timeout: 10_000 }).toBe(0);

/** Looks for a while: what is given back too early is so at once. */
export async function stays(gateway: RunningGateway, bodies = 1): Promise<void> {
	for (let looks = 0; looks < 5; looks++) {
		const bytes = await held(gateway);
		expect(bytes).toBeGreaterThanOrEqual(bodies * size);
		// Not twice, but for what a call or a message adds to its body.
		expect(bytes).toBeLessThan((bodies + 0.5) * size);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** A server's methods that are left unanswered for now. */
export class Kept {
	readonly all: { readonly message: Received; readonly response: ServerResponse }[] = [];

	constructor(server: HttpMcpServer, ...methods: string[]) {
		for (const method of methods)
			server.override(method, (message, response) => void this.all.push({ message, response }));
	}

	/** `headers` by the place of the message among those that are answered now. */
	answer(
		result = '{"content":[{"type":"text","text":"late"}]}',
		headers: (at: number) => Record<string, string> = () => ({}),
	): void {
		for (const [at, { message, response }] of this.all.splice(0).entries()) {
			const id = JSON.stringify(message.id);
			response.writeHead(200, { 'content-type': 'application/json', ...headers(at) });
			response.end(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);
		}
	}

	take(): void {
		for (const { response } of this.all.splice(0)) response.writeHead(202).end();
	}

	breakOff(): void {
		for (const { response } of this.all.splice(0)) response.destroy();
	}
}

const accept = 'Accept: application/json, text/event-stream';

export function post(gateway: RunningGateway, body: string, path = '/mcp', headers: readonly string[] = []): RawClient {
	const client = new RawClient(Number(new URL(gateway.url()).port));
	const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', accept, ...headers];
	client.send([...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
	return client;
}

export const of = ({ session }: LegacyClient) => [`Mcp-Session-Id: ${session}`, 'MCP-Protocol-Version: 2025-11-25'];
export const call = (id: number, name = 'slow') =>
	`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{"pad":"${pad}"}}}`;
/** Posts a message that is taken with 202. */
export async function tell(
	gateway: RunningGateway,
	body: string,
	path: string,
	headers: readonly string[],
): Promise<void> {
	const client = post(gateway, body, path, headers);
	await client.until((text) => text.startsWith('HTTP/1.1 202'), 10_000);
	client.destroy();
}
