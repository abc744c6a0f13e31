import { describe, expect, test } from 'vitest';
import type { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer, behind, client, eras, error, result, serve } from '../support/many-servers.ts';
import { LegacyClient } from '../support/rpc-client.ts';

const stamp = { resultType: 'complete' };

/** Two servers that serve the same URIs, and two clients' worth of answers that name them. */
async function pair(capabilities?: Record<string, unknown>): Promise<[HttpMcpServer, HttpMcpServer]> {
	const options = capabilities === undefined ? {} : { capabilities };
	const servers: [HttpMcpServer, HttpMcpServer] = [
		await serve({ eras: ['legacy'], ...options }),
		await serve({ eras: ['modern'], ...options }),
	];
	for (const [index, server] of servers.entries()) {
		answer(server, 'resources/read', ({ uri }) => ({
			...stamp,
			contents: [{ uri, text: `${uri} of ${'ab'[index]}`, mimeType: 'text/plain' }],
		}));
	}
	return servers;
}

interface Block {
	type: string;
	uri?: string;
	resource?: { uri: string };
}

describe.each(eras)('a %s client', (era) => {
	test('reads what the tools and prompts of two servers with equal URIs link to', async () => {
		const servers = await pair();
		const content = [
			{ type: 'resource_link', uri: 'memo:x', name: 'x' },
			{ type: 'resource', resource: { uri: 'memo:y', text: 'uri' } },
			{ type: 'resource_link', uri: 'svn+ssh://h/z', name: 'z' },
			{ type: 'text', text: 'memo:x', uri: 'memo:x' },
		];
		for (const server of servers) {
			answer(server, 'tools/call', () => ({ ...stamp, content, structuredContent: { uri: 'memo:x' } }));
			answer(server, 'prompts/get', () => ({
				...stamp,
				messages: content.map((block) => ({ role: 'user', content: block })),
			}));
		}
		const one = await client(era, await behind(servers));
		for (const target of ['a', 'b']) {
			const called = await result(one, 'tools/call', { name: `${target}_echo`, arguments: {} });
			const got = await result(one, 'prompts/get', { name: `${target}_greet` });
			const blocks = [
				...(called['content'] as Block[]),
				...(got['messages'] as { content: Block }[]).map((message) => message.content),
			];
			const links = blocks.map((block) => (block.type === 'text' ? undefined : (block.uri ?? block.resource?.uri)));
			const expected = ['memo:x', 'memo:y', 'svn+ssh://h/z'].map((uri) => `${target}+${uri}`);
			expect(links).toEqual([...expected, undefined, ...expected, undefined]);
			expect(blocks[3]?.uri).toBe('memo:x');
			expect(called['structuredContent']).toEqual({ uri: 'memo:x' });
			for (const uri of expected) {
				const read = await result(one, 'resources/read', { uri });
				const own = uri.slice(target.length + 1);
				expect(read['contents']).toEqual([{ uri, text: `${own} of ${target}`, mimeType: 'text/plain' }]);
			}
		}
		expect(await error(one, 'resources/read', { uri: 'memo:x' })).toEqual({
			code: -32602,
			message: 'Unknown resource: memo:x',
		});
	});

	test('completes the templates and prompts that it was listed', async () => {
		const one = await client(era, await behind(await pair()));
		const { resourceTemplates } = await result(one, 'resources/templates/list', {});
		expect((resourceTemplates as { uriTemplate: string }[]).map(({ uriTemplate }) => uriTemplate)).toEqual([
			'a+file:///{path}',
			'b+file:///{path}',
		]);
		const complete = async (ref: object) => {
			const { completion } = await result(one, 'completion/complete', { ref, argument: { name: 'path', value: 'x' } });
			return JSON.parse((completion as { values: string[] }).values[0] ?? '') as unknown;
		};
		expect(await complete({ type: 'ref/resource', uri: 'b+file:///{path}' })).toEqual({
			type: 'ref/resource',
			uri: 'file:///{path}',
		});
		expect(await complete({ type: 'ref/prompt', name: 'a_greet' })).toEqual({ type: 'ref/prompt', name: 'greet' });
		const ref = { type: 'ref/resource', uri: 'file:///{path}' };
		expect(await error(one, 'completion/complete', { ref, argument: { name: 'p', value: '' } })).toMatchObject({
			code: -32602,
		});
	});

	test('finds the pages of apps, and their calls by the server’s own name find their tool', async () => {
		const [a, b] = await pair();
		a.tools = ['only_a', 'both'];
		b.tools = ['only_b', 'both'];
		const tool = (name: string) => ({
			name,
			inputSchema: { type: 'object' },
			icons: [{ src: 'ui://icon/x.png' }],
			_meta: { ui: { resourceUri: 'ui://app/page', visibility: ['app'] }, 'ui/resourceUri': 'ui://app/page' },
		});
		answer(b, 'tools/list', () => ({ ...stamp, tools: b.tools.map(tool) }));
		answer(b, 'resources/list', () => ({ ...stamp, resources: [{ uri: 'ui://app/page', name: 'page' }] }));
		const one = await client(era, await behind([a, b]));
		const { tools } = await result(one, 'tools/list', {});
		expect((tools as object[]).slice(2)).toEqual(
			['only_b', 'both'].map((name) => ({
				...tool(`b_${name}`),
				_meta: { ui: { resourceUri: 'ui://b+app/page', visibility: ['app'] }, 'ui/resourceUri': 'ui://b+app/page' },
			})),
		);
		const { resources } = await result(one, 'resources/list', {});
		expect((resources as { uri: string }[]).map(({ uri }) => uri)).toEqual(['a+file:///a?x=1+2', 'ui://b+app/page']);
		expect(await result(one, 'resources/read', { uri: 'ui://b+app/page' })).toMatchObject({
			contents: [{ uri: 'ui://b+app/page', text: 'ui://app/page of b' }],
		});
		for (const uri of ['b+ui://app/page', 'ui://app/page', 'ui://c+app/page', 'ui://b%2Bapp/page', 'ui:/b+app']) {
			expect(await error(one, 'resources/read', { uri }), uri).toMatchObject({ code: -32602 });
		}
		expect(b.of('resources/read')).toHaveLength(1);

		expect(await one.tool('only_b')).toContain('"name":"only_b"');
		expect(await one.tool('only_a')).toContain('"name":"only_a"');
		expect(await error(one, 'tools/call', { name: 'both', arguments: {} })).toEqual({
			code: -32602,
			message: 'Unknown tool: both; did you mean "a_both" or "b_both"?',
		});
		expect(await error(one, 'tools/call', { name: 'neither', arguments: {} })).toMatchObject({
			message: 'Unknown tool: neither',
		});
		expect(await error(one, 'prompts/get', { name: 'greet' })).toMatchObject({ message: 'Unknown prompt: greet' });
	});
});

