import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { type LaunchedBrowser, launchBrowser } from './browser.ts';

let server: HttpMcpServer;
let gateway: RunningGateway;
let attacker: Server;
let launched: LaunchedBrowser;

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['legacy'] });
	gateway = await runGateway(`
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
          - name: a
            mcp:
              host: ${server.url}
`);
	attacker = createServer((_request, response) => response.end('<title>a page of somebody else</title>'));
	await new Promise<void>((done) => attacker.listen(0, '127.0.0.1', done));
	// Every name of that site leads to this machine, as after a rebinding of its name server.
	launched = await launchBrowser([
		'--host-resolver-rules=MAP *.evil.example 127.0.0.1',
		'--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
	]);
});
afterAll(async () => {
	await launched?.close();
	await new Promise((done) => attacker.close(done));
	expect(await gateway.stop()).toBe(0);
	await server.close();
});

const portOf = (url: string) => new URL(url).port;

/** What a page reads when it asks; `blocked` where the browser gives it nothing. */
function read(page: Page, url: string, init: RequestInit = {}): Promise<string> {
	return page.evaluate(
		async ([to, options]) => {
			try {
				const response = await fetch(to, { credentials: 'include', ...options });
				return `${response.status} ${await response.text()}`;
			} catch {
				return 'blocked';
			}
		},
		[url, init] as const,
	);
}

const initialize: RequestInit = {
	method: 'POST',
	headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
	body: JSON.stringify({
		jsonrpc: '2.0',
		id: 1,
		method: 'initialize',
		params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'evil', version: '1' } },
	}),
};
const config: RequestInit = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"binds":[]}' };

test('a page whose name leads to this machine is refused as if it had come from outside', async () => {
	const ports = { mcp: portOf(gateway.url()), admin: portOf(gateway.adminUrl), stats: portOf(gateway.statsUrl) };
	const greeted = server.of('initialize').length;
	for (const [name, port] of Object.entries(ports)) {
		const page = await launched.browser.newPage();
		// The page is loaded from the very port that it attacks: to the browser all that it asks for is same-origin.
		const opened = await page.goto(`http://rebound.evil.example:${port}/`);
		expect([name, opened?.status()]).toEqual([name, 403]);
		const replies = [
			await read(page, '/mcp', initialize),
			...(await Promise.all(
				['/metrics', '/api/state', '/api/config', '/config_dump', '/ui/', '/sse', '/'].map((path) => read(page, path)),
			)),
			await read(page, '/api/config', config),
			await read(page, '/quitquitquit', { method: 'POST' }),
			await read(page, '/logging?level=trace', { method: 'POST' }),
		];
		// The admin port's answers forbid the page even to ask (`connect-src`).
		for (const reply of replies) expect.soft(reply, name).toMatch(name === 'admin' ? /^(403 |blocked)/ : /^403 /);
		expect(await page.context().cookies()).toEqual([]);
		await page.close();
	}
	expect(server.of('initialize').length).toBe(greeted);
});

test('a page of another site reads nothing, writes nothing, frames nothing', async () => {
	const page = await launched.browser.newPage();
	await page.goto(`http://www.evil.example:${(attacker.address() as AddressInfo).port}/`);
	const greeted = server.of('initialize').length;
	const admin = `http://localhost:${portOf(gateway.adminUrl)}`;
	const mcp = `http://localhost:${portOf(gateway.url())}/mcp`;
	const simple: RequestInit = { ...initialize, mode: 'no-cors', headers: { 'content-type': 'text/plain' } };
	for (const [url, init] of [
		[mcp, initialize],
		[`${admin}/api/state`, {}],
		[`${admin}/api/config`, config],
		[`${gateway.statsUrl}/metrics`, {}],
	] as const)
		expect.soft(await read(page, url, init), url).toBe('blocked');
	// What goes out without a preflight changes nothing, and is not readable.
	for (const url of [mcp, `${admin}/api/config`, `${admin}/quitquitquit`, `${admin}/logging?level=trace`])
		expect.soft(await read(page, url, simple), url).toMatch(/^(0 $|blocked)/);
	expect(server.of('initialize').length).toBe(greeted);
	expect((await fetch(`${admin}/api/state`)).status).toBe(200);
	const framed = await page.evaluate(async (to) => {
		const frame = document.createElement('iframe');
		frame.src = to;
		document.body.append(frame);
		await new Promise((done) => frame.addEventListener('load', done));
		return frame.contentWindow?.length ?? 0;
	}, `${admin}/ui/`);
	expect(framed).toBe(0);
	expect(page.frames().some((frame) => frame.url().startsWith(`${admin}/ui/`))).toBe(false);
	await page.close();
});
