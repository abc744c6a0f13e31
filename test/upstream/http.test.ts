import { afterEach, describe, expect, test } from 'vitest';
import { mcpConfig, type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient, type RpcClient } from '../support/rpc-client.ts';
import { targetOf } from '../support/state.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: HttpMcpServerOptions): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start(options);
	closing.push(() => server.close());
	return server;
}

/** A gateway in front of servers that are called a, b, … */
async function behind(servers: readonly HttpMcpServer[], extra = ''): Promise<RunningGateway> {
	const targets = servers.map(({ url }, index) => `- name: ${'abcd'[index]}\n  mcp: { host: "${url}" }`);
	const gateway = await runGateway(
		mcpConfig(targets.join('\n'), '').replace('mcp:\n          targets', `mcp:\n          ${extra}targets`),
	);
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	return gateway;
}

const endpoint = (gateway: RunningGateway) => `${gateway.url()}/mcp`;
const clients = ['legacy', 'modern'] as const;

async function client(era: (typeof clients)[number], gateway: RunningGateway): Promise<RpcClient> {
	return era === 'legacy' ? LegacyClient.open(endpoint(gateway)) : new ModernClient(endpoint(gateway));
}

const servers: (readonly [string, HttpMcpServerOptions])[] = [
	['an old server', { eras: ['legacy'] }],
	['a modern server', { eras: ['modern'] }],
	['a server of both eras', { eras: ['legacy', 'modern'] }],
	['an old server that answers with events', { eras: ['legacy'], reply: 'events' }],
	['a modern server that answers with events', { eras: ['modern'], reply: 'events' }],
];

describe.each(servers)('%s', (_name, options) => {
	test.each(clients)('serves a %s client everything', async (era) => {
		const server = await serve(options);
		const gateway = await behind([server]);
		const one = await client(era, gateway);
		expect(await one.toolNames()).toEqual(['echo', 'slow', 'progress', 'refuse']);

		const sent = await one.tool('echo', '{"b":1.0,"a":1e400,"n":{"b":[ ]}}');
		expect(sent).toContain('"arguments":{"b":1.0,"a":1e400,"n":{"b":[ ]}}');

		const refused = await one.request('tools/call', '{"name":"refuse","arguments":{}}');
		expect(refused.text).toContain('"code":-32042,"message":"refused by the tool","data":{"why":1}');

		const prompt = await one.request('prompts/get', '{"name":"greet"}');
		expect(prompt.text).toContain('prompt greet');
		const read = await one.request('resources/read', '{"uri":"file:///a?x=1+2"}');
		expect(read.text).toContain('content of file:///a?x=1+2');
		const complete = await one.request(
			'completion/complete',
			'{"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"x","value":"y"}}',
		);
		expect(complete.message.result).toMatchObject({ completion: { values: ['{"type":"ref/prompt","name":"greet"}'] } });
		expect((await one.request('tools/call', '{"name":"echo"}', '"text id"')).message.id).toBe('text id');
		expect((await targetOf(gateway, 'a')).state).toBe('ready');
	});

	test.each(clients)('hands progress to a %s client on the stream of the call', async (era) => {
		const gateway = await behind([await serve(options)]);
		const one = await client(era, gateway);
		const params = era === 'legacy' ? '{"name":"progress","arguments":{},"_meta":{"progressToken":"p-1"}}' : null;
		if (params === null) {
			const without = await one.request('tools/call', '{"name":"progress","arguments":{}}');
			expect([without.before, without.status]).toEqual([[], 200]);
			return;
		}
		const reply = await one.request('tools/call', params);
		expect(reply.before).toHaveLength(1);
		expect(JSON.parse(reply.before[0] ?? '')).toMatchObject({
			params: { progressToken: 'p-1', progress: 1, total: 2 },
		});
		expect(reply.message.result).toMatchObject({ isError: false });
	});
});

describe('two servers as one', () => {
	test.each(clients)('names and URIs lead a %s client to their owner', async (era) => {
		const gateway = await behind([
			await serve({ eras: ['legacy'] }),
			await serve({ eras: ['modern'], tools: ['echo'] }),
		]);
		const one = await client(era, gateway);
		expect(await one.toolNames()).toEqual(['a_echo', 'a_slow', 'a_progress', 'a_refuse', 'b_echo']);
		expect(await one.tool('b_echo')).toContain('"name":"echo"');
		expect((await one.request('prompts/get', '{"name":"b_part"}')).text).toContain('prompt part');

		const resources = await one.request('resources/list', '{}');
		expect(resources.text).toContain('"uri":"a+file:///a?x=1+2"');
		const templates = await one.request('resources/templates/list', '{}');
		expect(templates.text).toContain('"uriTemplate":"b+file:///{path}"');
		const read = await one.request('resources/read', '{"uri":"b+file:///a?x=1+2"}');
		expect(read.text).toContain('"uri":"b+file:///a?x=1+2"');
		expect(read.text).toContain('content of file:///a?x=1+2');

		for (const [method, params] of [
			['tools/call', '{"name":"c_echo"}'],
			['tools/call', '{"name":"echo"}'],
			['prompts/get', '{"name":"x_greet"}'],
			['resources/read', '{"uri":"file:///a"}'],
		] as const) {
			expect((await one.request(method, params)).message.error?.code, params).toBe(-32602);
		}
	});

	test('prefixMode always and never', async () => {
		const one = await serve({ eras: ['legacy'], tools: ['echo'] });
		const always = await behind([one], 'prefixMode: always\n          ');
		expect(await (await client('legacy', always)).toolNames()).toEqual(['a_echo']);
		const other = await serve({ eras: ['modern'], tools: ['sum', 'echo'] });
		const never = await behind([one, other], 'prefixMode: never\n          ');
		for (const era of clients) {
			const plain = await client(era, never);
			expect(await plain.toolNames()).toContain('sum');
			expect(await plain.tool('sum')).toContain('"name":"sum"');
			expect((await plain.request('tools/call', '{"name":"nope"}')).message.error?.code).toBe(-32602);
		}
	});

	test('capabilities are those that the servers have', async () => {
		const bare = await serve({ eras: ['legacy'], capabilities: { tools: {} } });
		const gateway = await behind([bare]);
		const one = await LegacyClient.open(endpoint(gateway));
		expect(Object.keys((one.greeting.message.result?.['capabilities'] ?? {}) as object)).toEqual(['tools']);
		const both = await behind([bare, await serve({ eras: ['modern'], capabilities: { prompts: {} } })]);
		const two = await LegacyClient.open(endpoint(both));
		expect(Object.keys((two.greeting.message.result?.['capabilities'] ?? {}) as object).sort()).toEqual([
			'prompts',
			'tools',
		]);
	});

	test('every page of every list is merged; a list without end is cut with a warning', async () => {
		const paged = await serve({ eras: ['legacy'], pageSize: 1, tools: ['x', 'y', 'z'] });
		const looping = await serve({ eras: ['modern'], pageSize: 1, tools: ['l'], looping: true });
		const gateway = await behind([paged, looping]);
		const names = await (await client('legacy', gateway)).toolNames();
		expect(names.slice(0, 3)).toEqual(['a_x', 'a_y', 'a_z']);
		expect(looping.of('tools/list').length).toBeLessThan(250);
		await gateway.waitFor(/WARN|warn/);
		expect(gateway.log()).toMatch(/"?b"?.*cursor|cursor.*"?b"?/);
	});
});

