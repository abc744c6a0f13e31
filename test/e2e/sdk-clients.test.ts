import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
	everythingServer,
	mcpConfig,
	nodeTarget,
	type RunningGateway,
	runGateway,
	timeServer,
} from '../support/gateway.ts';

let gateway: RunningGateway;

beforeAll(async () => {
	gateway = await runGateway(
		mcpConfig(`${nodeTarget('time', timeServer)}\n${nodeTarget('everything', everythingServer)}`),
	);
}, 60_000);

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
});

/** What the tests ask of a client, whichever it is. */
interface AnyClient {
	tools(): Promise<string[]>;
	call(
		name: string,
		args: Record<string, unknown>,
	): Promise<{ isError?: boolean; content: { type: string; text?: string }[] }>;
	close(): Promise<void>;
}

async function oldClient(): Promise<AnyClient> {
	const client = new OldClient({ name: 'old', version: '1' });
	await client.connect(new OldTransport(new URL(`${gateway.url()}/mcp`)));
	return {
		tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
		call: async (name, args) =>
			(await client.callTool({ name, arguments: args })) as Awaited<ReturnType<AnyClient['call']>>,
		close: () => client.close(),
	};
}

function newClient(mode: 'legacy' | 'auto'): () => Promise<AnyClient> {
	return async () => {
		const client = new NewClient({ name: 'new', version: '1' }, { versionNegotiation: { mode } });
		await client.connect(new NewTransport(new URL(`${gateway.url()}/mcp`)));
		expect(client.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy');
		return {
			tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
			call: async (name, args) =>
				(await client.callTool({ name, arguments: args })) as Awaited<ReturnType<AnyClient['call']>>,
			close: () => client.close(),
		};
	};
}

describe.each([
	['SDK 1.32', oldClient],
	['SDK 2.4, old era', newClient('legacy')],
	['SDK 2.4, new era', newClient('auto')],
])('%s', (_name, connect) => {
	test('lists and calls the tools of both servers', async () => {
		const client = await connect();
		const tools = await client.tools();
		expect(tools).toEqual(expect.arrayContaining(['time_get_current_time', 'time_convert_time', 'everything_echo']));
		expect(tools.every((tool) => /^(time|everything)_/.test(tool))).toBe(true);
		const time = await client.call('time_get_current_time', { timezone: 'America/New_York' });
		expect(JSON.parse(time.content[0]?.text ?? '')).toMatchObject({ timezone: 'America/New_York' });
		const echo = await client.call('everything_echo', { message: 'hello' });
		expect(echo.content[0]?.text).toContain('hello');
		await client.close();
	}, 30_000);

	test('a wrong time zone comes back as the error of the tool', async () => {
		const client = await connect();
		const result = await client.call('time_get_current_time', { timezone: 'Mars/Olympus' });
		expect(result.isError).toBe(true);
		expect(result.content[0]?.text).toContain('Mars/Olympus');
		await client.close();
	}, 30_000);
});
