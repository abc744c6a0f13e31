import { expect, test } from 'vitest';
import { ReplyHeads } from './reply-heads.ts';

test('a head says what node would say', () => {
	const head = new ReplyHeads(75_000).of(200, ['content-type', 'application/json'], 12);
	expect(head).toMatch(
		/^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json\r\ncontent-length: 12\r\nDate: [^\r]+ GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n$/,
	);
});

test('other headers, another status and another length make another head', () => {
	const heads = new ReplyHeads(5000);
	expect(heads.of(200, ['x', '1'], 1)).toContain('\r\nx: 1\r\n');
	expect(heads.of(200, ['x', '2'], 1)).toContain('\r\nx: 2\r\n');
	expect(heads.of(201, ['x', '2'], 1)).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
	expect(heads.of(201, ['x', '2'], 34)).toContain('\r\ncontent-length: 34\r\n');
});

test.each([
	[['x', 'a\r\nb: c']],
	[['x\r\ny', 'a']],
	[['x', 'ü€']],
	[['connection', 'close']],
	[['Transfer-Encoding', 'chunked']],
	[['date', 'now']],
])('%j is left to node', (headers) => {
	expect(new ReplyHeads(5000).of(200, headers, 1)).toBeNull();
});