describe('what goes with a call', () => {
	test('headers of each era, no session of one client with another', async () => {
		const [old, modern] = [await serve({ eras: ['legacy'] }), await serve({ eras: ['modern'] })];
		const gateway = await behind([old, modern]);
		const [first, second] = [await LegacyClient.open(endpoint(gateway)), await LegacyClient.open(endpoint(gateway))];
		for (const one of [first, second]) {
			await one.tool('a_echo');
			await one.tool('b_echo');
		}
		const sessions = old.of('tools/call').map(({ headers }) => headers['mcp-session-id']);
		expect(new Set(sessions).size).toBe(2);
		expect(old.of('tools/call')[0]?.headers['mcp-protocol-version']).toBe('2025-11-25');
		const [call] = modern.of('tools/call');
		expect(call?.headers).toMatchObject({
			'mcp-protocol-version': '2026-07-28',
			'mcp-method': 'tools/call',
			'mcp-name': 'echo',
		});
		expect(call?.headers['mcp-session-id']).toBeUndefined();
		expect(call?.params['_meta']).toMatchObject({ 'io.modelcontextprotocol/clientInfo': { name: 'test' } });
	});

	test('the end of a session ends the sessions behind it', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await behind([server]);
		const one = await LegacyClient.open(endpoint(gateway));
		await one.tool('echo');
		expect(await one.end()).toBe(204);
		await expect.poll(() => server.sessions.size).toBe(0);
		expect((await one.request('tools/list', '{}')).status).toBe(404);
	});

	test('the log level reaches the server', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await behind([server]);
		const one = await LegacyClient.open(endpoint(gateway));
		await one.request('logging/setLevel', '{"level":"debug"}');
		await expect.poll(() => server.of('logging/setLevel').map(({ params }) => params['level'])).toEqual(['debug']);
	});

	test.each([['legacy'], ['modern']] as const)('a cancelled call is taken back from a %s server', async (era) => {
		const server = await serve({ eras: [era] });
		const gateway = await behind([server]);
		const one = await LegacyClient.open(endpoint(gateway));
		const pending = one.request('tools/call', '{"name":"slow"}', '77');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		await fetch(endpoint(gateway), {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'mcp-session-id': one.session },
			body: '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77,"reason":"enough"}}',
		});
		expect((await pending).message.error?.code).toBe(-32800);
		if (era === 'modern') await expect.poll(() => server.aborted).toBeGreaterThan(0);
		else {
			await expect.poll(() => server.of('notifications/cancelled').length).toBe(1);
			const [call] = server.of('tools/call');
			expect(server.of('notifications/cancelled')[0]?.params).toEqual({ requestId: call?.id, reason: 'enough' });
		}
	});

	test('a modern client that goes away takes its call back', async () => {
		const server = await serve({ eras: ['legacy'] });
		const gateway = await behind([server]);
		const aborter = new AbortController();
		const meta =
			'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
		const gone = fetch(endpoint(gateway), {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				'mcp-protocol-version': '2026-07-28',
				'mcp-method': 'tools/call',
				'mcp-name': 'slow',
			},
			body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{},${meta}}}`,
			signal: aborter.signal,
		}).catch(() => 'gone');
		await expect.poll(() => server.of('tools/call').length).toBe(1);
		aborter.abort();
		expect(await gone).toBe('gone');
		await expect.poll(() => server.of('notifications/cancelled').length).toBe(1);
	});

	test.each([['legacy'], ['modern']] as const)('list changes of a %s server reach the GET stream', async (era) => {
		const server = await serve({ eras: [era] });
		const gateway = await behind([server]);
		const one = await LegacyClient.open(endpoint(gateway));
		const { seen, close } = await one.listen();
		await expect.poll(() => server.streams.size, { timeout: 5000 }).toBeGreaterThan(0);
		server.tools = ['new'];
		server.toolsChanged();
		await expect.poll(() => seen.some((text) => text.includes('notifications/tools/list_changed'))).toBe(true);
		expect(await one.toolNames()).toEqual(['new']);
		close();
	});
});
