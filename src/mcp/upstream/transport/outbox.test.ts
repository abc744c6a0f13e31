import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Admission } from '../../../http/admission.ts';
import { HeldBytes } from '../../../http/held-bytes.ts';
import { Outbox, type Posted } from './outbox.ts';
import { PostGate } from './post-gate.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A server that takes what the test says, in the order in which it came. */
class Server {
	readonly held: Posted[] = [];
	cancelled = 0;
	readonly full: string[] = [];
	readonly box: Outbox;
	readonly admission = new Admission({ held: 1, connections: 1 });

	constructor(gate = new PostGate()) {
		this.box = new Outbox(gate, (reason) => void this.full.push(reason));
	}

	post(count: number, bytes = 10, settled: (() => void) | null = null): void {
		const send = (posted: Posted) => {
			this.held.push(posted);
			return { cancel: () => void this.cancelled++ };
		};
		for (let at = 0; at < count; at++) this.box.post(bytes, send, settled, new HeldBytes(this.admission, bytes));
	}

	/** Takes what has come, and what comes then. */
	takeAll(): void {
		for (let posted = this.held.shift(); posted !== undefined; posted = this.held.shift()) posted.end();
	}
}

test('64 messages are on their way at once; each that is taken makes room for the next', () => {
	const server = new Server();
	server.post(100);
	expect(server.held).toHaveLength(64);
	for (const posted of server.held.splice(0, 10)) posted.end();
	expect(server.held).toHaveLength(64);
	server.takeAll();
	server.post(64);
	expect(server.held).toHaveLength(64);
});

test('all who talk to one server have 256 on their way, and take turns', () => {
	const gate = new PostGate();
	const servers = Array.from({ length: 6 }, () => new Server(gate));
	for (const server of servers) server.post(100);
	expect(servers.map(({ held }) => held.length)).toEqual([64, 64, 64, 64, 0, 0]);
	servers[0]?.held.shift()?.end();
	servers[0]?.held.shift()?.end();
	expect(servers.map(({ held }) => held.length)).toEqual([62, 64, 64, 64, 1, 1]);
	servers[1]?.box.close();
	for (const server of [...servers, ...servers]) server.takeAll();
	for (const server of servers.slice(2)) server.post(64);
	expect(servers.map(({ held }) => held.length)).toEqual([0, 0, 64, 64, 64, 64]);
});

test('what is over at once does not go deep', () => {
	const gate = new PostGate();
	const first = Array.from({ length: 4 }, () => new Server(gate));
	for (const server of first) server.post(64);
	let taken = 0;
	for (let at = 0; at < 20_000; at++) {
		const send = (posted: Posted) => {
			taken++;
			posted.end();
			return { cancel() {} };
		};
		new Server(gate).box.post(1, send, null);
	}
	expect(taken).toBe(0);
	first[0]?.held.shift()?.end();
	expect(taken).toBe(20_000);
});

test.each([
	['messages', 5000, 10, 'it does not take what it is sent: 5000 messages (50000 bytes) wait'],
	['bytes', 10, 1_000_000, 'it does not take what it is sent: 10 messages (10000000 bytes) wait'],
])('a server that takes nothing for a second is full by %s', (_what, count, bytes, reason) => {
	const server = new Server();
	server.post(count, bytes);
	expect(server.full).toEqual([]);
	vi.advanceTimersByTime(1500);
	server.post(1);
	expect(server.full).toEqual([reason]);
});

test('one that is quick to ask is full within the second', () => {
	const server = new Server();
	server.post(16_384);
	expect(server.full).toEqual([]);
	server.post(1);
	expect(server.full).toHaveLength(1);
});

test('one that takes what it is sent may be sent more', () => {
	const server = new Server();
	for (let at = 0; at < 10; at++) {
		server.post(4000);
		vi.advanceTimersByTime(1500);
		server.takeAll();
	}
	expect(server.full).toEqual([]);
});

test('what is not taken within 30 s is given up, on its way or not', () => {
	const server = new Server();
	const settled = vi.fn();
	server.post(100, 10, settled);
	vi.advanceTimersByTime(29_000);
	expect(settled).not.toHaveBeenCalled();
	vi.advanceTimersByTime(2000);
	expect(settled).toHaveBeenCalledTimes(100);
	expect(server.cancelled).toBe(100);
	server.held.length = 0;
	server.post(1);
	expect(server.held).toHaveLength(1);
});

test('at the end all is given up', () => {
	const server = new Server();
	server.post(100);
	server.box.close();
	expect(server.cancelled).toBe(64);
	server.post(1);
	expect(server.held).toHaveLength(64);
	expect(vi.getTimerCount()).toBe(0);
});

test('what is posted counts as held until it is taken, given up or refused', () => {
	const server = new Server();
	server.post(100);
	expect(server.admission.held).toBe(1000);
	server.takeAll();
	expect(server.admission.held).toBe(0);
	server.post(100);
	vi.advanceTimersByTime(31_000);
	expect(server.admission.held).toBe(0);
	server.post(16_384);
	expect(server.admission.held).toBe(163_840);
	server.post(1);
	expect([server.full.length, server.admission.held]).toEqual([1, 163_840]);
	server.box.close();
	expect(server.admission.held).toBe(0);
	server.post(1);
	expect(server.admission.held).toBe(0);
});
