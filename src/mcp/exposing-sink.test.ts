import { expect, test } from 'vitest';
import { ExposingSink } from './exposing-sink.ts';
import type { Result, Sink } from './model.ts';
import { createNaming } from './names.ts';

const naming = createNaming([{ name: 'a' }, { name: 'b' }], 'conditional');

/** The text of a result as the client gets it. */
function exposed(method: string, text: string): string {
	let seen = '';
	const sink: Sink = {
		note() {},
		done: (result: Result) => (seen = result.text.toString()),
		fail: (error) => (seen = error.message),
	};
	new ExposingSink(method, sink, naming, 'a').done({ text: Buffer.from(text), type: 'complete', stamped: false });
	return seen;
}

test('links and embedded resources in the results of tools', () => {
	const before =
		'{"content":[{"uri":"file:///x","type":"resource_link","n":1.0},{"type":"resource","resource":{"uri":"file:///y","text":"uri"}},' +
		'{"type":"text","text":"\\"uri\\"","uri":"stays"}],"uri":"stays","structuredContent":{"uri":"stays"}}';
	const after = before.replace('file:///x', 'a+file:///x').replace('file:///y', 'a+file:///y');
	expect(exposed('tools/call', before)).toBe(after);
});

test('messages of prompts, with one block or several', () => {
	const link = '{"type":"resource_link","uri":"ui://w"}';
	const before = `{"messages":[{"role":"user","content":${link}},{"content":[${link},{"resource":{"uri":"x:1"}}]}]}`;
	expect(exposed('prompts/get', before)).toBe(before.replaceAll('ui://w', 'ui://a+w').replace('x:1', 'a+x:1'));
});

test('contents of resources', () => {
	expect(exposed('resources/read', '{"contents":[{"uri":"x:1","text":"t"},{"uri":7}]}')).toBe(
		'{"contents":[{"uri":"a+x:1","text":"t"},{"uri":7}]}',
	);
});

test.each([
	['tools/call', '{"content":[{"type":"text","text":"no address"}]}'],
	['tools/call', '{"content":[{"type":"resource_link","uri":"x:1","uri":"x:2"}]}'],
	['tools/call', '{"content":"uri","uri":"x:1"}'],
	['tasks/get', '{"content":[{"type":"resource_link","uri":"x:1"}]}'],
])('%s %s passes as it is', (method, text) => {
	expect(exposed(method, text)).toBe(text);
});
