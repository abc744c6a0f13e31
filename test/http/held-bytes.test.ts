import { afterEach, describe, expect, test } from 'vitest';
import { Admission } from '../../src/http/admission.ts';
import type { Expiring } from '../../src/http/exchange.ts';
import type { HeldBytes } from '../../src/http/held-bytes.ts';
import type { PolicyExchange } from '../../src/http/policy.ts';
import { TestEndpoint } from '../support/endpoint.ts';
import { FakeTarget } from '../support/fake-target.ts';
import { eventually, type Running, start } from './fixture.ts';
import { once, RawClient } from './raw-client.ts';

let server: Running | null = null;
afterEach(async () => {
	await server?.server.close(50, 0);
	server = null;
});

async function run(handler: (exchange: PolicyExchange) => void) {
	const admission = new Admission({ held: 1000, connections: 10 });
	server = await start(handler, { admission });
	return { admission, running: server };
}

const pad = 'x'.repeat(100);
const request = (body = pad, more = 'Connection: close\r\n') =>
	`POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

describe('a body', () => {
	test('that is kept counts until it is released, once', async () => {
		let kept: HeldBytes | null = null;
		const { admission, running } = await run((exchange) =>
			exchange.body(1000, () => {
				kept = exchange.keepBody();
				// Nothing is left for the next.
				exchange.keepBody();
				exchange.respond(202, [], null);
			}),
		);
		await once(running.port, request());
		await eventually(() => running.ended.length === 1);
		expect(admission.held).toBe(100);
		const held = kept as HeldBytes | null;
		const copy = held?.hold(50);
		held?.release();
		held?.release();
		expect(admission.held).toBe(50);
		copy?.release();
		expect(admission.held).toBe(0);
	});

	test('that is not kept counts until its reply is out', async () => {
		let reply = () => {};
		const { admission, running } = await run((exchange) =>
			exchange.body(1000, () => {
				reply = () => exchange.respond(200, [], 'ok');
			}),
		);
		const answered = once(running.port, request());
		await eventually(() => admission.held === 100);
		reply();
		await answered;
		await eventually(() => admission.held === 0);
	});

	test('can be kept when its client goes away', async () => {
		let kept: HeldBytes | null = null;
		const { admission, running } = await run((exchange) =>
			exchange.body(1000, () => {
				const expiring: Expiring = { expire() {}, closing: () => (kept = exchange.keepBody()) };
				exchange.expiring = expiring;
			}),
		);
		const client = new RawClient(running.port);
		client.send(request());
		await eventually(() => admission.held === 100);
		client.destroy();
		await eventually(() => running.ended.length === 1);
		expect(admission.held).toBe(100);
		(kept as HeldBytes | null)?.release();
		expect(admission.held).toBe(0);
	});
});

/** An endpoint whose calls are not answered, over sockets; both of its clients wait, one has hung up. */
async function waiting() {
	const target = new FakeTarget('a', { tools: {} }, () => 'never');
	const endpoint = new TestEndpoint([target]);
	const { admission, running } = await run((exchange) => endpoint.mcp.handle(exchange));
	const params = '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}';
	const opening = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
	const session = /mcp-session-id: (\S+)/i.exec(await once(running.port, request(opening)))?.[1];
	await eventually(() => admission.held === 0);
	const call = (id: number) =>
		`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"t","arguments":{"a":"${pad}"}}}`;
	const clients = [1, 2].map((id) => {
		const client = new RawClient(running.port);
		client.send(request(call(id), `Mcp-Session-Id: ${session}\r\n`));
		return client;
	});
	await eventually(() => target.calls.length === 2);
	clients[0]?.destroy();
	await eventually(() => running.ended.length === 2);
	expect(admission.held).toBe(2 * call(1).length);
	return { admission, endpoint, running, target, last: clients[1], size: call(1).length };
}

describe('the end of the gateway', () => {
	test('lets go of calls that a client waits for when their time is over', async () => {
		const { admission, endpoint, running, last, size } = await waiting();
		await running.server.close(50, 0);
		expect(await last?.untilClosed()).toContain('the gateway is stopping');
		expect(admission.held).toBe(size);
		await endpoint.close();
		expect(admission.held).toBe(0);
	});

	test('lets go of all with their sessions', async () => {
		const { admission, endpoint, last, target } = await waiting();
		await endpoint.close();
		expect(target.cancelled).toBe(2);
		await last?.until((text) => text.includes('"error"'));
		last?.destroy();
		await eventually(() => admission.held === 0);
	});
});
