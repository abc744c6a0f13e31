import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import type { Topic } from '../requirement.ts';

export const prompts: Topic = {
	title: 'Prompts and completion',
	requirements: [
		{
			id: 'prompts-list',
			title: 'the list is whole and in the server’s order, with arguments',
			section: 'server/prompts, listing',
			run: async ({ peer }) => {
				const { prompts: list } = await peer.use('prompts/list');
				expect(list.slice(0, 5).map((prompt: Loose) => prompt.name)).toEqual([
					'test_simple_prompt',
					'test_prompt_with_arguments',
					'test_prompt_with_embedded_resource',
					'test_prompt_with_image',
					'test_input_required_result_prompt',
				]);
				expect(list[1].arguments).toMatchObject([
					{ name: 'arg1', required: true },
					{ name: 'arg2', required: true },
				]);
			},
		},
		{
			id: 'prompt-get',
			title: 'a prompt, with arguments',
			section: 'server/prompts, getting',
			run: async ({ peer }) => {
				const simple = await peer.use('prompts/get', { name: 'test_simple_prompt' });
				expect(simple.messages[0].content.text).toBe('This is a simple prompt for testing.');
				const args = { arg1: 'ä"\\', arg2: 'b' };
				const filled = await peer.use('prompts/get', { name: 'test_prompt_with_arguments', arguments: args });
				expect(filled.messages[0].content.text).toBe(`Prompt with arguments: arg1='ä"\\', arg2='b'`);
			},
		},
		{
			id: 'prompt-content',
			title: 'a prompt with an embedded resource, and one with an image',
			section: 'server/prompts, data types',
			run: async ({ peer }) => {
				const args = { resourceUri: 'test://example-resource' };
				const embedded = await peer.use('prompts/get', { name: 'test_prompt_with_embedded_resource', arguments: args });
				expect(embedded.messages[0].content.resource.uri).toBe(args.resourceUri);
				const image = await peer.use('prompts/get', { name: 'test_prompt_with_image' });
				expect(image.messages[0].content).toMatchObject({ type: 'image', mimeType: 'image/png' });
			},
		},
		{
			id: 'complete',
			title: 'completion of a prompt’s argument and of a template’s',
			section: 'server/utilities/completion',
			run: async ({ peer }) => {
				const argument = { name: 'arg1', value: 'par' };
				const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' };
				const prompt = await peer.use('completion/complete', { ref, argument });
				expect(prompt.completion).toMatchObject({ values: ['paris', 'park', 'party'], total: 3 });
				const template = { type: 'ref/resource', uri: 'test://template/{id}/data' };
				const found = await peer.use('completion/complete', { ref: template, argument: { name: 'id', value: 'pari' } });
				expect(found.completion.values).toEqual(['paris']);
			},
		},
	],
};
