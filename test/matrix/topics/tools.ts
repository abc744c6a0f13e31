import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import { onlyNew, type Topic } from '../requirement.ts';

export const tools: Topic = {
	title: 'Tools',
	requirements: [
		{
			id: 'tools-list',
			title: 'the list is whole and in the server’s order',
			section: 'server/tools 2026-07-28, listing',
			run: async ({ peer, combo }) => {
				const { tools: list } = await peer.use('tools/list');
				const names = list.map((tool: Loose) => tool.name) as string[];
				expect(names.slice(0, 3)).toEqual(['test_simple_text', 'test_image_content', 'test_audio_content']);
				expect(names).toContain('matrix_url');
				expect(names.includes('matrix_list')).toBe(combo.upstream === 'new');
				expect(new Set(names).size).toBe(names.length);
			},
		},
		{
			id: 'tools-list-cache',
			title: 'lists say how long they hold and for whom',
			section: 'server/utilities/caching 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('came with 2026-07-28'),
			run: async ({ peer }) => {
				for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
					const { resultType, ttlMs, cacheScope } = await peer.use(method);
					expect({ method, resultType, ttl: typeof ttlMs }).toEqual({ method, resultType: 'complete', ttl: 'number' });
					expect(['public', 'private']).toContain(cacheScope);
				}
			},
		},
		{
			id: 'tool-text',
			title: 'a text',
			section: 'server/tools, tool result',
			run: async ({ peer }) => {
				const { content } = await peer.use('tools/call', { name: 'test_simple_text', arguments: {} });
				expect(content).toEqual([{ type: 'text', text: 'This is a simple text response for testing.' }]);
			},
		},
		{
			id: 'tool-no-arguments',
			title: 'a call without arguments',
			section: 'server/tools, calling',
			run: async ({ peer }) => {
				const { content } = await peer.use('tools/call', { name: 'matrix_echo' });
				expect(content[0].text).toBe('{}');
			},
		},
		{
			id: 'tool-image',
			title: 'an image',
			section: 'server/tools, image content',
			run: async ({ peer }) => {
				const { content } = await peer.use('tools/call', { name: 'test_image_content' });
				expect(content).toMatchObject([{ type: 'image', mimeType: 'image/png' }]);
			},
		},
		{
			id: 'tool-audio',
			title: 'a sound',
			section: 'server/tools, audio content',
			run: async ({ peer }) => {
				const { content } = await peer.use('tools/call', { name: 'test_audio_content' });
				expect(content).toMatchObject([{ type: 'audio', mimeType: 'audio/wav' }]);
			},
		},
		{
			id: 'tool-embedded',
			title: 'an embedded resource, and several blocks in order',
			section: 'server/tools, embedded resources',
			run: async ({ peer }) => {
				const one = await peer.use('tools/call', { name: 'test_embedded_resource' });
				expect(one.content[0].resource).toMatchObject({ uri: 'test://embedded-resource', mimeType: 'text/plain' });
				const mixed = await peer.use('tools/call', { name: 'test_multiple_content_types' });
				expect(mixed.content.map((block: Loose) => block.type)).toEqual(['text', 'image', 'resource']);
			},
		},
		{
			id: 'tool-link',
			title: 'a link to a resource, which can be read',
			section: 'server/tools, resource links',
			run: async ({ peer }) => {
				const { content } = await peer.use('tools/call', { name: 'matrix_link' });
				expect(content).toMatchObject([{ type: 'resource_link', name: 'Static text' }]);
				const { contents } = await peer.use('resources/read', { uri: content[0].uri });
				expect(contents[0].text).toContain('static text resource');
			},
		},
		{
			id: 'tool-failure',
			title: 'a tool that fails says so in its result',
			section: 'server/tools, error handling',
			run: async ({ peer }) => {
				const result = await peer.use('tools/call', { name: 'test_error_handling' });
				expect(result.isError).toBe(true);
				expect(result.content[0].text).toBe('This tool intentionally returns an error for testing');
			},
		},
		{
			id: 'tool-structured',
			title: 'structured content, with its schema',
			section: 'server/tools, structured content',
			run: async ({ peer }) => {
				const { tools: list } = await peer.use('tools/list');
				const tool = list.find((one: Loose) => one.name === 'matrix_structured');
				expect(tool).toMatchObject({ title: 'Structured', annotations: { readOnlyHint: true, title: 'Annotated' } });
				expect(tool.outputSchema.properties.degrees).toEqual({ type: 'number' });
				const result = await peer.use('tools/call', { name: 'matrix_structured', arguments: { city: 'Reykjavík 🌋' } });
				expect(result.structuredContent).toEqual({ city: 'Reykjavík 🌋', degrees: 21.5 });
			},
		},
		{
			id: 'tool-structured-list',
			title: 'structured content that is no object',
			section: 'server/tools 2026-07-28, SEP-2106',
			limit: ({ client, upstream }) => {
				if (upstream !== 'new') return { none: 'came with 2026-07-28; the fixture’s old half has none' };
				return client === 'old' ? { loss: 'wrapped into an object, `{"result": …}`, for the client' } : undefined;
			},
			run: async ({ peer, combo }) => {
				const { tools: list } = await peer.use('tools/list');
				const { outputSchema } = list.find((one: Loose) => one.name === 'matrix_list');
				const { structuredContent } = await peer.use('tools/call', { name: 'matrix_list' });
				const schema = { type: 'array', items: { type: 'integer' } };
				if (combo.client === 'new') {
					expect(outputSchema).toEqual(schema);
					expect(structuredContent).toEqual([1, 2, 3]);
				} else {
					expect(outputSchema).toMatchObject({ type: 'object', properties: { result: schema }, required: ['result'] });
					expect(structuredContent).toEqual({ result: [1, 2, 3] });
				}
			},
		},
		{
			id: 'tool-schema',
			title: 'input schemas with all that JSON Schema 2020-12 offers',
			section: 'server/tools, SEP-1613',
			run: async ({ peer }) => {
				const { tools: list } = await peer.use('tools/list');
				const { inputSchema } = list.find((one: Loose) => one.name === 'json_schema_2020_12_tool');
				expect(inputSchema).toMatchObject({
					$schema: 'https://json-schema.org/draft/2020-12/schema',
					$defs: { address: { $anchor: 'addressDef' } },
					properties: { address: { $ref: '#/$defs/address' } },
					allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
					if: { required: ['contactMethod'] },
					else: { required: ['email'] },
					additionalProperties: false,
				});
			},
		},
		{
			id: 'tool-param-headers',
			title: 'arguments that are repeated in headers, non-ASCII ones too',
			section: 'basic/transports 2026-07-28, SEP-2243',
			run: async ({ peer, combo }) => {
				// SDKs learn of the headers from the list.
				await peer.use('tools/list');
				const args = { region: 'Zürich ', priority: 3, urgent: true };
				const headers = {
					'mcp-param-region': '=?base64?WsO8cmljaCA=?=',
					'mcp-param-priority': '3',
					'mcp-param-urgent': 'true',
				};
				const call = { name: 'test_x_mcp_header', arguments: args };
				const raw = 'wire' in peer && combo.client === 'new';
				const result = raw
					? (await (peer as Loose).wire.request('tools/call', JSON.stringify(call), { headers })).message.result
					: await peer.use('tools/call', call);
				expect(JSON.parse(result.content[0].text)).toEqual(args);
			},
		},
	],
};
