import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { type PageCase, pageCases, type Port } from './foreign-pages.ts';
import { RawClient } from './raw-client.ts';

let server: HttpMcpServer;
let gateway: RunningGateway;
const paths: Record<Port, string> = { mcp: '/mcp', cors: '/mcp', admin: '/api/state', metrics: '/metrics' };

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['legacy'] });
	const backend = `backends:\n      - mcp:\n          targets:\n          - name: a\n            mcp:\n              host: ${server.url}`;
	gateway = await runGateway(`
config:
  allowedHosts: [allowed.example, "*.under.example"]
binds:
- port: 0
  listeners:
  - routes:
    - ${backend}
- port: 0
  listeners:
  - routes:
    - policies:
        cors:
          allowOrigins: [https://app.example]
          allowHeaders: ["*"]
      ${backend}
`);
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	await server.close();
});

/** Each of the two backends greets the server when it starts. */
const startup = 2;

const message = JSON.stringify({
	jsonrpc: '2.0',
	id: 1,
	method: 'initialize',
	params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
});

function portOf(port: Port): number {
	const url = {
		mcp: () => gateway.url(0),
		cors: () => gateway.url(1),
		admin: () => gateway.adminUrl,
		metrics: () => gateway.statsUrl,
	};
	return Number(new URL(url[port]()).port);
}

async function ask(port: Port, { headers, method }: PageCase): Promise<string> {
	const number = portOf(port);
	const client = new RawClient(number);
	// What an MCP route takes is a POST.
	const post = method === 'POST' || (method === 'GET' && (port === 'mcp' || port === 'cors'));
	const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll('$port', String(number))}`);
	if (post && method === 'GET') lines.push('content-type: application/json');
	if (post) lines.push('accept: application/json, text/event-stream', `content-length: ${message.length}`);
	client.send(
		`${post ? 'POST' : method} ${paths[port]} HTTP/1.1\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${post ? message : ''}`,
	);
	const reply = await client.until((text, closed) => closed || /^HTTP\/1.1 \d+[^]*\r\n\r\n/.test(text), 15_000);
	client.destroy();
	return reply;
}

describe('requests that a foreign page could send', () => {
	test('there are enough of them', () => expect(pageCases.length).toBeGreaterThanOrEqual(60));

	test.each(pageCases)('$name', async (one) => {
		for (const [port, status] of Object.entries(one.status) as [Port, number][]) {
			const reply = await ask(port, one);
			expect.soft(Number(reply.slice(9, 12)), `${port}: ${reply.slice(0, 400)}`).toBe(status);
			if (status < 400) continue;
			// A page must not be able to read why, nor get a session or a cookie.
			expect.soft(reply, port).not.toMatch(/^(mcp-session-id|set-cookie):/im);
			if (port !== 'cors') expect.soft(reply, port).not.toMatch(/^access-control/im);
		}
	});

	test('none of those that were refused has reached the server', () => {
		const taken = pageCases
			.flatMap(({ status }) => [status.mcp, status.cors])
			.filter((status) => status === 200).length;
		expect(server.of('initialize').length).toBeLessThanOrEqual(taken + startup);
	});
});
