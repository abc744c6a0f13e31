import { expect, test } from 'vitest';
import { readAccept } from './accept.ts';

test.each([
	[null, 'json'],
	['application/json, text/event-stream', 'json'],
	['application/json,text/event-stream', 'json'],
	['Application/JSON; charset=utf-8, Text/Event-Stream', 'json'],
	['*/*', 'json'],
	['text/html, */*;q=0.8', 'json'],
	['application/*, text/*', 'json'],
	['text/event-stream, application/json', 'stream'],
	['text/event-stream', 'stream'],
	['text/*', 'stream'],
	['text/event-stream, */*', 'stream'],
	['application/json;q=0, text/event-stream', 'stream'],
	['application/json', 'json-only'],
	['application/*', 'json-only'],
	['application/json, text/event-stream;q=0.0', 'json-only'],
	['text/html', 'neither'],
	['', 'json'],
	[',', 'neither'],
	['*/*;q=0', 'neither'],
])('%j: %s', (accept, form) => {
	expect(readAccept(accept)).toBe(form);
});
