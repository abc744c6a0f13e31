import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fixtureTarget, until } from '../processes/children.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';
import { type EditedGateway, editGateway, fileOf, routeTo } from './edited-gateway.ts';
import { stateOf, targetOf } from '../support/state.ts';
import { freePort } from '../support/free-port.ts';

let gateway: EditedGateway | null = null;
const servers: Server[] = [];

afterEach(async () => {
	for (const server of servers.splice(0)) server.close();
	const log = gateway?.log() ?? '';
	await gateway?.end();
	gateway = null;
	expect(log).not.toContain('internal error');
});

async function start(yaml: string): Promise<EditedGateway> {
	gateway = await editGateway(yaml);
	return gateway;
}

const kept = fixtureTarget('kept');
const other = fixtureTarget('other');

describe('an edited file', () => {
	test('brings a new route, and leaves children, sessions and streams of the others alone', async () => {
		const one = await start(fileOf([routeTo('/a', [kept, other])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const stream = await client.listen();
		const pid = await client.tool('kept_pid');
		const view = await one.edit(fileOf([routeTo('/new', [other]), routeTo('/a', [kept, other])]));
		expect(view).toMatchObject({ synchronized: true, errors: [], needsRestart: [] });
		expect(await client.tool('kept_pid')).toBe(pid);
		const second = await LegacyClient.open(`${one.url()}/new`);
		expect(await second.toolNames()).toContain('pid');
		expect(stream.seen).toEqual([]);
		expect((await stateOf(one)).sessions).toBe(2);
		// What the route is called has changed; whose processes they are has not.
		await until('the children are counted', 5000, async () => (await targetOf(one, 'kept')).processes === 1);
		expect((await stateOf(one)).binds[0]?.listeners[0]?.routes.map(({ path }) => path)).toEqual(['/new', '/a']);
		stream.close();
	});

	test('brings a new target into open sessions', async () => {
		const one = await start(fileOf([routeTo('/a', [kept, other])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const modern = new ModernClient(`${one.url()}/a`);
		const stream = await client.listen();
		const [pid, shared] = [await client.tool('kept_pid'), await modern.tool('kept_pid')];
		await one.edit(fileOf([routeTo('/a', [kept, fixtureTarget('third'), other])]));
		await until('the client hears of it', 10_000, () =>
			stream.seen.some((text) => text.includes('tools/list_changed')),
		);
		await until('the new tools are listed', 10_000, async () => (await client.toolNames()).includes('third_pid'));
		expect(await client.tool('third_echo', '{"text":"hello"}')).toBe('hello');
		expect(await modern.tool('third_echo', '{"text":"hello"}')).toBe('hello');
		expect([await client.tool('kept_pid'), await modern.tool('kept_pid')]).toEqual([pid, shared]);
		stream.close();
	});

	test('takes a target away: its calls finish, its process ends, the rest goes on', async () => {
		const one = await start(fileOf([routeTo('/a', [kept, fixtureTarget('third'), other])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const pid = await client.tool('kept_pid');
		const late = client.tool('third_late', '{"ms":1500}');
		await one.edit(fileOf([routeTo('/a', [kept, other])]));
		expect((await client.toolNames()).some((name) => name.startsWith('third_'))).toBe(false);
		const refused = await client.request('tools/call', '{"name":"third_pid","arguments":{}}');
		expect(refused.message.error?.message).toBe('Unknown tool: third_pid');
		expect(await late).toBe('late');
		await until('its process is gone', 10_000, async () => (await stateOf(one)).childProcesses === 2);
		expect(await client.tool('kept_pid')).toBe(pid);
	});

	test('ends a call of a removed target that takes longer than the drain deadline', async () => {
		const head = 'config: { connectionTerminationDeadline: 1s }';
		const one = await start(fileOf([routeTo('/a', [kept, fixtureTarget('third')])], head));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const hanging = client.request('tools/call', '{"name":"third_hang","arguments":{}}');
		await one.edit(fileOf([routeTo('/a', [kept, other])], head));
		expect((await hanging).message.error?.message).toContain('target "third" did not answer');
		expect(await client.tool('other_echo', '{"text":"x"}')).toBe('x');
	});

	test('replaces the process of a target whose command has changed, and only that', async () => {
		const one = await start(fileOf([routeTo('/a', [kept, other])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const before = [await client.tool('kept_pid'), await client.tool('other_pid')];
		const late = client.tool('other_late', '{"ms":1000}');
		await one.edit(fileOf([routeTo('/a', [kept, fixtureTarget('other', '--name=again')])]));
		// No call fails while the new process starts: it waits.
		const after = [await client.tool('kept_pid'), await client.tool('other_pid')];
		expect(after[0]).toBe(before[0]);
		expect(after[1]).not.toBe(before[1]);
		expect(await late).toBe('late');
		await until('the old process is gone', 10_000, async () => (await targetOf(one, 'other')).processes === 1);
		expect(await targetOf(one, 'other')).toMatchObject({ state: 'ready', connections: 1 });
	});

	test('leaves a process alone whose variables stand in another order', async () => {
		const inOrder = (env: string) => fileOf([routeTo('/a', [`${kept}\n    env: { ${env} }`])]);
		const one = await start(inOrder('ONE: "1", OTHER: "2"'));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const pid = await client.tool('pid');
		await one.edit(inOrder('OTHER: "2", ONE: "1"'));
		expect(await client.tool('pid')).toBe(pid);
		await one.edit(inOrder('OTHER: "2", ONE: "3"'));
		expect(await client.tool('pid')).not.toBe(pid);
	});

	test('hides a tool in open sessions, which are told', async () => {
		const one = await start(fileOf([routeTo('/a', [kept, other])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const stream = await client.listen();
		const pid = await client.tool('kept_pid');
		expect(await client.toolNames()).toContain('kept_env');
		await one.edit(fileOf([routeTo('/a', [`${kept}\n  tools: { exclude: [env] }`, other])]));
		await until('the client hears of it', 5000, () => stream.seen.some((text) => text.includes('tools/list_changed')));
		expect(await client.toolNames()).not.toContain('kept_env');
		const refused = await client.request('tools/call', '{"name":"kept_env","arguments":{}}');
		expect(refused.message.error?.message).toBe('Unknown tool: kept_env');
		expect(await client.tool('kept_pid')).toBe(pid);
		stream.close();
	});

	test('gives a route another policy without touching its sessions', async () => {
		const one = await start(fileOf([routeTo('/a', [kept])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const pid = await client.tool('pid');
		const origin = 'https://app.example';
		const cors = `policies: { cors: { allowOrigins: ['${origin}'], allowHeaders: ['*'] } }`;
		await one.edit(fileOf([routeTo('/a', [kept], cors)]));
		const preflight = await fetch(`${one.url()}/a`, {
			method: 'OPTIONS',
			headers: { origin, 'access-control-request-method': 'POST' },
		});
		expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
		expect(await client.tool('pid')).toBe(pid);
	});

	test('removes a route: its streams end, its calls finish, then there is nothing any more', async () => {
		const one = await start(fileOf([routeTo('/a', [kept]), routeTo('/b', [other])]));
		const client = await LegacyClient.open(`${one.url()}/b`);
		const ended = fetch(`${one.url()}/b`, {
			headers: { accept: 'text/event-stream', 'mcp-session-id': client.session },
		});
		const stream = (await ended).text();
		const late = client.tool('late', '{"ms":1000}');
		await one.edit(fileOf([routeTo('/a', [kept])]));
		await stream;
		expect(await late).toBe('late');
		expect((await fetch(`${one.url()}/b`, { method: 'POST' })).status).toBe(404);
		await until('everything of it is gone', 10_000, async () => {
			const { sessions, childProcesses } = await stateOf(one);
			return sessions === 0 && childProcesses === 0;
		});
	});
});

describe('ports', () => {
	async function takenPort(): Promise<number> {
		const server = createServer();
		await new Promise<void>((done) => server.listen({ port: 0, host: '0.0.0.0', exclusive: true }, () => done()));
		servers.push(server);
		return (server.address() as AddressInfo).port;
	}

	/** Whether new connections are taken; those that are open may be used for a while. */
	function accepts(port: number): Promise<boolean> {
		return new Promise((resolve) => {
			const socket = connect(port, '127.0.0.1');
			socket.on('connect', () => resolve(true));
			socket.on('error', () => resolve(false));
			socket.on('close', () => socket.destroy());
			setTimeout(() => socket.destroy(), 2000).unref();
		});
	}

	test('come and go with the file', async () => {
		const one = await start(fileOf([routeTo('/a', [kept])]));
		const port = await freePort();
		const both = `${fileOf([routeTo('/a', [kept])])}- port: ${port}\n  listeners:\n  - routes:\n${routeTo('/b', [other])}\n`;
		expect((await one.edit(both)).errors).toEqual([]);
		const client = await LegacyClient.open(`http://127.0.0.1:${port}/b`);
		const late = client.tool('late', '{"ms":1000}');
		await one.edit(fileOf([routeTo('/a', [kept])]));
		await until('nobody can connect any more', 5000, async () => !(await accepts(port)));
		expect(await late).toBe('late');
	});

	test('that are taken refuse the whole change, with the line', async () => {
		const one = await start(fileOf([routeTo('/a', [kept])]));
		const client = await LegacyClient.open(`${one.url()}/a`);
		const [free, taken] = [await freePort(), await takenPort()];
		const bind = (port: number) => `- port: ${port}\n  listeners:\n  - routes:\n${routeTo('/b', [other])}\n`;
		const text = `${fileOf([routeTo('/c', [kept])])}${bind(free)}${bind(taken)}`;
		const view = await one.edit(text);
		expect(view.synchronized).toBe(false);
		const line = text.split('\n').findIndex((one_) => one_ === `- port: ${taken}`) + 1;
		expect(view.errors).toMatchObject([{ line, column: 9, path: 'binds[2].port' }]);
		expect(view.errors[0]?.message).toContain(`port ${taken}`);
		expect(await accepts(free)).toBe(false);
		expect(await client.tool('echo', '{"text":"still here"}')).toBe('still here');
		expect((await fetch(`${one.url()}/c`, { method: 'POST' })).status).toBe(404);
	});
});
