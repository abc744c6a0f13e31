import { describe, expect, test } from 'vitest';
import { TestEndpoint } from '../../test/support/endpoint.ts';
import { FakeTarget } from '../../test/support/fake-target.ts';

describe('what is no message', () => {
	test.each([
		['[]', 400, -32600],
		['{', 400, -32700],
		['{"jsonrpc":"2.0","id":1}', 400, -32600],
		['{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
		['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600],
		['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, -32600],
		['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32602],
	])('%s: %i %i', async (text, status, number) => {
		const one = new TestEndpoint([new FakeTarget('a', {}, () => ({}))]);
		const reply = await one.post({}, text);
		await one.close();
		expect([reply.status, reply.messages()[0]?.['error']]).toMatchObject([status, { code: number }]);
	});
});
