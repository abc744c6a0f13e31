import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../matrix/peer.ts';
import { type EverythingServer, startEverything } from '../support/everything-server.ts';
import { everythingServer, mcpConfig, nodeTarget, type RunningGateway, runGateway } from '../support/gateway.ts';
import type { Loose } from '../support/wire-client.ts';
import { openClient, realClients } from './clients.ts';

describe.each(['stdio', 'HTTP', 'SSE'] as const)('server-everything over %s', (transport) => {
	let server: EverythingServer | null = null;
	let gateway: RunningGateway;

	beforeAll(async () => {
		if (transport !== 'stdio') server = await startEverything(transport === 'SSE' ? 'sse' : 'streamableHttp');
		const kind = transport === 'SSE' ? 'sse' : 'mcp';
		const target =
			server === null
				? nodeTarget('everything', everythingServer)
				: `- name: everything\n  ${kind}: { host: "${server.url}" }`;
		gateway = await runGateway(mcpConfig(target));
	});
	afterAll(async () => {
		expect(await gateway.stop()).toBe(0);
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
		await server?.stop();
	});

	describe.each(realClients)('%s', (kind) => {
		let client: Peer;
		const call = async (name: string, args: Record<string, unknown> = {}) =>
			(await client.use('tools/call', { name, arguments: args })) as Loose;

		beforeAll(async () => {
			client = await openClient(kind, gateway.url());
		});
		afterAll(() => client.close());

		test('lists tools, those that need a capability of the client too', async () => {
			const names = async () => (await client.use('tools/list')).tools.map((tool: Loose) => tool.name) as string[];
			await expect
				.poll(names, { timeout: 5000 })
				.toEqual(
					expect.arrayContaining([
						...['echo', 'get-sum', 'get-structured-content', 'trigger-long-running-operation'],
						...['trigger-sampling-request', 'trigger-elicitation-request', 'get-roots-list'],
					]),
				);
		});

		test('calls tools: text, structured content, image, links', async () => {
			expect((await call('echo', { message: 'hællo' })).content[0].text).toContain('hællo');
			expect((await call('get-sum', { a: 2, b: 3 })).content[0].text).toContain('5');
			const weather = await call('get-structured-content', { location: 'Chicago' });
			expect(weather.structuredContent).toHaveProperty('temperature');
			expect((await call('get-tiny-image')).content.map((block: Loose) => block.type)).toContain('image');
			const { content } = await call('get-resource-links', { count: 2 });
			const link = content.find((block: Loose) => block.type === 'resource_link');
			expect((await client.use('resources/read', { uri: link.uri })).contents).toHaveLength(1);
		});

		test('asks the model of the client', async () => {
			client.asked.length = 0;
			const { content } = await call('trigger-sampling-request', { prompt: 'weather', maxTokens: 5 });
			expect(client.asked.map(({ method }) => method)).toContain('sampling/createMessage');
			expect(content[0].text).toContain('about Resource trigger-sampling-request context: weather');
		});

		test('asks the user', async () => {
			client.asked.length = 0;
			const { content } = await call('trigger-elicitation-request');
			expect(client.asked.map(({ method }) => method)).toContain('elicitation/create');
			expect(content[0].text).toContain('User provided the requested information');
		});

		test('asks for the roots of the client', async () => {
			expect(JSON.stringify((await call('get-roots-list')).content)).toContain('file:///matrix');
		});

		test('reports progress of a long operation', async () => {
			const seen: number[] = [];
			await client.use(
				'tools/call',
				{ name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
				{ onProgress: ({ progress }) => seen.push(progress) },
			);
			expect(seen).toEqual([1, 2, 3]);
		});

		test('resources, templates, prompts, completion', async () => {
			const { resources } = await client.use('resources/list');
			expect(resources.length).toBeGreaterThan(3);
			expect((await client.use('resources/read', { uri: resources[0].uri })).contents[0].text).not.toBe('');
			const { resourceTemplates } = await client.use('resources/templates/list');
			expect(resourceTemplates.length).toBeGreaterThan(0);
			const { prompts } = await client.use('prompts/list');
			expect(prompts.map((prompt: Loose) => prompt.name)).toContain('args-prompt');
			const { messages } = await client.use('prompts/get', { name: 'args-prompt', arguments: { city: 'Bergen' } });
			expect(messages[0].content.text).toContain('Bergen');
			const ref = { type: 'ref/prompt', name: 'completable-prompt' };
			const { completion } = await client.use('completion/complete', {
				ref,
				argument: { name: 'department', value: 'E' },
			});
			expect(completion.values).toEqual(['Engineering']);
		});
	});
});
