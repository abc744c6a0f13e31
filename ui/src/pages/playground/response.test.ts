import { expect, test } from 'vitest';
import type { PlaygroundResult } from '../../../../src/admin/state.ts';
import { contentsOf, outcomeOf, structuredOf } from './response.ts';

function answered(response: Record<string, unknown>): PlaygroundResult {
	return { httpStatus: 200, durationMs: 1, response, notifications: [] };
}

test('a tool that failed is told from a call that failed', () => {
	expect(outcomeOf(answered({ result: { content: [] } })).kind).toBe('ok');
	expect(outcomeOf(answered({ result: { isError: true } })).kind).toBe('tool-error');
	expect(outcomeOf(answered({ error: { code: -32602, message: 'Unknown tool: x' } }))).toEqual({
		kind: 'protocol-error',
		text: 'Error -32602: Unknown tool: x',
	});
});

test('contents of every type', () => {
	const content = [
		{ type: 'text', text: '{"a":1}' },
		{ type: 'text', text: '12' },
		{ type: 'image', data: 'AA==', mimeType: 'image/png' },
		{ type: 'image', data: 'AA==', mimeType: 'image/svg+xml' },
		{ type: 'resource_link', uri: 'a+b://c', name: 'C' },
		7,
	];
	expect(contentsOf(answered({ result: { content } })).map(({ kind }) => kind)).toEqual([
		'text',
		'text',
		'image',
		'other',
		'link',
		'other',
	]);
	expect(contentsOf(answered({ result: { content } }))[0]).toMatchObject({ json: { a: 1 } });
	expect(contentsOf(answered({ result: { content } }))[1]).toMatchObject({ json: undefined });
	expect(contentsOf(answered({ error: {} }))).toEqual([]);
});

test('a text that repeats the structured content is not shown twice', () => {
	const content = [
		{ type: 'text', text: '{ "x": 1 }' },
		{ type: 'text', text: '{"x":2}' },
	];
	expect(contentsOf(answered({ result: { content, structuredContent: { x: 1 } } }))).toHaveLength(1);
});

test('structured content', () => {
	expect(structuredOf(answered({ result: { structuredContent: { x: 1 } } }))).toEqual({ x: 1 });
	expect(structuredOf(answered({ result: {} }))).toBeUndefined();
});
