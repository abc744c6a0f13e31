import { writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { testGateway } from './harness/test-gateway.ts';

/** A server whose calls are answered by the test. */
async function heldServer(): Promise<{ server: HttpMcpServer; held: (() => void)[] }> {
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => server.close());
	const held: (() => void)[] = [];
	server.override('tools/call', (message, response) => {
		const text = JSON.stringify({
			jsonrpc: '2.0',
			id: message.id,
			result: { content: [{ type: 'text', text: 'ok' }] },
		});
		held.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(text));
	});
	return { server, held };
}

test('calls that wait for their turn at a target are answered although a reload drops it', async () => {
	const { server, held } = await heldServer();
	const other = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => other.close());
	const config = (target: string) => mcpConfig(`${target}\n- name: other\n  mcp: { host: "${other.url}" }`);
	const gateway = await testGateway(config(`- name: a\n  mcp: { host: "${server.url}", maxConcurrentCalls: 1 }`));
	const clients = [await gateway.legacy(), await gateway.legacy()];
	const calls = clients.map((client) => client.request('tools/call', '{"name":"a_echo"}'));
	await expect.poll(() => held.length).toBe(1);
	const stream = await clients[0]?.listen();
	writeFileSync(gateway.file, config(`- name: b\n  mcp: { host: "${other.url}" }`));
	await expect.poll(() => stream?.seen.some((one) => one.includes('list_changed')), { timeout: 10_000 }).toBe(true);
	held[0]?.();
	await expect.poll(() => held.length, { timeout: 5000 }).toBe(2);
	held[1]?.();
	for (const { message } of await Promise.all(calls)) expect(message.error).toBeUndefined();
	stream?.close();
}, 30_000);

test('calls that are under way on a session that the server has forgotten are answered although a reload drops it', async () => {
	const { server, held } = await heldServer();
	const other = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => other.close());
	const config = (target: string) => mcpConfig(`${target}\n- name: other\n  mcp: { host: "${other.url}" }`);
	const gateway = await testGateway(config(`- name: a\n  mcp: { host: "${server.url}" }`));
	const client = await gateway.legacy();
	const stream = await client.listen();
	const call = client.request('tools/call', '{"name":"a_echo"}');
	await expect.poll(() => held.length).toBe(1);
	server.sessions.clear();
	const moved = await client.request('prompts/get', '{"name":"a_greet"}');
	expect(moved.message.error).toBeUndefined();
	expect(server.of('initialize').length).toBeGreaterThan(1);
	writeFileSync(gateway.file, config(`- name: b\n  mcp: { host: "${other.url}" }`));
	await expect
		.poll(async () => (await client.toolNames()).some((name) => name.startsWith('b_')), { timeout: 10_000 })
		.toBe(true);
	held[0]?.();
	expect((await call).message.error).toBeUndefined();
	stream.close();
}, 30_000);
