import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig, runGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { RawClient, statusOf } from './raw-client.ts';

const request = 'GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const count = 1_500;
/** A descriptor for each on either side, and what the gateway keeps free (a quarter, 512 at most). */
const neededFiles = 2_100;

/** Linux: how many connections a port can hold that nobody has taken; elsewhere it is not known. */
function longestQueue(): number {
	try {
		return Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1'));
	} catch {
		return 0;
	}
}

/** Linux: how many files a process may have open; Node raises that to the hard limit itself when it starts. */
function mostFiles(): number {
	return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity);
}

// A connection that finds no room is tried again by its system after a second, and later still.
test('1,500 clients that come at once find room, however busy the gateway is', async ({ skip }) => {
	if (longestQueue() < count) skip(`net.core.somaxconn is below ${count}, or not known`);
	const files = mostFiles();
	if (files < neededFiles) skip(`needs ${neededFiles} open files, of which ${files} are allowed: raise ulimit -Hn`);
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => server.close());
	const gateway = await runGateway(mcpConfig(`- { name: one, mcp: { host: "${server.url}" } }`));
	const pid = gateway.process.pid ?? 0;
	process.kill(pid, 'SIGSTOP');
	const clients = Array.from({ length: count }, () => new RawClient(Number(new URL(gateway.url()).port)));
	for (const client of clients) client.send(request);
	await sleep(500);
	const connected = clients.filter((client) => client.connected).length;
	process.kill(pid, 'SIGCONT');
	expect(connected).toBe(count);
	const replies = await Promise.all(clients.map((client) => client.untilClosed(20_000)));
	expect(new Set(replies.map(statusOf))).toEqual(new Set([400]));
	await gateway.stop();
}, 60_000);
