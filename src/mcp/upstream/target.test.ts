import { expect, test } from 'vitest';
import { isScanFault } from '../../lib/json-scan.ts';
import type { Caller, Result, Upstream } from '../model.ts';
import { ownCall } from '../own-call.ts';
import { createTarget } from './target.ts';
import { allBusy, ioFault } from './transport/io-fault.ts';
import { scanMessage } from './transport/scan-message.ts';
import type { OutboundPost, OutboundRequest, Receiver, Transport, TransportFault } from './transport/transport.ts';

/** A server with a handshake whose calls are answered by the test. */
class HeldTransport implements Transport {
	readonly pid = null;
	readonly hearsSince = null;
	readonly handshakeOnly = true;
	readonly calls: { readonly id: number; readonly receiver: Receiver }[] = [];

	request({ id, message }: OutboundRequest, receiver: Receiver) {
		if (message.includes('"initialize"'))
			setImmediate(() =>
				say(receiver, id, '{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}'),
			);
		else this.calls.push({ id, receiver });
		return { cancel() {} };
	}

	post({ settled }: OutboundPost): void {
		settled?.();
	}

	listen() {
		return { cancel() {} };
	}

	/** The server's session ends. */
	async end(): Promise<void> {}

	async close(): Promise<void> {}

	answer(at: number): void {
		const call = this.calls[at];
		if (call !== undefined) say(call.receiver, call.id, '{}');
	}
}

function say(receiver: Receiver, id: number, result: string): void {
	const scanned = scanMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${result}}`));
	if (isScanFault(scanned)) throw new Error('no message');
	receiver.message(scanned, { 'mcp-session-id': 's' });
}

const caller: Caller = {
	principal: 'anonymous',
	clientInfo: null,
	capabilities: Buffer.from('{}'),
	logLevel: null,
	handshake: true,
	interactive: false,
};

function serve(maxConcurrentCalls: number | null = null) {
	const transports: HeldTransport[] = [];
	const faults: unknown[] = [];
	const target = createTarget({
		...{ name: 'one', overHttp: true, warn() {}, maxConcurrentCalls },
		onFault: (fault) => faults.push(fault),
		openTransport: () => {
			const transport = new HeldTransport();
			transports.push(transport);
			return transport;
		},
	});
	const open = () =>
		new Promise<Upstream>((resolve) => {
			const made = target.open(caller, { ready: () => resolve(made), failed() {}, note() {}, ask() {} }, null);
		});
	return { target, transports, faults, open };
}

function start(upstream: Upstream): Promise<Result | string> {
	return new Promise((resolve) => {
		const sink = { note() {}, ask() {}, done: resolve, fail: ({ message }: { message: string }) => resolve(message) };
		upstream.start(ownCall('tools/call', { name: 'x' }, caller), sink);
	});
}

const lost: TransportFault = { kind: 'http', status: 404, body: Buffer.alloc(0), sessionLost: true, neverRan: true };

test('a connection whose call waits for its turn is busy; when it is closed, the call is told at once', async () => {
	const { transports, open } = serve(1);
	const [first, second] = [await open(), await open()];
	const running = start(first);
	const queued = [start(second), start(second)];
	expect(second.busy).toBe(true);
	expect(transports[1]?.calls).toHaveLength(0);
	transports[0]?.answer(0);
	expect(await running).toHaveProperty('text');
	expect(first.busy).toBe(false);
	transports[1]?.answer(0);
	expect(await queued[0]).toHaveProperty('text');
	expect(second.busy).toBe(true);
	transports[1]?.answer(1);
	await queued[1];
	expect(second.busy).toBe(false);
	void start(first);
	const late = start(second);
	await second.close();
	expect(await late).toMatch(/"one" is not available/);
	expect(second.busy).toBe(false);
});

test('calls that are under way on a session that the server has forgotten keep their connection busy', async () => {
	const { transports, open } = serve();
	const upstream = await open();
	const [stays, moves] = [start(upstream), start(upstream)];
	transports[0]?.calls[1]?.receiver.failed(lost);
	await expect.poll(() => transports[1]?.calls.length).toBe(1);
	transports[1]?.answer(0);
	expect(await moves).toHaveProperty('text');
	expect(upstream.busy).toBe(true);
	transports[0]?.answer(0);
	expect(await stays).toHaveProperty('text');
	expect(upstream.busy).toBe(false);
});

test.each(['EMFILE', 'ENFILE'])(
	'%s is no fault of the target: its circuit hears nothing, the call is sent later',
	async (code) => {
		const { target, transports, open } = serve();
		const upstream = await open();
		const call = start(upstream);
		const error = Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' });
		for (let n = 0; n < 8; n++) {
			await expect.poll(() => transports[0]?.calls.length, { timeout: 5000, interval: 5 }).toBe(n + 1);
			transports[0]?.calls[n]?.receiver.failed(ioFault(new URL('http://127.0.0.1:1'), error));
		}
		expect(target.circuit).toMatchObject({ state: 'closed', failures: 0 });
		await expect.poll(() => transports[0]?.calls.length, { timeout: 5000 }).toBe(9);
		transports[0]?.answer(8);
		expect(await call).toHaveProperty('text');
	},
	20_000,
);

test('a call that got no connection is told to come again; it is not sent once more, and the circuit hears nothing', async () => {
	const { target, transports, open } = serve();
	const upstream = await open();
	const told = new Promise((resolve) => {
		const sink = { note() {}, ask() {}, done: resolve, fail: resolve };
		upstream.start(ownCall('tools/list', {}, caller), sink);
	});
	const error = Object.assign(new Error('all connections are busy'), { code: allBusy });
	transports[0]?.calls[0]?.receiver.failed(ioFault(new URL('http://127.0.0.1:1'), error));
	expect(await told).toMatchObject({
		message: 'target "one" did not answer: it has too many calls under way',
		retryAfter: 5,
	});
	expect(transports[0]?.calls).toHaveLength(1);
	expect(target.circuit).toMatchObject({ state: 'closed', failures: 0 });
});

test.each([null, 1])(
	'a bug on the way out fails its own call, is told, and leaves nothing behind (limit %s)',
	async (limit) => {
		const { transports, faults, open } = serve(limit);
		const upstream = await open();
		const [first] = transports;
		if (first === undefined) throw new Error('no transport');
		const bug = new Error('a bug');
		const { request } = first;
		first.request = () => {
			throw bug;
		};
		expect(await start(upstream)).toBe('the call could not be sent to target "one"');
		expect([faults, upstream.busy]).toEqual([[bug], false]);
		first.request = request;
		const fine = start(upstream);
		first.answer(0);
		expect(await fine).toHaveProperty('text');
		first.end = () => Promise.reject(bug);
		await upstream.close();
		expect(faults).toEqual([bug, bug]);
	},
);
