import { writeFileSync } from 'node:fs';
import { Agent } from 'undici';
import { RawClient } from '../../http/raw-client.ts';
import { httpFault } from '../../faults/harness/http-faults.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { sleep } from '../soak.ts';
import type { World } from './mixed-world.ts';

/** Begins a fault; what it gives back ends it. */
type Fault = (world: World) => Undo | void | Promise<Undo | void>;
type Undo = () => Promise<void> | void;

/** All that is done to the broken targets, to the file, and by clients that misbehave. */
export const mixedFaults: Readonly<Record<string, Fault>> = {
	'child killed': ({ brokenChildren }) => signal(brokenChildren(), 'SIGKILL'),
	'child stopped'({ brokenChildren }) {
		const pids = brokenChildren();
		signal(pids, 'SIGSTOP');
		return () => signal(pids, 'SIGCONT');
	},
	'connections reset': ({ proxy }) => proxy.reset(),
	'connections cut': ({ proxy }) => proxy.cut(),
	'line stalls': (world) => toxic(world, { stall: true }),
	'line down': (world) => toxic(world, { down: true }),
	'line slow': (world) => toxic(world, { latency: 700 }),
	'bytes sliced': (world) => toxic(world, { slice: 3 }),
	'1 KB a second': (world) => toxic(world, { bandwidth: 1000 }),
	'cut after 300 bytes': (world) => toxic(world, { limit: 300 }),
	'reset after 300 bytes': (world) => toxic(world, { limit: 300, limitResets: true }),
	'server restarts': ({ restart }) => restart(),
	'server is away'({ proxy, restart }) {
		proxy.set({ down: true });
		return async () => {
			await restart();
			proxy.set({});
		};
	},
	'server forgets its sessions': ({ server }) => server.sessions.clear(),
	'server answers 500': (world) => httpFor(world, 'tools/call', { fault: 'status', status: 500 }),
	'server answers another': (world) => httpFor(world, 'tools/call', { fault: 'unknownId' }),
	'server closes in the middle': (world) => httpFor(world, 'tools/call', { fault: 'closeMidStream' }),
	'server lies about the length': (world) => httpFor(world, 'tools/call', { fault: 'longLength' }),
	'endless list': (world) => httpFor(world, 'tools/list', { fault: 'endless' }),
	'looping list': (world) => httpFor(world, 'tools/list', { fault: 'looping' }),
	'list without sense': (world) => httpFor(world, 'tools/list', { fault: 'badSchema' }),
	'list changes'({ server }) {
		server.tools = server.tools.length > 1 ? ['echo'] : ['echo', 'more'];
		server.toolsChanged();
	},
	'notes flood': (world) => once(world, 'badhttp_echo', '{"fault":"floodNotes","count":5000}'),
	'stderr floods': (world) => once(world, 'badstdio_stderr', '{"mib":8}'),
	'junk on stdout': (world) => once(world, 'badstdio_junk', '{}'),
	'half a line, then the end': (world) => once(world, 'badstdio_half', '{}'),
	'a line without end': (world) => once(world, 'badstdio_endless', '{}'),
	'answers twice': (world) => once(world, 'badstdio_duplicate', '{}'),
	'configuration that is none': (world) => configuration(world, 'binds: [', 1500),
	'configuration half written': (world) => configuration(world, world.config.slice(0, world.config.length / 2), 1500),
	'configuration that changes nothing': (world) => configuration(world, `${world.config}# again\n`, 1500),
	'client vanishes': vanish,
	'client does not read': slowReader,
	'headers a byte at a time': slowLoris,
	'no HTTP at all'({ url }) {
		for (const bytes of [
			'\u0000\u0001\u0002',
			'GET',
			'POST /mcp HTTP/1.1\r\ncontent-length: 9\r\ncontent-length: 8\r\n\r\n',
		])
			withClient(url, bytes);
	},
};

function signal(pids: readonly number[], name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
	for (const pid of pids) {
		try {
			process.kill(pid, name);
		} catch {
			// It has ended since.
		}
	}
}

function toxic({ proxy }: World, toxics: Parameters<World['proxy']['set']>[0]): () => void {
	proxy.set(toxics);
	return () => proxy.set({});
}

function httpFor({ server }: World, method: string, fault: Parameters<typeof httpFault>[1]): () => void {
	const before = server.replace(method, httpFault(server, fault));
	return () => void server.replace(method, before);
}

/** A call of its own session, whatever comes of it. */
async function once({ url }: World, tool: string, args: string): Promise<void> {
	const client = await LegacyClient.open(url);
	const call = client.request('tools/call', `{"name":"${tool}","arguments":${args}}`).catch(() => null);
	await Promise.race([call, sleep(10_000)]);
	await client.end();
}

function configuration({ gateway, config }: World, text: string, ms: number): () => Promise<void> {
	writeFileSync(gateway.file, text);
	return async () => {
		writeFileSync(gateway.file, config);
		await sleep(ms);
	};
}

/** Ten sessions with streams and calls under way, whose sockets are gone from one moment to the next. */
async function vanish({ url }: World): Promise<void> {
	const agent = new Agent();
	const clients = await Promise.all(Array.from({ length: 10 }, () => LegacyClient.open(url, agent)));
	for (const one of clients) {
		await one.listen();
		void one.tool('oldstdio_echo', '{"value":"never","ms":3000}').catch(() => {});
		void one.tool('oldhttp_echo', '{"value":"never","ms":3000}').catch(() => {});
	}
	await sleep(200);
	await agent.destroy();
}

/** A large answer that nobody reads. */
async function slowReader({ url }: World): Promise<() => Promise<void>> {
	const session = await LegacyClient.open(url);
	const { port } = new URL(url);
	const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"badstdio_huge","arguments":{"mib":8}}}';
	const head =
		`POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
		`accept: application/json, text/event-stream\r\nmcp-session-id: ${session.session}\r\n` +
		`mcp-protocol-version: 2025-11-25\r\ncontent-length: ${body.length}\r\n\r\n`;
	const client = withClient(url, head + body);
	client.pause();
	return async () => {
		client.destroy();
		await session.end();
	};
}

function slowLoris({ url }: World): () => void {
	const clients = Array.from({ length: 50 }, () => withClient(url, 'POST /mcp HTTP/1.1\r\nx: '));
	const drip = setInterval(() => clients.forEach((one) => one.send('a')), 500);
	return () => {
		clearInterval(drip);
		for (const one of clients) one.destroy();
	};
}

function withClient(url: string, bytes: string): RawClient {
	const client = new RawClient(Number(new URL(url).port));
	client.send(bytes);
	return client;
}
