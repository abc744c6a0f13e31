import { afterEach, describe, expect, test } from 'vitest';
import { mcpConfig, runGateway } from '../support/gateway.ts';
import { HttpMcpServer, type HttpMcpServerOptions } from '../support/http-mcp-server.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

const text = 'text with \\"quotes\\", breaks\\r\\n and letters of several bytes: äöü€😀. '.repeat(15_000);

/** A server whose tools all answer with this result, in an envelope of this form. */
async function serve(options: HttpMcpServerOptions, envelope: (id: string, result: string) => string, result: string) {
	const server = await HttpMcpServer.start(options);
	closing.push(() => server.close());
	server.override('tools/call', (message, response) => {
		const body = envelope(JSON.stringify(message.id), result);
		const events = options.reply === 'events';
		response.writeHead(200, { 'content-type': events ? 'text/event-stream' : 'application/json' });
		response.end(events ? `data: ${body}\n\n` : body);
	});
	return server;
}

/** What a client of an era gets from it through a gateway with so many targets. */
async function ask(server: HttpMcpServer, era: 'legacy' | 'modern', targets = 1): Promise<string> {
	const lines = ['one', 'two'].slice(0, targets).map((name) => `- name: ${name}\n  mcp: { host: "${server.url}" }`);
	const gateway = await runGateway(mcpConfig(lines.join('\n')));
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	const url = `${gateway.url()}/mcp`;
	const client = era === 'legacy' ? await LegacyClient.open(url) : new ModernClient(url);
	const name = targets === 1 ? 'echo' : 'one_echo';
	return (await client.request('tools/call', `{"name":"${name}","arguments":{}}`, '"mine"')).text;
}

const usual = (id: string, result: string) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
const stamp = { legacy: '', modern: '"resultType":"complete",' };
/** Equal keys: JSON for most parsers, and refused by whoever looks into it. */
const odd = (era: 'legacy' | 'modern') => `{${stamp[era]}"a":1,"content":[{"type":"text","text":"${text}"}],"a":2}`;

describe.each(['legacy', 'modern'] as const)('a megabyte from a server of the %s kind', (era) => {
	const result = `{${stamp[era]}"content":[{"type":"text","text":"${text}"}], "isError" : false, "x":1.0}`;

	test.each([
		['as usual', usual],
		['with the id behind', (id: string, text: string) => `{"result":${text},"jsonrpc":"2.0","id":${id}}`],
		['with a line break behind', (id: string, text: string) => `${usual(id, text)}\r\n`],
		['with further members', (id: string, text: string) => `{"jsonrpc":"2.0","more":{},"id":${id},"result":${text}}`],
		['as an event', usual],
	])('arrives byte for byte: %s', async (name, envelope) => {
		const server = await serve(
			{ eras: [era], ...(name === 'as an event' ? { reply: 'events' } : {}) },
			envelope,
			result,
		);
		expect((await ask(server, era)) === usual('"mine"', result)).toBe(true);
	});

	test('is laid out on one line when its server laid it out on many', async () => {
		const server = await serve({ eras: [era] }, usual, result.replaceAll(',"', ',\r\n\t"'));
		expect((await ask(server, era)) === usual('"mine"', result.replaceAll(',"', ',  \t"'))).toBe(true);
	});

	test('is not looked into where it is the only target’s', async () => {
		const server = await serve({ eras: [era] }, usual, odd(era));
		expect((await ask(server, era)) === usual('"mine"', odd(era))).toBe(true);
	});

	test('is looked into where there are several', async () => {
		const server = await serve({ eras: [era] }, usual, odd(era));
		expect(await ask(server, era, 2)).toContain('duplicate-key');
	});

	test('arrives byte for byte where there are several', async () => {
		const server = await serve({ eras: [era] }, usual, result);
		expect((await ask(server, era, 2)) === usual('"mine"', result)).toBe(true);
	});

	test('has its links changed where there are several, however they are written', async () => {
		const link = '{"type":"resource_link","u\\u0072i":"file:///x"},';
		const linking = result.replace('"content":[', `"content":[${link}`);
		const server = await serve({ eras: [era] }, usual, linking);
		const exposed = linking.replace('file:///x', 'one+file:///x');
		expect((await ask(server, era, 2)) === usual('"mine"', exposed)).toBe(true);
	});

	test.each(['"id":99', '"id":"mine","x":[', '"more":1'])(
		'cannot answer for others where there are several: %s',
		async (more) => {
			const twice = `${result},${more.endsWith('[') ? `${more}]` : more},"result":{${stamp[era]}"content":[]}`;
			const server = await serve({ eras: [era] }, usual, twice);
			expect(await ask(server, era, 2)).toContain('duplicate-key');
		},
	);

	test('is written as clients of the other kind read it', async () => {
		const other = era === 'legacy' ? 'modern' : 'legacy';
		const server = await serve({ eras: [era] }, usual, result);
		const { result: got } = JSON.parse(await ask(server, other)) as { result: Record<string, unknown> };
		const { content, isError, x } = JSON.parse(result) as Record<string, unknown>;
		expect(got['content']).toEqual(content);
		expect({ isError: got['isError'], x: got['x'], type: got['resultType'] }).toEqual({
			isError,
			x,
			type: other === 'modern' ? 'complete' : undefined,
		});
	});

	test('that answers another request is refused', async () => {
		const server = await serve({ eras: [era] }, (id, text) => usual(String(Number(id) + 1), text), result);
		expect(await ask(server, era)).toContain('it answered another request');
	});
});
