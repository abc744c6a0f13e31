import { afterEach, expect } from 'vitest';
import { mcpConfig, type RunningGateway, runGateway } from './gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions, sendError } from './http-mcp-server.ts';
import { LegacyClient, ModernClient, type RpcClient } from './rpc-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** Starts a server that ends with the test. */
export async function serve(options: HttpMcpServerOptions): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options);
	closing.push(() => server.close());
	return server;
}

/** What a method is answered: a result object, or the text of one; null: refused as unknown. */
export type Result = Record<string, unknown> | string | null;

/** Answers a method of a server so from now on. */
export function answer(
	server: HttpMcpServer,
	method: string,
	result: (params: Record<string, unknown>) => Result,
): void {
	server.override(method, (message, response) => {
		const value = result(message.params);
		if (value === null) return sendError(response, message, 200, -32602, `unknown: ${JSON.stringify(message.params)}`);
		const text = typeof value === 'string' ? value : JSON.stringify(value);
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${text}}`);
	});
}

/** What stands in the configuration beside the addresses of the servers, as YAML in one line. */
export interface Written {
	/** Keys of the backend: `prefixMode: never`. */
	backend?: readonly string[];
	/** Keys of the targets, by their place: `tools: {exclude: [x]}`. */
	targets?: readonly (readonly string[])[];
}

/** A gateway in front of servers that are called a, b, c … */
export async function behind(servers: readonly HttpMcpServer[], written: Written = {}): Promise<RunningGateway> {
	const targets = servers.map(({ url }, index) =>
		[`- name: ${'abcd'[index]}`, `mcp: { host: "${url}" }`, ...(written.targets?.[index] ?? [])].join('\n  '),
	);
	const gateway = await runGateway(mcpConfig(targets.join('\n'), (written.backend ?? []).join('\n')));
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	return gateway;
}

export const eras = ['legacy', 'modern'] as const;

/** A client of an era. */
export async function client(era: (typeof eras)[number], gateway: RunningGateway): Promise<RpcClient> {
	const url = `${gateway.url()}/mcp`;
	return era === 'legacy' ? LegacyClient.open(url) : new ModernClient(url);
}

/** The result of a request, which must not fail. */
export async function result(one: RpcClient, method: string, params: object): Promise<Record<string, unknown>> {
	const { message, status, text } = await one.request(method, JSON.stringify(params));
	if (message.result === undefined) throw new Error(`${method} failed: ${status} ${text}`);
	return message.result;
}

/** The error of a request, which must fail. */
export async function error(
	one: RpcClient,
	method: string,
	params: object,
): Promise<{ code: number; message: string }> {
	const { message, text } = await one.request(method, JSON.stringify(params));
	if (message.error === undefined) throw new Error(`${method} did not fail: ${text}`);
	return message.error;
}
