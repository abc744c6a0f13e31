import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig } from '../support/gateway.ts';
import { HttpMcpServer, type Received } from '../support/http-mcp-server.ts';
import { modernMeta, StdioGateway } from '../support/stdio-gateway.ts';
import { testGateway } from './harness/test-gateway.ts';

async function serve(era: 'legacy' | 'modern'): Promise<HttpMcpServer> {
	const server = await HttpMcpServer.start({ eras: [era] });
	onTestFinished(() => server.close());
	return server;
}

/** Answers calls only when they are let go. */
function held(server: HttpMcpServer): { letGo(): void } {
	const waiting: [Received, ServerResponse][] = [];
	server.override('tools/call', (message, response) => void waiting.push([message, response]));
	return {
		letGo() {
			for (const [{ id, params }, response] of waiting.splice(0)) {
				const { arguments: given } = params as { arguments: { text: string } };
				const result = { resultType: 'complete', content: [{ type: 'text', text: given.text }] };
				response
					.writeHead(200, { 'content-type': 'application/json' })
					.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
			}
		},
	};
}

/** Versions that servers may make up, and how they are told. */
const odd: readonly (readonly [unknown, string])[] = [
	['2025-06-18\u0001', '2025-06-18\\u0001"'],
	['2025-06-18é', '2025-06-18\\u00e9"'],
	['2025-06-18\r\nx: y', '2025-06-18\\r\\nx: y"'],
	['', '""'],
	['2025-13', '"2025-13"'],
	['2'.repeat(5000), `"${'2'.repeat(100)}"`],
	[20_250_618, 'no text'],
	[{ toString: '2025-06-18' }, 'no text'],
];

test('servers whose versions no header can hold, or nobody knows, fail at once and by name, and nothing else does', async () => {
	const good = await serve('legacy');
	const evil = await Promise.all(odd.map(() => serve('legacy')));
	evil.forEach((server, n) =>
		server.override('initialize', ({ id }, response) => {
			const serverInfo = { name: 'evil', version: '1' };
			const result = { protocolVersion: odd[n]?.[0], capabilities: { tools: {} }, serverInfo };
			response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'x' });
			response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
		}),
	);
	const target = (name: string, { url }: HttpMcpServer) => `- name: ${name}\n  mcp: { host: "${url}" }\n`;
	const targets = evil.map((server, n) => target(`evil${n}`, server)).join('');
	const gateway = await testGateway(mcpConfig(targets + target('good', good)));
	const client = await gateway.legacy();
	expect(await client.tool('good_echo')).toContain('echo');
	for (const [n, [, shown]] of odd.entries()) {
		const { message } = await client.request('tools/call', `{"name":"evil${n}_echo"}`);
		expect(message.error?.message).toMatch(/ a protocol version that (this gateway does not know: |is )/);
		expect(message.error?.message).toContain(shown);
		expect(message.error?.message.length).toBeLessThan(500);
	}
	for (let n = 0; n < 50; n++) {
		const again = await gateway.legacy();
		const { message } = await again.request('tools/call', `{"name":"evil${n % odd.length}_echo"}`);
		expect(message.error?.message).toContain(`evil${n % odd.length}`);
		expect(await again.end()).toBe(204);
	}
	expect(await client.tool('good_echo')).toContain('echo');
	expect(await (await gateway.legacy()).tool('good_echo')).toContain('echo');
}, 30_000);

test('a method that no header can hold is not found, whoever asks', async () => {
	const server = await serve('modern');
	const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}" }`));
	const client = await gateway.legacy();
	for (const method of ['x☃', 'xé', ' x', 'tasks/get☃']) {
		const { message } = await client.request(method, '{}');
		expect(message.error).toEqual({ code: -32601, message: `Method not found: ${method}` });
	}
	expect(server.received.filter(({ method }) => /[☃é ]/.test(method))).toEqual([]);
	expect((await client.request('x/fine', '{}')).message.error?.code).toBe(-32601);
	expect(server.of('x/fine')).toHaveLength(1);
	expect(await client.tool('echo')).toContain('echo');
});

