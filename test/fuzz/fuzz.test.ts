import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Learnt, parsed, replyFault } from './check-reply.ts';
import { FuzzExchange } from './fuzz-exchange.ts';
import { fuzz } from './run.ts';
import { scripted } from './scripted.ts';

const folder = new URL('corpus', import.meta.url).pathname;

test('messages that nobody should send, from both sides: each is answered once, and the gateway goes on', async () => {
	for (const seed of [1, 2]) {
		const { messages, fault } = await fuzz(seed, 50_000);
		expect(fault?.what ?? null).toBeNull();
		expect(messages).toBeGreaterThanOrEqual(50_000);
	}
}, 300_000);

describe('what was found once', () => {
	test.each(readdirSync(folder).filter((file) => file.endsWith('.json')))('%s', async (file) => {
		const { over, modern, answers } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
			over: 'stdio' | 'http';
			modern: boolean;
			answers: string[];
		};
		expect(await scripted(over, modern, answers)).toBeNull();
	});
});

test('the check finds what is wrong', () => {
	const exchange = (body: string, status = 200) => {
		const one = new FuzzExchange({
			...{ method: 'POST', headers: {}, front: 'http' },
			body: Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'),
		});
		one.respond(status, ['content-type', 'application/json'], body);
		return one;
	};
	const learnt = new Learnt();
	expect(replyFault(exchange('{"jsonrpc":"2.0","id":1,"result":{}}'), learnt)).toBeNull();
	expect(replyFault(exchange('{"jsonrpc":"2.0","id":2,"result":{}}'), learnt)).toContain('another request');
	expect(replyFault(exchange('{"jsonrpc":"2.0","id":1,"error":{"code":Infinity,"message":""}}'), learnt)).toContain(
		'no JSON',
	);
	expect(replyFault(exchange('{"jsonrpc":"2.0","id":1}'), learnt)).toContain('neither');
	expect(replyFault(exchange('{}', 500), learnt)).toContain('500');
	const twice = exchange('{"jsonrpc":"2.0","id":1,"result":{}}');
	twice.respond(200, [], null);
	expect(replyFault(twice, learnt)).toBe('answered twice');
	expect(parsed('{')).toBeUndefined();
});
