import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { gatewayFor, httpTarget } from './backends.ts';
import { initialize, send } from './wire.ts';

let gateway: RunningGateway;
let server: HttpMcpServer;
const on = 0;
const off = 1;
const unwritten = 2;

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['legacy'] });
	const targets = [httpTarget('a', server.url)];
	gateway = await gatewayFor([
		{ targets, dnsRebindingProtection: true },
		{ targets, dnsRebindingProtection: false },
		{ targets },
	]);
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	await server.close();
});

const statusOf = async (bind: number, headers: Record<string, string>) =>
	(await send(`${gateway.url(bind)}/mcp`, { headers, body: initialize() })).status;

const foreign: Record<string, string>[] = [
	{ origin: 'https://evil.example' },
	{ origin: 'null' },
	{ origin: 'http://localhost.evil.example' },
	{ origin: 'http://localhost:3000/path' },
	{ host: 'evil.example' },
	{ host: 'localhost.evil.example:3000' },
];
const local: Record<string, string>[] = [
	{},
	{ origin: 'http://localhost:5173' },
	{ origin: 'http://127.0.0.1' },
	{ origin: 'http://[::1]:8080' },
	{ host: 'localhost:1' },
];

describe('DNS rebinding', () => {
	test.each(foreign)('%j: 403 where protected and over loopback, taken where that is off', async (headers) => {
		expect(await Promise.all([on, unwritten, off].map((bind) => statusOf(bind, headers)))).toEqual([403, 403, 200]);
	});

	test.each(local)('%j: taken everywhere', async (headers) => {
		expect(await Promise.all([on, unwritten, off].map((bind) => statusOf(bind, headers)))).toEqual([200, 200, 200]);
	});
});
