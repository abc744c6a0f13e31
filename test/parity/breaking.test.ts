import { afterAll, beforeAll, describe, type ExpectStatic, expect, test } from 'vitest';
import { fixtureServer } from '../processes/children.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { gatewayFor, httpTarget, probed, stdioTarget } from './backends.ts';
import { modern, Session, stream, type Stream } from './wire.ts';

let gateway: RunningGateway;
let old: HttpMcpServer;
let a: HttpMcpServer;
let b: HttpMcpServer;
const closing: (() => unknown)[] = [];

const oldOnly = 0;
const news = 1;
const misbehaves = 2;

beforeAll(async () => {
	old = await HttpMcpServer.start({ eras: ['legacy'] });
	a = await HttpMcpServer.start({ eras: ['modern'] });
	b = await HttpMcpServer.start({ eras: ['modern'] });
	gateway = await gatewayFor([
		{ targets: [httpTarget('old', old.url)] },
		{ targets: [httpTarget('a', a.url), httpTarget('b', b.url)] },
		{ targets: [stdioTarget('old', fixtureServer), stdioTarget('new', fixtureServer, '--modern')] },
	]);
	await probed(gateway);
});
afterAll(async () => {
	for (const close of closing.splice(0)) close();
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([old.close(), a.close(), b.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;
const changes = (one: Stream) => one.seen.filter(({ method }) => method === 'notifications/tools/list_changed').length;

async function session(bind: number): Promise<Session> {
	const one = await Session.open(at(bind));
	closing.push(() => one.end());
	return one;
}

describe.concurrent('when something breaks,', () => {
	test('subscriptions/listen goes on with the others, and takes the broken one up again', async ({ expect }) => {
		const one = await stream(at(news), modern('subscriptions/listen', { notifications: { toolsListChanged: true } }));
		closing.push(() => one.close());
		await expect.poll(() => one.seen.length).toBe(1);
		await expect.poll(() => [a.streams.size, b.streams.size]).toEqual([1, 1]);
		await breakStreams(a, expect);
		b.toolsChanged();
		await expect.poll(() => changes(one)).toBe(1);
		// What changed meanwhile cannot be known, so it is told that something may have.
		await expect.poll(() => changes(one), { timeout: 10_000 }).toBe(2);
		await expect.poll(() => a.streams.size).toBe(1);
		a.toolsChanged();
		await expect.poll(() => changes(one)).toBe(3);
		expect(one.seen.every(({ error }) => error === undefined)).toBe(true);
	});

	test('the stream of a session stays, and that of its server is taken up again', async ({ expect }) => {
		const one = await session(oldOnly);
		const open = await one.listen();
		closing.push(() => open.close());
		await expect.poll(() => old.streams.size).toBeGreaterThan(0);
		await breakStreams(old, expect);
		await expect.poll(() => old.streams.size, { timeout: 5000 }).toBeGreaterThan(0);
		old.toolsChanged();
		await expect.poll(() => changes(open), { timeout: 5000 }).toBeGreaterThan(0);
	});

	test.for(['old', 'new'])(
		'a child that dies (%s) fails its call at once, keeps the stream of the session, and comes back',
		async (target, { expect }) => {
			const one = await session(misbehaves);
			const open = await one.listen();
			closing.push(() => open.close());
			const { last } = await one.request('tools/call', { name: `${target}_crash`, arguments: {} });
			expect(last.error.message).toMatch(/exited with code 5/);
			const back = async () => (await one.request('tools/call', { name: `${target}_pid`, arguments: {} })).last.result;
			await expect.poll(back, { timeout: 10_000 }).toBeDefined();
			expect(open.seen.every(({ error }) => error === undefined)).toBe(true);
			expect((await one.request('tools/list')).last.result.tools.length).toBeGreaterThan(4);
		},
	);
});

/** Ends what a server has open to say something unasked, and waits until that is so. */
async function breakStreams(server: HttpMcpServer, expect: ExpectStatic): Promise<void> {
	for (const { response } of server.streams) response.destroy();
	await expect.poll(() => server.streams.size).toBe(0);
}
