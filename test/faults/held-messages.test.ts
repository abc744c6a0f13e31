import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RawClient } from '../http/raw-client.ts';
import { fixtureTarget } from '../processes/children.ts';
import { mcpConfig } from '../support/gateway.ts';
import type { Received } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { SseMcpServer } from '../support/sse-mcp-server.ts';
import {
	type Gateway,
	held,
	httpServer,
	Kept,
	none,
	of,
	pad,
	post,
	size,
	start,
	stays,
	target,
	tell,
} from './holding.ts';

const notice = `{"jsonrpc":"2.0","method":"notifications/x","params":{"pad":"${pad}"}}`;

/** Accepts what its stream asks a client, with a large form. */
async function accept(gateway: Gateway, client: LegacyClient, stream: RawClient): Promise<void> {
	const text = await stream.until((came) => came.includes('elicitation/create'), 10_000);
	const id = /"id":("?[^,"]+"?),"method":"elicitation\/create"/.exec(text)?.[1] ?? '';
	const answer = `{"jsonrpc":"2.0","id":${id},"result":{"action":"accept","content":{"pad":"${pad}"}}}`;
	await tell(gateway, answer, '/mcp', of(client));
}

describe('a notification that a server does not take is held', () => {
	test.each(['it takes it', 'it breaks off', 'the session ends'])('until %s', async (way) => {
		const server = await httpServer('legacy');
		const kept = new Kept(server, 'notifications/x');
		const gateway = await start(mcpConfig(target(server)));
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		await tell(gateway, notice, '/mcp', of(client));
		await expect.poll(() => kept.all.length).toBe(1);
		await stays(gateway);
		if (way === 'it takes it') kept.take();
		else if (way === 'the session ends') await client.end();
		else {
			kept.breakOff();
			// It is told once more.
			await expect.poll(() => kept.all.length).toBe(1);
			await stays(gateway);
			kept.breakOff();
		}
		await none(gateway);
	});

	test('though more than one target holds it, and once for each', async () => {
		const [a, b] = [await httpServer('legacy'), await httpServer('legacy')];
		const kept = [a, b].map((server) => new Kept(server, 'notifications/x'));
		const gateway = await start(mcpConfig(`${target(a)}\n${target(b, 'b')}`));
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		await tell(gateway, notice, '/mcp', of(client));
		await expect.poll(() => kept.map(({ all }) => all.length)).toEqual([1, 1]);
		await stays(gateway, 2);
		kept[0]?.take();
		await expect.poll(() => held(gateway)).toBeLessThan(1.5 * size);
		await stays(gateway);
		kept[1]?.take();
		await none(gateway);
	});

	test('by one that a server leaves beyond all measure, and dropped with its connection', async () => {
		const server = await httpServer('legacy');
		const kept = new Kept(server, 'notifications/x');
		const gateway = await start(mcpConfig(target(server)));
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		const large = notice.replace(pad, 'x'.repeat(3_500_000));
		const full = /does not take what it is sent: \d+ messages/;
		for (let at = 0; at < 40 && !full.test(gateway.log()); at++) await tell(gateway, large, '/mcp', of(client));
		await gateway.waitFor(full);
		await client.end();
		await none(gateway);
		kept.breakOff();
	});

	test.each(['it takes it', 'its stream ends', 'the session ends'])('by one of HTTP+SSE, until %s', async (way) => {
		const server = await SseMcpServer.start();
		onTestFinished(() => server.close());
		const posts: ServerResponse[] = [];
		const gateway = await start(mcpConfig(`- name: a\n  sse: { host: "${server.url}" }`));
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		server.intercept = (request, response) => {
			if (Number(request.headers['content-length']) < size) return false;
			posts.push(response);
			return true;
		};
		await tell(gateway, notice, '/mcp', of(client));
		await expect.poll(() => posts.length).toBe(1);
		await stays(gateway);
		if (way === 'it takes it') posts[0]?.writeHead(202).end();
		else if (way === 'the session ends') await client.end();
		else for (const stream of server.streams.values()) stream.destroy();
		await none(gateway);
	});

	test.each(['it reads on', 'it ends', 'the session ends'])('by a child, until %s', async (way) => {
		const gateway = await start(mcpConfig(fixtureTarget('a')));
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		const child = Number(await client.tool('pid'));
		process.kill(child, 'SIGSTOP');
		try {
			// More than any pipe takes.
			const large = notice.replace(pad, 'x'.repeat(3_500_000));
			await tell(gateway, large, '/mcp', of(client));
			for (let looks = 0; looks < 5; looks++) expect(await held(gateway)).toBeGreaterThan(3_500_000);
		} finally {
			process.kill(child, way === 'it ends' ? 'SIGKILL' : 'SIGCONT');
		}
		if (way === 'the session ends') await client.end();
		await none(gateway);
	});
});

