import { expect, test } from 'vitest';
import { echo, start } from './fixture.ts';
import { once, RawClient, statusOf } from './raw-client.ts';

const good = 'GET /good HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

test('200 clients that never finish their headers are let go, and the others do not notice', async () => {
	const running = await start(echo, { headersTimeout: 1_500 });
	const slow = Array.from({ length: 200 }, () => new RawClient(running.port));
	for (const client of slow) client.send('GET /slow HTTP/1.1\r\nHost: localhost\r\nX: ');
	const drip = setInterval(() => {
		for (const client of slow) if (!client.closed) client.send('a');
	}, 100);
	for (let at = 0; at < 20; at++) expect(statusOf(await once(running.port, good))).toBe(200);
	const replies = await Promise.all(slow.map((client) => client.untilClosed(20_000)));
	clearInterval(drip);
	expect(new Set(replies.map(statusOf))).toEqual(new Set([408]));
	expect(running.seen.every(({ path }) => path === '/good')).toBe(true);
	await running.server.close(100, 0);
}, 60_000);

test('a body that drips is cut, however steadily it does', async () => {
	const running = await start(echo, { headersTimeout: 500, bodyTimeout: 1_000 });
	const client = new RawClient(running.port);
	client.send('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n');
	const drip = setInterval(() => {
		if (!client.closed) client.send('a');
	}, 50);
	expect(statusOf(await client.untilClosed(20_000))).toBe(408);
	clearInterval(drip);
	await running.server.close(100, 0);
}, 60_000);
