import type { PlaygroundResult } from '../../../../src/admin/state.ts';

/** How a call ended, in words. */
export interface Outcome {
	kind: 'ok' | 'tool-error' | 'protocol-error';
	text: string;
}

/** A part of a tool's result as the page draws it. */
export type Content =
	| { kind: 'text'; text: string; json: unknown }
	| { kind: 'image' | 'audio'; source: string; mimeType: string }
	| { kind: 'link'; uri: string; name: string }
	| { kind: 'other'; value: unknown };

/** Larger texts are shown as text: a tree of them would stop the page. */
const largestTree = 256 * 1024;

export function outcomeOf({ response }: PlaygroundResult): Outcome {
	const { error, result } = response;
	if (isObject(error)) {
		const number = typeof error['code'] === 'number' ? ` ${error['code']}` : '';
		const message = typeof error['message'] === 'string' ? error['message'] : 'no message';
		return { kind: 'protocol-error', text: `Error${number}: ${message}` };
	}
	return isObject(result) && result['isError'] === true
		? { kind: 'tool-error', text: 'The tool reported an error' }
		: { kind: 'ok', text: 'Done' };
}

/** The content blocks of the result, in order, without a text that only repeats the structured content. */
export function contentsOf({ response }: PlaygroundResult): Content[] {
	const { result } = response;
	if (!isObject(result) || !Array.isArray(result['content'])) return [];
	const structured = JSON.stringify(result['structuredContent']);
	return result['content']
		.map(contentOf)
		.filter((one) => one.kind !== 'text' || one.json === undefined || JSON.stringify(one.json) !== structured);
}

/** `structuredContent`; undefined when there is none. */
export function structuredOf({ response }: PlaygroundResult): unknown {
	return isObject(response['result']) ? response['result']['structuredContent'] : undefined;
}

function contentOf(block: unknown): Content {
	if (!isObject(block)) return { kind: 'other', value: block };
	const { type, text, data, mimeType, uri, name } = block;
	if (type === 'text' && typeof text === 'string') return { kind: 'text', text, json: jsonIn(text) };
	if ((type === 'image' || type === 'audio') && typeof data === 'string' && typeof mimeType === 'string') {
		// Only what the browser shows without running it, whatever the server calls it.
		const safe = /^(image\/(png|jpeg|gif|webp|avif|bmp)|audio\/[\w.+-]+)$/.test(mimeType);
		if (safe) return { kind: type, source: `data:${mimeType};base64,${data}`, mimeType };
	}
	if (type === 'resource_link' && typeof uri === 'string') {
		return { kind: 'link', uri, name: typeof name === 'string' ? name : uri };
	}
	return { kind: 'other', value: block };
}

/** Many tools send JSON as text. undefined when it is none, or just a word or number. */
function jsonIn(text: string): unknown {
	if (text.length > largestTree || !/^\s*[[{]/.test(text)) return undefined;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