test('updates are told in the client’s names, those of a part of a resource too', async () => {
	const [a, b] = await pair();
	answer(a, 'resources/subscribe', () => ({}));
	const gateway = await behind([a, b]);
	const one = await LegacyClient.open(`${gateway.url()}/mcp`);
	const stream = await one.listen();
	await result(one, 'resources/subscribe', { uri: 'a+file:///dir/' });
	expect(a.of('resources/subscribe')[0]?.params['uri']).toBe('file:///dir/');
	for (const uri of ['file:///dir/', 'file:///dir/part']) {
		const message = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
		for (const { response } of a.streams) response.write(`data: ${message}\n\n`);
	}
	await expect.poll(() => stream.seen.filter((text) => text.includes('updated')).length).toBe(2);
	expect(stream.seen.join()).toContain('"uri":"a+file:///dir/"');
	expect(stream.seen.join()).toContain('"uri":"a+file:///dir/part"');
	stream.close();
});

describe('tasks', () => {
	const relatedTo = (taskId: unknown) => ({ 'io.modelcontextprotocol/related-task': { taskId } });

	/** Both servers number their tasks alike. */
	async function old(): Promise<LegacyClient> {
		const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
		const servers = [
			await serve({ eras: ['legacy'], capabilities: { tools: {}, tasks } }),
			await serve({ eras: ['legacy'], capabilities: { tools: {}, tasks } }),
		];
		for (const [index, server] of servers.entries()) {
			const task = (taskId: unknown) => ({ taskId, status: 'working', ttl: 1.5, statusMessage: 'ab'[index] });
			const known = ({ taskId }: Record<string, unknown>) => taskId === '1' || taskId === '2';
			answer(server, 'tools/call', () => ({ task: task('1') }));
			answer(server, 'tasks/list', ({ cursor }) =>
				cursor === undefined ? { tasks: [task('1')], nextCursor: 'x' } : { tasks: [task('2')] },
			);
			answer(server, 'tasks/get', (params) => (known(params) ? task(params['taskId']) : null));
			answer(server, 'tasks/cancel', (params) =>
				known(params) ? { ...task(params['taskId']), status: 'cancelled' } : null,
			);
			answer(server, 'tasks/result', (params) =>
				known(params)
					? { content: [{ type: 'resource_link', uri: 'memo:x', name: 'x' }], _meta: relatedTo(params['taskId']) }
					: null,
			);
		}
		return LegacyClient.open(`${(await behind(servers)).url()}/mcp`);
	}

	test('of old servers carry their target, wherever they are named', async () => {
		const one = await old();
		expect(one.greeting.message.result?.['capabilities']).toMatchObject({
			tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
		});
		const created = await result(one, 'tools/call', { name: 'b_echo', arguments: {}, task: { ttl: 1 } });
		expect(created).toEqual({ task: { taskId: 'b+1', status: 'working', ttl: 1.5, statusMessage: 'b' } });
		const { tasks } = await result(one, 'tasks/list', {});
		expect((tasks as { taskId: string }[]).map(({ taskId }) => taskId)).toEqual(['a+1', 'a+2', 'b+1', 'b+2']);
		expect(await result(one, 'tasks/get', { taskId: 'a+2' })).toMatchObject({ taskId: 'a+2', statusMessage: 'a' });
		expect(await result(one, 'tasks/cancel', { taskId: 'b+2' })).toMatchObject({ taskId: 'b+2', status: 'cancelled' });
		expect(await result(one, 'tasks/result', { taskId: 'b+1' })).toEqual({
			content: [{ type: 'resource_link', uri: 'b+memo:x', name: 'x' }],
			_meta: relatedTo('b+1'),
		});
		for (const taskId of ['1', 'c+1', '+1', '']) {
			expect(await error(one, 'tasks/get', { taskId }), taskId).toEqual({
				code: -32602,
				message: `Unknown task: ${taskId}`,
			});
		}
		expect(await error(one, 'tasks/get', { taskId: 'a+9' })).toMatchObject({ code: -32602 });
		expect(await error(one, 'tasks/get', {})).toMatchObject({ code: -32602 });
	});

	test('of new servers carry it too, with the links in what they end in', async () => {
		const capabilities = { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
		const servers = [await serve({ eras: ['modern'], capabilities }), await serve({ eras: ['modern'], capabilities })];
		for (const server of servers) {
			answer(server, 'tools/call', ({ name }) => ({
				resultType: 'task',
				taskId: `${name}:1`,
				status: 'working',
				ttlMs: null,
			}));
			answer(server, 'tasks/get', ({ taskId }) => ({
				...stamp,
				taskId,
				status: 'completed',
				result: { content: [{ type: 'resource_link', uri: 'memo:x', name: 'x' }] },
			}));
			answer(server, 'tasks/update', () => stamp);
		}
		const one = await client('modern', await behind(servers));
		const discovered = await result(one, 'server/discover', {});
		expect(discovered['capabilities']).toMatchObject({ extensions: { 'io.modelcontextprotocol/tasks': {} } });
		expect(await result(one, 'tools/call', { name: 'b_echo', arguments: {} })).toEqual({
			resultType: 'task',
			taskId: 'b+echo:1',
			status: 'working',
			ttlMs: null,
		});
		expect(await result(one, 'tasks/get', { taskId: 'b+echo:1' })).toMatchObject({
			taskId: 'b+echo:1',
			result: { content: [{ uri: 'b+memo:x' }] },
		});
		expect(servers[1]?.of('tasks/get')[0]?.params['taskId']).toBe('echo:1');
		await result(one, 'tasks/update', { taskId: 'a+z', inputResponses: { q: { n: 1 } } });
		expect(servers[0]?.of('tasks/update')[0]?.params).toMatchObject({ taskId: 'z', inputResponses: { q: { n: 1 } } });
		expect((await one.request('tasks/list', '{}')).message.error).toMatchObject({ code: -32601 });
	});

	test('of one server keep their ids', async () => {
		const server = await serve({ eras: ['legacy'], capabilities: { tools: {}, tasks: { list: {} } } });
		answer(server, 'tasks/get', ({ taskId }) => ({ taskId, status: 'working' }));
		answer(server, 'tasks/list', () => ({ tasks: [{ taskId: 'z+1' }], nextCursor: 'theirs' }));
		const one = await client('legacy', await behind([server]));
		expect(await result(one, 'tasks/get', { taskId: 'z+1' })).toMatchObject({ taskId: 'z+1' });
		expect(await result(one, 'tasks/list', {})).toEqual({ tasks: [{ taskId: 'z+1' }], nextCursor: 'theirs' });
	});

	test('that a request names in its _meta are named as their server knows them', async () => {
		const servers = await pair();
		const one = await client('modern', await behind(servers));
		const meta = {
			...relatedTo('b+7'),
			'io.modelcontextprotocol/relatedTaskIds': ['b+7', 'a+1', 'x'],
			'io.modelcontextprotocol/protocolVersion': '2026-07-28',
			'io.modelcontextprotocol/clientCapabilities': {},
		};
		const body = {
			jsonrpc: '2.0',
			id: 1,
			method: 'tools/call',
			params: { name: 'b_echo', arguments: { taskId: 'b+7' }, _meta: meta },
		};
		const sent = await postRaw(one, body);
		expect(sent).toContain('"arguments":{"taskId":"b+7"}');
		expect(sent).toContain('"io.modelcontextprotocol/related-task":{"taskId":"7"}');
		expect(sent).toContain('"io.modelcontextprotocol/relatedTaskIds":["7","a+1","x"]');
	});
});

/** Posts a modern call as it is; gives the text of the server's answer, which repeats what it received. */
async function postRaw(one: unknown, body: { method: string; params: { name: string } }): Promise<string> {
	const { url } = one as { url: string };
	const reply = await fetch(url, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-protocol-version': '2026-07-28',
			'mcp-method': body.method,
			'mcp-name': body.params.name,
		},
		body: JSON.stringify(body),
	});
	const { result: got } = (await reply.json()) as { result: { content: { text: string }[] } };
	return got.content[0]?.text ?? '';
}
