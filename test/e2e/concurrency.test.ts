import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FixtureServer, startFixture } from '../support/fixture-server.ts';
import { mcpConfig, nodeTarget, root, type RunningGateway, runGateway } from '../support/gateway.ts';
import { WireClient } from '../support/wire-client.ts';

const clientCount = 50;
const callsPerClient = 200;
/** Every tenth call is one that only ends by being cancelled. */
const cancelledEvery = 10;
const targets = ['old-http', 'new-http', 'old-stdio', 'new-stdio'];

const folder = mkdtempSync(join(tmpdir(), 'agentgateway-concurrency-'));
const notes = join(folder, 'cancelled');
// All calls are started at once; so many are on the wire at a time. With more, this one process is slower with its
// own sockets than the 10 s that the gateway gives a client for its headers.
const agent = new Agent({ connections: 1200, connect: { timeout: 60_000 } });
const servers: FixtureServer[] = [];
let gateway: RunningGateway;

beforeAll(async () => {
	const [old, young] = await Promise.all(
		['legacy', 'modern'].map((era) => startFixture('bytes/server.mjs', '--era', era, '--http', '0', '--notes', notes)),
	);
	if (old === undefined || young === undefined) throw new Error('no servers');
	servers.push(old, young);
	const stdio = (name: string, era: string) =>
		nodeTarget(name, join(root, 'test/fixtures/bytes/server.mjs'), '--era', era, '--notes', notes);
	gateway = await runGateway(
		mcpConfig(
			[
				`- name: old-http\n  mcp: { host: "${old.url}" }`,
				`- name: new-http\n  mcp: { host: "${young.url}" }`,
				stdio('old-stdio', 'legacy'),
				stdio('new-stdio', 'modern'),
			].join('\n'),
		),
	);
});

afterAll(async () => {
	await agent.destroy();
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	for (const server of servers) await server.stop();
	rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
	answered: number;
	crossed: string[];
	lost: string[];
	/** Keys of the calls that were cancelled. */
	cancelled: string[];
}

/** Starts all calls of one client at once, with the ids 1 … N that every other client uses as well. */
async function callAll(client: WireClient, number: number, outcome: Outcome): Promise<void> {
	const calls: Promise<void>[] = [];
	for (let id = 1; id <= callsPerClient; id++) {
		const target = targets[(id + number) % targets.length] ?? '';
		const key = `${client.era} client ${number} call ${id} to ${target}`;
		calls.push(
			id % cancelledEvery === 0
				? cancelledCall(client, id, target, key, outcome)
				: call(client, id, target, key, outcome),
		);
	}
	await Promise.all(calls);
}

async function call(client: WireClient, id: number, target: string, key: string, outcome: Outcome): Promise<void> {
	// Later calls are often answered first.
	const args = JSON.stringify({ value: key, ms: (id * 37) % 200 });
	const params = `{"name":"${target}_echo","arguments":${args}}`;
	const reply = await client.request('tools/call', params, { id: String(id) }).catch((error: Error) => error);
	if (reply instanceof Error) {
		outcome.lost.push(`${key}: ${reply.message}`);
		return;
	}
	const value = reply.message.result?.content?.[0]?.text as string | undefined;
	if (value === undefined) outcome.lost.push(`${key}: ${reply.status} ${reply.text}`);
	else if (value !== key || reply.message.id !== id) outcome.crossed.push(`${key}: ${reply.text}`);
	else outcome.answered++;
}

async function cancelledCall(
	client: WireClient,
	id: number,
	target: string,
	key: string,
	outcome: Outcome,
): Promise<void> {
	const aborter = new AbortController();
	let begun = () => {};
	const started = new Promise<void>((resolve) => {
		begun = resolve;
	});
	const params = `{"name":"${target}_wait","arguments":{"key":"${key}"}}`;
	const reply = client
		.request('tools/call', params, {
			id: String(id),
			signal: aborter.signal,
			// Another client has the same token at the same time.
			meta: `"progressToken":${id}`,
			onMessage: (text) => text.includes(`"progressToken":${id}`) && begun(),
		})
		.then(({ message, text }) => {
			if (message.result !== undefined) outcome.crossed.push(`${key}: ${text}`);
		})
		.catch((error: Error) => {
			if (error.name !== 'AbortError') outcome.lost.push(`${key}: ${error.message}`);
		});
	await Promise.race([started, reply]);
	if (client.era === 'legacy') await client.notify('notifications/cancelled', `{"requestId":${id}}`);
	else aborter.abort();
	outcome.cancelled.push(key);
	// An old client hears nothing more of a call that it has taken back, and its stream may stay open.
	setTimeout(() => aborter.abort(), 2000).unref();
	await reply;
}

test('10,000 calls with equal ids from 50 clients: none crossed, none lost, 1,000 cancelled at the server', async () => {
	const url = `${gateway.url()}/mcp`;
	const clients = await Promise.all(
		Array.from({ length: clientCount }, (_, n) =>
			WireClient.open(url, n % 2 === 0 ? 'legacy' : 'modern', { dispatcher: agent }),
		),
	);
	const outcome: Outcome = { answered: 0, crossed: [], lost: [], cancelled: [] };
	await Promise.all(clients.map((client, number) => callAll(client, number, outcome)));
	expect(outcome.crossed).toEqual([]);
	expect(outcome.lost).toEqual([]);
	const cancelled = (clientCount * callsPerClient) / cancelledEvery;
	expect(outcome.answered).toBe(clientCount * callsPerClient - cancelled);
	await expect.poll(() => seen().length, { timeout: 5000 }).toBe(cancelled);
	expect(seen().sort()).toEqual(outcome.cancelled.sort());
	await Promise.all(clients.filter(({ era }) => era === 'legacy').map((client) => client.end()));
}, 60_000);

function seen(): string[] {
	return readFileSync(notes, 'utf8').trim().split('\n');
}
