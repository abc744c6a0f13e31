import { request } from 'undici';
import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import { eventually } from '../eventually.ts';
import { type Context, onlyOld, spokenTo, type Topic } from '../requirement.ts';

export const fidelity: Topic = {
	title: 'Fidelity, streams, tasks',
	requirements: [
		{
			id: 'unknown-members',
			title: 'members that no version knows pass: of tools, results, content, `_meta`',
			section: 'basic/index, _meta',
			shownBy: 'raw',
			run: async ({ peer }) => {
				const { tools } = await peer.use('tools/list');
				const tool = tools.find((one: Loose) => one.name === 'matrix_structured');
				expect(tool).toEqual({
					name: 'matrix_structured',
					title: 'Structured',
					description: 'Answers with an object',
					annotations: { readOnlyHint: true, title: 'Annotated' },
					inputSchema: {
						type: 'object',
						properties: { city: { type: 'string' } },
						required: ['city'],
						additionalProperties: false,
					},
					outputSchema: {
						type: 'object',
						properties: { city: { type: 'string' }, degrees: { type: 'number' } },
						required: ['city'],
					},
					_meta: { 'example.com/kept': { deep: [1, { x: null }] } },
					'example.com/unknown': { kept: true },
				});
				const result = await peer.use('tools/call', { name: 'matrix_structured', arguments: { city: 'x' } });
				expect(result._meta).toMatchObject({ 'example.com/kept': true });
				expect(result.content[0].annotations).toEqual({ priority: 0.5 });
			},
		},
		{
			id: 'stamps',
			title: 'results have the members of the client’s era, and no others',
			section: 'basic/index 2026-07-28, resultType',
			shownBy: 'raw',
			run: async ({ peer, combo }) => {
				for (const method of ['tools/list', 'prompts/list', 'resources/list']) {
					const result = await peer.use(method);
					const has = ['resultType', 'ttlMs', 'cacheScope'].filter((key) => key in result);
					expect(has).toEqual(combo.client === 'old' ? [] : ['resultType', 'ttlMs', 'cacheScope']);
				}
				const result = await peer.use('tools/call', { name: 'test_simple_text' });
				expect(result.resultType).toBe(combo.client === 'old' ? undefined : 'complete');
				if (combo.client === 'old') expect(JSON.stringify(result)).not.toContain('io.modelcontextprotocol/');
			},
		},
		{
			id: 'ids',
			title: 'ids come back as they were, of whatever JSON type',
			section: 'basic/index, requests; JSON-RPC 2.0',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				for (const id of ['"7"', '7', '0', '-3', '"ä \\u0041"', '9007199254740991', '""']) {
					const { text } = await wire.request('tools/call', '{"name":"test_simple_text"}', { id });
					expect(text).toContain(`"id":${id}`);
				}
			},
		},
		{
			id: 'arguments',
			title: 'arguments of any form arrive',
			section: 'server/tools, calling',
			run: async ({ peer }) => {
				const args = { text: 'ä\u0000"\\\n\u2028🌋', number: -0.1e-7, nothing: null, deep: [[{ '': [] }]], yes: true };
				const { content } = await peer.use('tools/call', { name: 'matrix_echo', arguments: args });
				expect(JSON.parse(content[0].text)).toEqual(args);
			},
		},
		{
			id: 'resumed-stream',
			title: 'a stream that broke is resumed with Last-Event-ID, nothing lost',
			section: 'basic/transports 2025-11-25, resumability',
			shownBy: 'raw',
			limit: onlyOld('streams cannot be resumed since 2026-07-28'),
			run: resumes,
		},
		{
			id: 'tasks',
			title: 'a call becomes a task, which is followed to its result',
			section: 'extension io.modelcontextprotocol/tasks, SEP-2663',
			shownBy: 'raw',
			limit: (combo) => {
				if (combo.client === 'old') return { none: 'tasks of the old era have another form' };
				return spokenTo(combo) === 'old'
					? { none: 'the server has none in this form; its tools are called as usual' }
					: undefined;
			},
			run: async ({ connect }) => {
				const peer = await connect({ extensions: { 'io.modelcontextprotocol/tasks': {} } });
				const args = { seconds: 0.1, label: 'x' };
				const created = await peer.use('tools/call', { name: 'slow_compute', arguments: args });
				expect(created.resultType).toBe('task');
				const { taskId } = created;
				await eventually(async () => expect((await peer.use('tasks/get', { taskId })).status).toBe('completed'));
				const { result } = await peer.use('tasks/get', { taskId });
				expect(result.content[0].text).toBe('Computed x for 0.1 s');
			},
		},
	],
};

/** Breaks the stream of a call after its first event, and takes up the rest. */
async function resumes(context: Context): Promise<void> {
	const { wire } = context.wire();
	const headers = { 'content-type': 'application/json', ...wire.headersOf('tools/call', '{}') };
	const body = wire.bodyOf('tools/call', '{"name":"test_tool_with_progress"}', {
		id: '"resumed"',
		meta: '"progressToken":"r"',
	});
	const accept = 'application/json, text/event-stream';
	const first = await request(context.url, { method: 'POST', headers: { ...headers, accept }, body });
	let text = '';
	for await (const chunk of first.body) {
		text += String(chunk);
		if (text.includes('"progress":0')) break;
	}
	const id = [...text.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1];
	expect(id, text).toBeDefined();
	const more = { ...wire.headersOf('', '{}'), accept: 'text/event-stream', 'last-event-id': id ?? '' };
	const second = await request(context.url, { headers: more });
	expect(second.statusCode).toBe(200);
	let rest = '';
	for await (const chunk of second.body) {
		rest += String(chunk);
		if (rest.includes('"id":"resumed"')) break;
	}
	const progress = [...`${text}${rest}`.matchAll(/"progress":(\d+)/g)].map(([, value]) => Number(value));
	expect(progress).toEqual([0, 50, 100]);
	expect(rest).toContain('successfully');
}
