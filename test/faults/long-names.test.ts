import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../processes/children.ts';
import { mcpConfig, type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type Override } from '../support/http-mcp-server.ts';
import { LegacyClient } from '../support/rpc-client.ts';

const rounds = 60;
const long = 'x'.repeat(4 * 1024 * 1024 - 1024);

let server: HttpMcpServer;
let gateway: RunningGateway;
let client: LegacyClient;

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['legacy'] });
	// As many do, it has an answer for any name, and takes methods that it does not know.
	server.override('tools/call', answer({ content: [{ type: 'text', text: 'done' }], isError: true }));
	server.override('resources/read', answer({ contents: [] }));
	server.override('tasks/get', answer({ taskId: 't', status: 'working' }));
	for (let at = 0; at < rounds; at++) server.override(`vendor${at}/${long}`, answer({}));
	gateway = await runGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`), {
		nodeArgs: ['--max-old-space-size=128'],
	});
	client = await LegacyClient.open(`${gateway.url()}/mcp`);
	// The gateway reads the lists when it starts.
	await until('a listed name is a label', 10_000, async () => {
		await client.tool('echo');
		return (await calls(/resource="echo"/)) > 0;
	});
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	await server.close();
});

/** Answers with a result, and forgets what was asked. */
function answer(result: Record<string, unknown>): Override {
	return ({ id }, response) => {
		server.received.length = 0;
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
	};
}

async function metrics(): Promise<string> {
	return (await fetch(`${gateway.statsUrl}/metrics`)).text();
}

const calls = async (labels: RegExp) =>
	[...(await metrics()).matchAll(/^agentgateway_mcp_requests_total\{(.*)\} (\d+)$/gm)]
		.filter(([, found = '']) => labels.test(found))
		.reduce((sum, [, , count]) => sum + Number(count), 0);

describe('names of 4 MiB', () => {
	const requests = [
		['of tools', 'tools/call', (at: number) => `{"name":"t${at}${long}","arguments":{}}`],
		['of resources', 'resources/read', (at: number) => `{"uri":"r${at}:${long}"}`],
		['of methods', (at: number) => `vendor${at}/${long}`, () => '{}'],
		['of tasks', 'tasks/get', (at: number) => `{"taskId":"t${at}${long}"}`],
	] as const;

	test.each(requests)('%s do not stay in the memory', { timeout: 120_000 }, async (_, method, params) => {
		for (let at = 0; at < rounds; at++) {
			const reply = await client.request(typeof method === 'string' ? method : method(at), params(at));
			// 503 would say that the heap is full.
			expect(reply.status).toBe(200);
		}
		expect(await client.tool('echo')).toBe('done');
		const text = await metrics();
		expect(text.length).toBeLessThan(64 * 1024);
		expect(Number(/^agentgateway_requests_shed_total (\d+)$/m.exec(text)?.[1])).toBe(0);
	});

	test('are cut in the log, which says so', () => {
		const lines = gateway.log().split('\n');
		expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(8 * 1024);
		for (const field of ['gen_ai.tool.name', 'mcp.resource.uri', 'mcp.method.name'])
			expect(lines.some((line) => line.includes(` ${field}=`) && /x… \(\d{7} characters\)"/.test(line))).toBe(true);
	});
});

describe('the label of an item', () => {
	test('is its name when the server lists it, and `unknown` when not', async () => {
		const [known, unknown] = await Promise.all([calls(/resource="echo"/), calls(/resource="unknown"/)]);
		for (const name of ['echo', 'nope1', 'nope2', 'echo']) await client.tool(name);
		await until('both are counted', 5000, async () => (await calls(/resource="echo"/)) === known + 2);
		expect(await calls(/resource="unknown"/)).toBe(unknown + 2);
		expect(await metrics()).not.toContain('nope');
	});

	test('is the name of a tool that came later, too', async () => {
		server.tools = [...server.tools, 'later'];
		await client.toolNames();
		await until('it is known', 5000, async () => {
			await client.tool('later');
			return (await calls(/resource="later"/)) > 0;
		});
	});
});
