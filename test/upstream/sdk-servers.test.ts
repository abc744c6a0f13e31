import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer as NewServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, test } from 'vitest';
import { mcpConfig, runGateway } from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

const sum = async ({ a, b }: Record<string, unknown>) => ({
	content: [{ type: 'text' as const, text: String(Number(a) + Number(b)) }],
});

/** One server and transport for each request, as the SDKs' own stateless examples do. */
async function serve(
	handle: (...args: Parameters<Parameters<typeof createServer>[1] & {}>) => Promise<void>,
): Promise<string> {
	const server: Server = createServer((request, response) => {
		handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	closing.push(() => {
		server.closeAllConnections();
		return new Promise((resolve) => server.close(resolve));
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function oldServer(): Promise<string> {
	return serve(async (request, response) => {
		const server = new OldServer({ name: 'sdk-1', version: '1' });
		server.registerTool('sum', { description: 'adds' }, async () => sum({ a: 2, b: 3 }));
		const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
		response.on('close', () => void server.close());
		await server.connect(transport);
		await transport.handleRequest(request, response);
	});
}

function newServer(): Promise<string> {
	return serve(async (request, response) => {
		const server = new NewServer({ name: 'sdk-2', version: '1' });
		server.registerTool('sum', { description: 'adds' }, async () => sum({ a: 2, b: 3 }));
		const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
		response.on('close', () => void server.close());
		await server.connect(transport);
		await transport.handleRequest(request, response);
	});
}

describe.each([
	['SDK 1.32', oldServer],
	['SDK 2.4', newServer],
] as const)('a server of %s', (_name, open) => {
	test('is listed and called by clients of both eras', async () => {
		const gateway = await runGateway(mcpConfig(`- name: sdk\n  mcp: { host: "${await open()}" }`));
		closing.push(async () => expect(await gateway.stop()).toBe(0));
		const url = `${gateway.url()}/mcp`;
		for (const client of [await LegacyClient.open(url), new ModernClient(url)]) {
			expect(await client.toolNames()).toEqual(['sum']);
			expect(await client.tool('sum')).toBe('5');
			expect((await client.request('tools/call', '{"name":"nope"}')).message).toSatisfy(
				(message: object) => 'error' in message || JSON.stringify(message).includes('"isError":true'),
			);
		}
	});
});
