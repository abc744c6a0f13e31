import { describe, expect, test } from 'vitest';
import { ExposingSink, exposeNotice } from './exposing-sink.ts';
import type { Ask, Result, Sink } from './model.ts';
import { createNaming } from './names.ts';

const naming = createNaming([{ name: 'a' }, { name: 'b' }], 'conditional');

/** The text of a result as the client gets it. */
function exposed(method: string, text: string, type = 'complete'): string {
	let seen = '';
	const sink: Sink = {
		note() {},
		ask() {},
		done: (result: Result) => (seen = result.text.toString()),
		fail: (error) => (seen = error.message),
	};
	new ExposingSink(method, sink, naming, 'a').done({ text: Buffer.from(text), type, stamped: false });
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
	['tools/call', '{"content":"uri","uri":"x:1"}'],
	['tasks/get', '{"content":[{"type":"resource_link","uri":"x:1"}]}'],
	['tools/call', '{"taskId":"of the tool","structuredContent":{"taskId":"7"}}'],
	['tools/call', '{"content":[],"icons":[{"src":"ui://x"}],"_meta":{"ui":{"uri":"x:1"}}}'],
	['completion/complete', '{"completion":{"values":["x:1"]},"uri":"x:1"}'],
])('%s %s passes as it is', (method, text) => {
	expect(exposed(method, text)).toBe(text);
});

test.each([
	['tools/call', '{"content":[{"type":"resource_link","uri":"x:1","uri":"x:2"}]}'],
	['tools/call', '{"content":[{"type":"resource_link","uri":"b+x:1","name":"n","name":"n"}]}'],
	['tools/call', '{"content":[],"content":[{"type":"resource_link","uri":"b+x:1"}]}'],
	['resources/read', '{"contents":[{"uri":"b+x:1","uri":"b+x:1"}]}'],
])('%s %s fails: what it links to could be of another server', (method, text) => {
	expect(exposed(method, text)).toMatch(/cannot be looked through for URIs/);
});

test('keys that are spelt with escapes are the same keys', () => {
	const before = '{"content":[{"type":"resource_l\\u0069nk","\\u0075ri":"b+x:1"}]}';
	expect(exposed('tools/call', before)).toBe(before.replace('b+x:1', 'a+b+x:1'));
});

test('pages of apps, in both forms', () => {
	const before = '{"content":[],"_meta":{"ui":{"resourceUri":"ui://w/p","csp":1},"ui/resourceUri":"ui://w/p"}}';
	expect(exposed('tools/call', before)).toBe(before.replaceAll('ui://w', 'ui://a+w'));
});

test.each([
	['tools/call', '{"resultType":"task","taskId":"7","ttlMs":1.0}', 'task'],
	['tools/call', '{"task":{"taskId":"7","status":"working"}}', 'complete'],
	['tools/call', '{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}}', 'complete'],
	['tasks/get', '{"taskId":"7","status":"working"}', 'complete'],
	['tasks/cancel', '{"taskId":"7","status":"cancelled"}', 'complete'],
	['tasks/result', '{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}}', 'complete'],
])('ids of tasks: %s %s', (method, text, type) => {
	expect(exposed(method, text, type)).toBe(text.replace('"7"', '"a+7"'));
});

test('the outcome of a task holds what that of a call holds', () => {
	const before = '{"taskId":"7","status":"completed","result":{"content":[{"type":"resource_link","uri":"x:1"}]}}';
	expect(exposed('tasks/get', before)).toBe(before.replace('"7"', '"a+7"').replace('x:1', 'a+x:1'));
});

test('what a server asks within its result', () => {
	const messages = '"messages":[{"role":"user","content":[{"type":"resource_link","uri":"x:1"}]}]';
	const ask = (params: string) => `{"method":"sampling/createMessage","params":{${params}}}`;
	const before = `{"resultType":"input_required","inputRequests":{"uri":${ask(messages)},"q 2":{"method":"roots/list"}},"requestState":"x:1"}`;
	for (const method of ['tools/call', 'prompts/get', 'resources/read', 'tasks/get']) {
		expect(exposed(method, before, 'input_required'), method).toBe(before.replace('"uri":"x:1"', '"uri":"a+x:1"'));
	}
});

test('what a server asks in the middle of a call, with the way back kept', () => {
	const seen: Ask[] = [];
	const sink: Sink = { note() {}, ask: (ask) => void seen.push(ask), done() {}, fail() {} };
	const told: unknown[] = [];
	const ask = (params: string | null): Ask => ({
		method: 'elicitation/create',
		params: params === null ? null : Buffer.from(params),
		answer: (answer) => void told.push(answer),
		progress() {},
		onWithdrawn() {},
	});
	const one = new ExposingSink('tools/call', sink, naming, 'a');
	const plain = ask('{"message":"x"}');
	one.ask(plain);
	one.ask(ask('{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}}'));
	one.ask(ask(null));
	expect(seen[0]).toBe(plain);
	expect(seen[1]?.params?.toString()).toBe('{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a+7"}}}');
	seen[1]?.answer({ result: Buffer.from('{}') });
	expect(told).toHaveLength(1);
});

describe('notifications', () => {
	const told = (method: string, params: string, names = naming) =>
		exposeNotice({ method, params: Buffer.from(params) }, names, 'a')?.params?.toString();

	test.each([
		['notifications/resources/updated', '{"uri":"x:7/sub"}', '{"uri":"a+x:7/sub"}'],
		['notifications/resources/updated', '{"uri":"ui://7"}', '{"uri":"ui://a+7"}'],
		['notifications/tasks/status', '{"taskId":"7","status":"working"}', '{"taskId":"a+7","status":"working"}'],
		['notifications/tasks', '{"taskId":"7","result":{"content":[]}}', '{"taskId":"a+7","result":{"content":[]}}'],
		[
			'notifications/message',
			'{"data":{"taskId":"7"},"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}}',
			'{"data":{"taskId":"7"},"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a+7"}}}',
		],
		['acme/news', '{"uri":"x:7"}', '{"uri":"x:7"}'],
	])('%s %s', (method, before, after) => {
		expect(told(method, before)).toBe(after);
	});

	test('about hidden resources are dropped, with one target, too', () => {
		const resources = { include: null, exclude: ['x:s*'], rename: {}, describe: {} };
		const one = createNaming([{ name: 'a', curation: { resources } }], 'conditional');
		expect(told('notifications/resources/updated', '{"uri":"x:secret"}', one)).toBeUndefined();
		expect(told('notifications/resources/updated', '{"uri":"x:open"}', one)).toBe('{"uri":"x:open"}');
	});
});
