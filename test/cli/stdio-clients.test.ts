import { Client as NewClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as NewTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixtureTarget, isAlive, until } from '../processes/children.ts';
import { conformanceServer, startConformance } from '../support/conformance-fixture.ts';
import { mcpConfig, nodeTarget, root } from '../support/gateway.ts';
import { configFile, gatewayArgs, noPorts } from '../support/stdio-gateway.ts';

let http: { url: string; stop(): void };
let file: string;
let remove: () => void;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
	http = await startConformance('modern');
	const targets = [
		fixtureTarget('plain'),
		nodeTarget('old', conformanceServer, '--era', 'legacy'),
		`- name: new\n  mcp: { host: "${http.url}" }`,
	];
	({ file, remove } = configFile(mcpConfig(targets.join('\n'))));
}, 60_000);
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});
afterAll(() => {
	http.stop();
	remove();
});

/** What the tests ask of a client, whichever it is. */
interface AnyClient {
	readonly pid: number | null;
	tools(): Promise<string[]>;
	text(name: string, args?: Record<string, unknown>): Promise<string | undefined>;
	close(): Promise<void>;
}

const capabilities = { sampling: {}, elicitation: {}, roots: {} };
const sampled = { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'forty-two' } };
const accept = (message: string) => ({ action: 'accept' as const, content: { username: message, name: 'Ada' } });
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

function parameters() {
	const env = { ...(process.env as Record<string, string>), ...noPorts };
	return { command: process.execPath, args: gatewayArgs(file), cwd: root, env, stderr: 'pipe' as const };
}

async function oldClient(): Promise<AnyClient> {
	const transport = new OldTransport(parameters());
	const client = new OldClient({ name: 'old', version: '1' }, { capabilities });
	const faults: Error[] = [];
	client.onerror = (fault) => faults.push(fault);
	client.setRequestHandler(ElicitRequestSchema, async ({ params }) => accept(params.message));
	client.setRequestHandler(CreateMessageRequestSchema, async () => sampled);
	await client.connect(transport);
	return {
		pid: transport.pid,
		tools: async () => (await client.listTools()).tools.map(({ name }) => name),
		text: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args })),
		close: async () => {
			await client.close();
			expect(faults).toEqual([]);
		},
	};
}

function newClient(mode: 'legacy' | 'auto' | { pin: '2026-07-28' }, era: 'legacy' | 'modern') {
	return async (): Promise<AnyClient> => {
		const transport = new NewTransport(parameters());
		const client = new NewClient({ name: 'new', version: '1' }, { capabilities, versionNegotiation: { mode } });
		const faults: Error[] = [];
		client.onerror = (fault) => faults.push(fault);
		client.setRequestHandler('elicitation/create', async ({ params }) => accept(params.message));
		client.setRequestHandler('sampling/createMessage', async () => sampled);
		await client.connect(transport);
		expect(client.getProtocolEra()).toBe(era);
		return {
			pid: transport.pid,
			tools: async () => (await client.listTools()).tools.map(({ name }) => name),
			text: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args })),
			close: async () => {
				await client.close();
				expect(faults).toEqual([]);
			},
		};
	};
}

describe.each([
	['SDK 1.32', oldClient],
	['SDK 2.4, old era', newClient('legacy', 'legacy')],
	['SDK 2.4, auto', newClient('auto', 'modern')],
	['SDK 2.4, new era', newClient({ pin: '2026-07-28' }, 'modern')],
])('%s', (_name, connect) => {
	test('uses servers of both eras, over stdio and HTTP, and is asked by them', async () => {
		const client = await connect();
		closing.push(() => client.close());
		const tools = await client.tools();
		expect(tools).toEqual(expect.arrayContaining(['plain_echo', 'old_test_sampling', 'new_test_simple_text']));
		expect(await client.text('plain_echo', { text: 'hello' })).toBe('hello');
		expect(await client.text('new_test_simple_text')).toContain('simple text');
		expect(await client.text('old_test_elicitation', { message: 'who' })).toContain('"username":"who"');
		expect(await client.text('old_test_sampling', { prompt: 'why' })).toBe('LLM response: forty-two');
		expect(await client.text('new_test_input_required_result_elicitation')).toBe('Hello, Ada!');
		expect(await client.text('new_test_input_required_result_sampling')).toBe('The model says: forty-two');
		const echoes = Array.from({ length: 12 }, (_, i) => client.text('plain_echo', { text: `e${i}` }));
		expect(await Promise.all(echoes)).toEqual(Array.from({ length: 12 }, (_, i) => `e${i}`));
	}, 30_000);

	test('takes gateway and children along when it leaves', async () => {
		const client = await connect();
		const child = Number(await client.text('plain_pid'));
		expect([isAlive(child), isAlive(Number(client.pid))]).toEqual([true, true]);
		await client.close();
		await until('gateway and child are gone', 5000, () => !isAlive(child) && !isAlive(Number(client.pid)));
	}, 30_000);
});