test.each([1, 2])('such a method that waits for its turn among %i calls harms nobody else', async (maximum) => {
	const server = await serve('modern');
	const { letGo } = held(server);
	const gateway = await testGateway(
		mcpConfig(`- name: a\n  mcp: { host: "${server.url}", maxConcurrentCalls: ${maximum} }`),
	);
	const [victim, odd, leaving] = [await gateway.legacy(), await gateway.legacy(), await gateway.legacy()];
	const numbers = Array.from({ length: maximum }, (_, n) => n);
	const running = numbers.map((n) => victim.tool('echo', `{"text":"first ${n}"}`));
	await expect.poll(() => server.of('tools/call').length).toBe(maximum);
	const refused = numbers.map(() => odd.request('x☃', '{}'));
	await sleep(100);
	const queued = victim.tool('echo', '{"text":"second"}');
	await sleep(100);
	letGo();
	expect(await Promise.all(running)).toEqual(numbers.map((n) => `first ${n}`));
	for (const { message } of await Promise.all(refused)) expect(message.error?.code).toBe(-32601);
	await expect.poll(() => server.of('tools/call').length).toBe(maximum + 1);
	letGo();
	expect(await queued).toBe('second');

	// The end of a session makes room, too.
	const cancelled = numbers.map((n) => leaving.request('tools/call', `{"name":"echo","arguments":{"text":"${n}"}}`));
	await expect.poll(() => server.of('tools/call').length).toBe(2 * maximum + 1);
	const late = odd.request('x☃', '{}');
	await sleep(100);
	expect(await leaving.end()).toBe(204);
	expect((await late).message.error?.code).toBe(-32601);
	await Promise.all(cancelled);
	const last = victim.tool('echo', '{"text":"last"}');
	await expect.poll(() => server.of('tools/call').length).toBe(2 * maximum + 2);
	letGo();
	expect(await last).toBe('last');
});

/** Methods as clients may write them in JSON; no header can hold them as they are. */
const methods = [
	'x☃',
	'xé',
	' x',
	'x\\r\\nmcp-name: y',
	'\\u0000',
	'',
	'=?base64?eA==?=',
	'ping\\ud800',
	'☃'.repeat(3000),
];
/** Names of tools, all of which can be encoded. */
const tools = ['☃', 'é', ' a ', '', 'a\\r\\nx: y', '\\u0001', '=?base64?YQ==?='];

function sentBack(header: string | string[] | undefined): string {
	const coded = /^=\?base64\?(.*)\?=$/.exec(String(header))?.[1];
	return coded === undefined ? String(header) : Buffer.from(coded, 'base64').toString();
}

test('however often such methods and names come, places among the calls stay free, and names arrive', async () => {
	const server = await serve('modern');
	const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}", maxConcurrentCalls: 2 }`));
	const [client, other] = [await gateway.legacy(), await gateway.legacy()];
	await client.tool('echo');
	for (let n = 0; n < 50; n++) {
		const method = methods[n % methods.length] ?? '';
		const name = tools[n % tools.length] ?? '';
		const [refused, called] = await Promise.all([
			client.request(method, '{}'),
			other.request('tools/call', `{"name":"${name}"}`),
		]);
		expect(refused.message.error).toEqual({
			code: -32601,
			message: `Method not found: ${String(JSON.parse(`"${method}"`))}`,
		});
		expect(called.message.error).toBeUndefined();
		expect(sentBack(server.received.at(-1)?.headers['mcp-name'])).toBe(JSON.parse(`"${name}"`));
	}
	const { letGo } = held(server);
	const sent = server.of('tools/call').length;
	const both = [client.tool('echo', '{"text":"1"}'), other.tool('echo', '{"text":"2"}')];
	await expect.poll(() => server.of('tools/call').length).toBe(sent + 2);
	letGo();
	expect(await Promise.all(both)).toEqual(['1', '2']);
});

test('a client without session is told the same, when its own header can hold the method', async () => {
	const server = await serve('modern');
	const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}", maxConcurrentCalls: 2 }`));
	const client = gateway.modern();
	for (let n = 0; n < 50; n++) expect((await client.request('xé', '{}')).message.error?.code).toBe(-32601);
	expect(server.of('xé')).toEqual([]);
	expect(await client.tool('echo')).toContain('echo');
});

test.each([
	['with a session', ''],
	['without session', modernMeta()],
])('over stdio such methods do not end the gateway for a client %s', async (_, meta) => {
	const server = await serve('modern');
	const gateway = new StdioGateway(mcpConfig(`- name: a\n  mcp: { host: "${server.url}", maxConcurrentCalls: 2 }`));
	if (meta === '') await gateway.initialize();
	for (let n = 0; n < 50; n++) {
		const { error } = await gateway.request(`${n}`, methods[n % methods.length] ?? '', `{${meta}}`);
		expect(error?.code).toBe(-32601);
	}
	const more = meta === '' ? '' : `,${meta}`;
	for (const [n, name] of tools.entries()) {
		const { error } = await gateway.request(`"${n}"`, 'tools/call', `{"name":"${name}"${more}}`);
		expect(error).toBeUndefined();
		expect(sentBack(server.received.at(-1)?.headers['mcp-name'])).toBe(JSON.parse(`"${name}"`));
	}
	expect((await gateway.request('"last"', 'tools/call', `{"name":"echo"${more}}`)).error).toBeUndefined();
	expect(await gateway.end()).toBe(0);
});
