import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import { agree, Refused } from '../peer.ts';
import { type Context, spokenTo, type Topic } from '../requirement.ts';

const asked = ({ peer }: Context) => peer.asked.map(({ method }) => method);

/** Calls a tool that asks; gives its text and all that was asked. */
async function call(context: Context, name: string, args: Record<string, unknown> = {}): Promise<string> {
	context.peer.asked.length = 0;
	context.peer.answer = agree;
	const result = await context.peer.use('tools/call', { name, arguments: args });
	return result.content[0].text as string;
}

export const asking: Topic = {
	title: 'Elicitation, sampling, roots',
	requirements: [
		{
			id: 'elicitation',
			title: 'a tool asks the user and goes on with the answer',
			section: 'client/elicitation',
			run: async (context) => {
				const text = await call(context, 'test_elicitation', { message: 'Who are you?' });
				expect(text).toBe('User response: action: accept, content: {"username":"Ada","email":"Ada"}');
				expect(context.peer.asked[0]).toMatchObject({
					method: 'elicitation/create',
					params: { message: 'Who are you?', requestedSchema: { required: ['username', 'email'] } },
				});
			},
		},
		{
			id: 'elicitation-refused',
			title: 'the user declines, or closes the question',
			section: 'client/elicitation, response actions',
			run: async ({ peer }) => {
				for (const action of ['decline', 'cancel']) {
					peer.answer = () => ({ action });
					const result = await peer.use('tools/call', { name: 'test_elicitation', arguments: { message: '?' } });
					expect(result.content[0].text).toBe(`User response: action: ${action}, content: {}`);
				}
				peer.answer = agree;
			},
		},
		{
			id: 'elicitation-schemas',
			title: 'defaults and every form of a choice reach the user',
			section: 'client/elicitation, SEP-1034 and SEP-1330',
			run: async (context) => {
				const defaults = await call(context, 'test_elicitation_sep1034_defaults');
				expect(defaults).toContain('"age":30,"score":95.5,"status":"active","verified":true');
				await call(context, 'test_elicitation_sep1330_enums');
				const { properties } = context.peer.asked[0]?.params.requestedSchema;
				expect(properties.titledSingle.oneOf[0]).toEqual({ const: 'value1', title: 'First Option' });
				expect(properties.legacyEnum.enumNames[0]).toBe('Option One');
				expect(properties.titledMulti.items.anyOf[2]).toEqual({ const: 'value3', title: 'Third Choice' });
			},
		},
		{
			id: 'elicitation-url',
			title: 'a tool sends the user to a page',
			section: 'client/elicitation 2025-11-25, URL mode',
			limit: (combo) =>
				combo.client === 'new' && spokenTo(combo) === 'old'
					? { loss: 'the server’s notice that the page was left has no addressee' }
					: undefined,
			run: async (context) => {
				expect(await call(context, 'matrix_url')).toBe('The user said accept');
				expect(context.peer.asked[0]?.params).toMatchObject({ mode: 'url', url: 'https://example.com/sign-in' });
			},
		},
		{
			id: 'elicitation-url-error',
			title: 'a server that only goes on after a visit to a page',
			section: 'client/elicitation 2025-11-25, -32042',
			limit: ({ client, upstream }) => {
				if (upstream !== 'old') return { none: '-32042 was removed in 2026-07-28' };
				return client === 'new' ? { loss: 'the error becomes a question of the new era' } : undefined;
			},
			run: async ({ peer, combo }) => {
				peer.asked.length = 0;
				const params = { name: 'matrix_sign_in', arguments: { key: randomUUID() } };
				const outcome: Loose = await peer.use('prompts/get', params).catch((error: unknown) => error);
				const page = { mode: 'url', url: 'https://example.com/sign-in', message: 'Please sign in' };
				if (combo.client === 'new') {
					expect(peer.asked).toMatchObject([{ method: 'elicitation/create', params: page }]);
					expect(outcome.messages[0].content.text).toBe('Signed in');
				} else {
					expect(outcome).toMatchObject({ code: -32042, data: { elicitations: [page] } });
				}
			},
		},
		{
			id: 'elicitation-prompt',
			title: 'a prompt asks the user',
			section: 'client/elicitation; basic/patterns/mrtr 2026-07-28',
			run: async ({ peer }) => {
				const { messages } = await peer.use('prompts/get', { name: 'test_input_required_result_prompt' });
				expect(messages[0].content.text).toBe('Context: Ada');
			},
		},
		{
			id: 'elicitation-stream',
			title: 'a tool that answers on a stream asks the user',
			section: 'basic/transports; basic/patterns/mrtr 2026-07-28',
			run: async (context) => {
				expect(await call(context, 'test_streaming_elicitation')).toContain('action=accept, content={"ok":true}');
			},
		},
		{
			id: 'sampling',
			title: 'a tool asks the client’s model',
			section: 'client/sampling',
			run: async (context) => {
				expect(await call(context, 'test_sampling', { prompt: 'life' })).toBe('LLM response: about life');
				expect(context.peer.asked[0]).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 100 } });
			},
		},
		{
			id: 'roots',
			title: 'a tool asks for the client’s roots',
			section: 'client/roots',
			run: async (context) => {
				expect(await call(context, 'test_input_required_result_list_roots')).toBe('Roots: file:///matrix');
				expect(asked(context)).toEqual(['roots/list']);
			},
		},
		{
			id: 'several-questions',
			title: 'three questions at once',
			section: 'basic/patterns/mrtr 2026-07-28',
			run: async (context) => {
				const text = await call(context, 'test_input_required_result_multiple_inputs');
				expect(text).toBe('about Generate a greeting Ada, of 1 roots');
				expect(asked(context).sort()).toEqual(['elicitation/create', 'roots/list', 'sampling/createMessage']);
			},
		},
		{
			id: 'rounds',
			title: 'one question after the other, with the server’s state in between',
			section: 'basic/patterns/mrtr 2026-07-28, multiple rounds',
			run: async (context) => {
				expect(await call(context, 'test_input_required_result_multi_round')).toBe('Ada likes Ada');
				expect(await call(context, 'test_input_required_result_request_state')).toBe('state-ok');
			},
		},
		{
			id: 'question-at-once',
			title: 'questions of calls that run at the same time are not confused',
			section: 'basic/patterns/mrtr 2026-07-28; basic/transports 2025-11-25',
			run: async ({ peer }) => {
				peer.answer = (_method, params: Loose) => ({
					action: 'accept',
					content: { username: params.message, email: 'e' },
				});
				const ask = async (message: string) =>
					(await peer.use('tools/call', { name: 'test_elicitation', arguments: { message } })).content[0]
						.text as string;
				const names = ['a', 'b', 'c', 'd', 'e'];
				const texts = await Promise.all(names.map(ask));
				peer.answer = agree;
				expect(texts.map((text) => /"username":"(.)"/.exec(text)?.[1])).toEqual(names);
			},
		},
		{
			id: 'answers-out-of-order',
			title: 'the question that came first may be answered last',
			section: 'basic/patterns/mrtr 2026-07-28; basic/transports 2025-11-25',
			run: async ({ peer }) => {
				peer.answer = async (_method, { message }: Loose) => {
					await new Promise((resolve) => setTimeout(resolve, message === 'a' ? 200 : 0));
					return { action: 'accept', content: { username: message, email: 'e' } };
				};
				const ask = async (message: string) =>
					(await peer.use('tools/call', { name: 'test_elicitation', arguments: { message } })).content[0]
						.text as string;
				const texts = await Promise.all(['a', 'b', 'c'].map(ask));
				peer.answer = agree;
				expect(texts.map((text) => /"username":"(.)"/.exec(text)?.[1])).toEqual(['a', 'b', 'c']);
			},
		},
		{
			id: 'question-failed',
			title: 'a client that answers a question with an error ends the call, not the connection',
			section: 'client/sampling, error handling',
			shownBy: 'raw',
			run: async (context) => {
				const { peer, combo } = context;
				if (combo.client === 'new') {
					// There is no error in an answer of the new era: whoever will not answer does not call again.
					const { wire } = context.wire();
					const first = await wire.request('tools/call', '{"name":"test_sampling","arguments":{"prompt":"x"}}');
					expect(first.message.result.resultType).toBe('input_required');
				} else {
					peer.answer = () => undefined;
					const failed = await peer
						.use('tools/call', { name: 'test_sampling', arguments: { prompt: 'x' } })
						.catch((error: unknown) => error);
					if (!(failed instanceof Refused)) expect(failed).toMatchObject({ isError: true });
					peer.answer = agree;
				}
				expect(await call(context, 'test_sampling', { prompt: 'life' })).toBe('LLM response: about life');
			},
		},
		{
			id: 'asks-what-is-possible',
			title: 'a server learns what the client can be asked',
			section: 'basic/lifecycle 2025-11-25; basic/index 2026-07-28, client capabilities',
			run: async ({ connect }) => {
				const peer = await connect({ sampling: {} });
				const { content } = await peer.use('tools/call', { name: 'test_input_required_result_capabilities' });
				expect(content[0].text).toBe('Answered: greeting');
				expect(peer.asked.map(({ method }) => method)).toEqual(['sampling/createMessage']);
			},
		},
		{
			id: 'missing-capability',
			title: 'a client that cannot be asked is told what it lacks',
			section: 'basic/index 2026-07-28, -32021',
			limit: (combo) => {
				if (spokenTo(combo) === 'new') return undefined;
				return { loss: 'in the server’s own words: -32021 came with 2026-07-28' };
			},
			run: async ({ connect, spoken }) => {
				const peer = await connect({});
				const outcome = await peer
					.use('tools/call', { name: 'test_missing_capability' })
					.catch((error: unknown) => error);
				if (spoken === 'old') expect(outcome).toMatchObject({ isError: true });
				else {
					expect(outcome).toBeInstanceOf(Refused);
					expect(outcome).toMatchObject({ code: -32021, data: { requiredCapabilities: { sampling: {} } } });
				}
				expect(peer.asked).toEqual([]);
			},
		},
	],
};
