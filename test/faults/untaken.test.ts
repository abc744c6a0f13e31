import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpConfig, type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type Received } from '../support/http-mcp-server.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { SseMcpServer } from '../support/sse-mcp-server.ts';
import { inFrontOf } from '../support/targets.ts';

/** A gateway before two servers, `bad` and `good`. */
async function besideGood(): Promise<{ bad: HttpMcpServer; gateway: RunningGateway }> {
	const [bad, good] = [
		await HttpMcpServer.start({ eras: ['legacy'] }),
		await HttpMcpServer.start({ eras: ['legacy'] }),
	];
	const targets = [bad, good].map(({ url }, at) => `- name: ${at === 0 ? 'bad' : 'good'}\n  mcp: { host: "${url}" }`);
	const gateway = await runGateway(mcpConfig(targets.join('\n')));
	onTestFinished(async () => {
		await gateway.stop();
		await bad.close();
		await good.close();
	});
	return { bad, gateway };
}

function stream(response: ServerResponse, ...messages: string[]): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.write(messages.map((message) => `data: ${message}\n\n`).join(''));
}

const answerTo = ({ id }: Received) =>
	`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"mine"}]}}`;
const ask = (method: string, id = '1') => `{"jsonrpc":"2.0","id":${id},"method":"${method}"}`;

describe('a server that asks without end and takes no answer', () => {
	test.each(['ping', 'sampling/createMessage'])(
		"%s: its calls fail, and nobody else's",
		async (method) => {
			const { bad, gateway } = await besideGood();
			const one = await LegacyClient.open(`${gateway.url()}/mcp`);
			let untaken = 0;
			// What is no notification has no method: an answer.
			bad.override('', () => void untaken++);
			bad.override('tools/call', (message, response) => {
				if (message.params['name'] !== 'slow')
					return void response.writeHead(200, { 'content-type': 'application/json' }).end(answerTo(message));
				stream(response);
				const some = `data: ${ask(method)}\n\n`.repeat(500);
				const more = () => {
					if (response.destroyed) return;
					if (response.write(some)) setImmediate(more);
					else response.once('drain', more);
				};
				more();
			});
			const failed = await one.request('tools/call', '{"name":"bad_slow"}');
			expect(failed.message.error?.message).toMatch(
				/"bad" did not answer: it does not take what it is sent: \d+ messages/,
			);
			expect(untaken).toBeLessThanOrEqual(64);
			expect(await one.tool('good_echo')).toContain('echo');
			await expect.poll(() => one.tool('bad_echo').catch(() => ''), { timeout: 15_000 }).toBe('mine');
		},
		40_000,
	);

	test('what has an id that is too long is no request', async () => {
		const { bad, gateway } = await besideGood();
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		const [longest, longer] = [`"${'i'.repeat(1022)}"`, `"${'i'.repeat(1023)}"`];
		bad.override('tools/call', (message, response) => {
			stream(response, ask('ping', longer), ask('ping', longest), ask('ping'));
			setTimeout(() => response.end(`data: ${answerTo(message)}\n\n`), 300);
		});
		expect(await one.tool('bad_slow')).toBe('mine');
		await expect.poll(() => bad.of('').map(({ id }) => id)).toHaveLength(2);
		expect(new Set(bad.of('').map(({ id }) => id))).toEqual(new Set([1, 'i'.repeat(1022)]));
	});
});

test('notifications that a server leaves unanswered leave room for calls, and end with their session', async () => {
	const { bad, gateway } = await besideGood();
	const url = `${gateway.url()}/mcp`;
	const one = await LegacyClient.open(url);
	const headers = { 'content-type': 'application/json', 'mcp-session-id': one.session };
	let held = 0;
	bad.override('notifications/x', (_message, response) => {
		held++;
		response.on('close', () => held--);
	});
	const body = '{"jsonrpc":"2.0","method":"notifications/x"}';
	for (let at = 0; at < 600; at += 50)
		await Promise.all(Array.from({ length: 50 }, () => fetch(url, { method: 'POST', headers, body })));
	await expect.poll(() => held).toBe(64);
	expect(await one.tool('bad_echo')).toContain('echo');
	await one.end();
	await expect.poll(() => held).toBe(0);
}, 30_000);

describe('a POST that an HTTP+SSE server leaves unanswered', () => {
	async function hanging(from = 1000) {
		const server = await SseMcpServer.start();
		const closing: (() => Promise<unknown>)[] = [() => server.close()];
		onTestFinished(async () => {
			for (const close of closing.reverse()) await close();
		});
		const gateway = await inFrontOf('sse', server.url, closing);
		const one = await LegacyClient.open(`${gateway.url()}/mcp`);
		expect(await one.tool('echo')).toContain('echo');
		const state = { held: 0, sessions: new Map<ServerResponse, string>() };
		server.intercept = (request, response) => {
			if (request.method !== 'POST' || request.headers['content-length'] === undefined) return false;
			// Notices are short.
			if (Number(request.headers['content-length']) < from) return false;
			state.held++;
			state.sessions.set(response, request.url ?? '');
			response.on('close', () => {
				state.held--;
				state.sessions.delete(response);
			});
			return true;
		};
		return { one, state, server, url: `${gateway.url()}/mcp` };
	}
	const params = `{"name":"slow","arguments":{"pad":"${'x'.repeat(1000)}"}}`;

	test('is given up with its call', async () => {
		const { one, state, url } = await hanging();
		const calls = Array.from({ length: 20 }, (_, at) => one.request('tools/call', params, String(100 + at)));
		await expect.poll(() => state.held).toBe(20);
		for (let at = 0; at < 20; at++) {
			await fetch(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json', 'mcp-session-id': one.session },
				body: `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${100 + at}}}`,
			});
		}
		for (const { message } of await Promise.all(calls)) expect(message.error?.code).toBe(-32800);
		await expect.poll(() => state.held).toBe(0);
	});

	test('is given up with its session', async () => {
		const { one, state } = await hanging();
		const calls = Array.from({ length: 5 }, () => one.request('tools/call', params).catch(() => null));
		await expect.poll(() => state.held).toBe(5);
		await one.end();
		await expect.poll(() => state.held).toBe(0);
		await Promise.all(calls);
	});

	test('is counted: a server that asks without end loses its connection', async () => {
		const { one, state, server } = await hanging(0);
		const call = one.request('tools/call', params);
		await expect.poll(() => state.held).toBe(1);
		const [session] = state.sessions.values();
		for (let at = 0; at < 17_000; at++) server.say({ jsonrpc: '2.0', id: at, method: 'ping' });
		expect((await call).message.error?.message).toContain('"a" did not answer: it does not take what it is sent');
		// The next connection's handshake hangs, too.
		await expect.poll(() => [...state.sessions.values()]).not.toContain(session);
	});
});