describe('what a client answers to a server', () => {
	const question = (id: number) =>
		`{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}}`;

	/** A call of a client that can be asked, whose server asks in its middle. */
	async function asked() {
		const server = await httpServer('legacy');
		const gateway = await start(mcpConfig(target(server)));
		const calls: { message: Received; response: ServerResponse }[] = [];
		server.override('tools/call', (message, response) => {
			calls.push({ message, response });
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(`data: ${question(5)}\n\n`);
		});
		const finish = () => {
			for (const { message, response } of calls.splice(0)) {
				const id = JSON.stringify(message.id);
				response.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"done"}]}}\n\n`);
			}
		};
		// What has no method is an answer.
		const kept = new Kept(server, '', 'notifications/progress');
		return { gateway, finish, kept };
	}

	const small = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}';

	test.each(['it takes it', 'the session ends'])('is held until %s', async (way) => {
		const { gateway, kept, finish } = await asked();
		const client = await LegacyClient.open(`${gateway.url()}/mcp`, undefined, '{"elicitation":{}}');
		const stream = post(gateway, small, '/mcp', of(client));
		await accept(gateway, client, stream);
		await expect.poll(() => kept.all.length).toBe(1);
		await stays(gateway);
		if (way === 'it takes it') kept.take();
		else await client.end();
		// The call goes on.
		await expect.poll(() => held(gateway)).toBeLessThan(1000);
		finish();
		await none(gateway);
	});

	test('is held until a server without sessions has been told with the next try', async () => {
		const server = await httpServer('modern');
		const gateway = await start(mcpConfig(target(server)));
		const kept = new Kept(server, 'tools/call');
		const client = await LegacyClient.open(`${gateway.url()}/mcp`, undefined, '{"elicitation":{}}');
		const stream = post(gateway, small, '/mcp', of(client));
		await expect.poll(() => kept.all.length).toBe(1);
		const wanted = '{"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object"}}}';
		kept.answer(`{"resultType":"input_required","inputRequests":{"k":${wanted}},"requestState":"s"}`);
		await accept(gateway, client, stream);
		await expect.poll(() => kept.all.length).toBe(1);
		await stays(gateway);
		kept.answer('{"resultType":"complete","content":[]}');
		await none(gateway);
		stream.destroy();
	});

	test.each(['its client comes back', 'its server does not wait'])(
		'is waited for with the body of the call, until %s',
		async (way) => {
			const { gateway, kept, finish } = await asked();
			const client = new ModernClient(`${gateway.url()}/mcp`, undefined, '{"elicitation":{}}');
			const parked = await client.request('tools/call', `{"name":"slow","arguments":{"pad":"${pad}"}}`);
			const { inputRequests, requestState } = parked.message.result as {
				inputRequests: Record<string, unknown>;
				requestState: string;
			};
			await stays(gateway);
			if (way === 'its client comes back') {
				const [key = ''] = Object.keys(inputRequests);
				const params = { name: 'slow', requestState, inputResponses: { [key]: { action: 'decline' } } };
				const again = client.request('tools/call', JSON.stringify(params));
				await expect.poll(() => kept.all.length).toBe(1);
				kept.take();
				finish();
				expect((await again).text).toContain('done');
			} else finish();
			await none(gateway);
		},
	);
});
