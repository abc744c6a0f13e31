import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { fixtureServer, fixtureTarget, isAlive, Scratch, until } from '../processes/children.ts';
import { mcpConfig, nodeTarget, root } from '../support/gateway.ts';
import { modernMeta, StdioGateway } from '../support/stdio-gateway.ts';
import { runCommand } from './command.ts';

const running: StdioGateway[] = [];
const scratches: Scratch[] = [];
afterEach(async () => {
	for (const one of running.splice(0)) {
		one.process.kill('SIGKILL');
		await one.exited;
	}
	for (const one of scratches.splice(0)) one.remove();
});

function start(yaml: string, args: string[] = [], env: Record<string, string> = {}): StdioGateway {
	const gateway = new StdioGateway(yaml, args, env);
	running.push(gateway);
	return gateway;
}

/** One target `a`, whose tools have plain names. */
const plain = (extra = '') => `${extra}${mcpConfig(fixtureTarget('a'))}`;
const flood = mcpConfig(nodeTarget('a', join(root, 'test/fixtures/stdio-server.mjs')));
const call = (name: string, args = '{}') => `{"name":"${name}","arguments":${args}}`;
const modernCall = (name: string, args = '{}') => `{"name":"${name}","arguments":${args},${modernMeta()}}`;
const textOf = (said: { result?: Record<string, unknown> }) =>
	(said.result?.['content'] as { text: string }[] | undefined)?.[0]?.text;

test('a changed file brings another target to the client that is there, and says so', async () => {
	const two = (names: string[]) => mcpConfig(names.map((name) => fixtureTarget(name)).join('\n'));
	const gateway = start(two(['a', 'b']));
	await gateway.initialize();
	const pid = textOf(await gateway.request('1', 'tools/call', call('a_pid')));
	const file = gateway.process.spawnargs[gateway.process.spawnargs.indexOf('-f') + 1] ?? '';
	writeFileSync(file, two(['a', 'c']));
	await until('the client hears of it', 10_000, () =>
		gateway.said().some(({ method }) => method === 'notifications/tools/list_changed'),
	);
	expect(textOf(await gateway.request('2', 'tools/call', call('c_echo', '{"text":"x"}')))).toBe('x');
	expect(textOf(await gateway.request('3', 'tools/call', call('a_pid')))).toBe(pid);
	writeFileSync(file, two(['a']).replace('- backends', '- matches: [{ path: { exact: /x } }]\n      backends'));
	await until('it is refused', 10_000, () => gateway.stderr.includes('is reached in another way now'));
	expect(textOf(await gateway.request('4', 'tools/call', call('a_pid')))).toBe(pid);
	expect(await gateway.end()).toBe(0);
});

describe('lines', () => {
	test('both eras side by side, each message by itself', async () => {
		const gateway = start(plain());
		const discovered = await gateway.request('"d"', 'server/discover', `{${modernMeta()}}`);
		expect(discovered.result).toMatchObject({ resultType: 'complete', supportedVersions: ['2026-07-28'] });
		expect((await gateway.initialize()).result).toMatchObject({ protocolVersion: '2025-11-25' });
		expect(textOf(await gateway.request('1', 'tools/call', call('echo', '{"text":"é"}')))).toBe('é');
		const modern = await gateway.request('2', 'tools/call', modernCall('echo', '{"text":"x"}'));
		expect(modern.result).toMatchObject({ resultType: 'complete' });
		expect(textOf(modern)).toBe('x');
		expect((await gateway.request('3', 'ping')).result).toEqual({});
		expect(await gateway.end()).toBe(0);
		gateway.said();
	});

	test.each([
		['{"jsonrpc"', -32700],
		['[]', -32600],
		['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
		['"text"', -32600],
	])('%s gets an error without id, and life goes on', async (line, code) => {
		const gateway = start(plain());
		gateway.write(line);
		expect(await gateway.answer('null')).toMatchObject({ id: null, error: { code } });
		expect((await gateway.request('1', 'ping')).result).toEqual({});
	});

	test('what comes at the wrong time, or twice, is refused', async () => {
		const gateway = start(plain());
		expect((await gateway.request('1', 'tools/list')).error?.code).toBe(-32600);
		await gateway.initialize();
		expect((await gateway.request('2', 'initialize', '{"protocolVersion":"2025-11-25"}')).error?.code).toBe(-32600);
		const old = `{${modernMeta().replace('2026-07-28', '2026-01-01')}}`;
		expect((await gateway.request('3', 'tools/list', old)).error).toMatchObject({ code: -32022 });
		expect((await gateway.request('4', 'ping', `{${modernMeta()}}`)).error?.code).toBe(-32601);
		gateway.write(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":${modernCall('hang')}}`);
		expect((await gateway.request('5', 'tools/list', `{${modernMeta()}}`)).error?.code).toBe(-32600);
	});

	test('line breaks do not come through, and large results do', async () => {
		const gateway = start(flood);
		await gateway.initialize();
		const result = await gateway.request('1', 'tools/call', call('flood', '{"size":5000000}'));
		expect(textOf(result)?.length).toBe(5_000_000);
		expect(gateway.stdout.split('\n')).toHaveLength(3);
	});

	test('a line of more than 16 MiB ends the input, with a word about it', async () => {
		const gateway = start(plain());
		gateway.write(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${'x'.repeat(17 * 1024 * 1024)}"}}`);
		expect(await gateway.answer('null')).toMatchObject({ error: { code: -32600 } });
		expect(await gateway.exited).toBe(0);
	});

	test('nothing but messages on stdout, however talkative the log and broken the target', async () => {
		const targets = `${fixtureTarget('a')}\n${fixtureTarget('b', '--fail')}`;
		const gateway = start(mcpConfig(targets), [], { RUST_LOG: 'trace' });
		await gateway.initialize();
		await gateway.request('1', 'tools/call', call('a_junk'));
		await gateway.request('2', 'tools/call', call('a_stderr', '{"mib":1}'));
		expect(await gateway.end()).toBe(0);
		expect(gateway.said().length).toBeGreaterThanOrEqual(3);
		expect(gateway.stderr).toMatch(/INFO request: .*mcp\.method\.name=tools\/call mcp\.target=a/);
		expect(gateway.stderr).not.toMatch(/http\.|internal error/);
	});
});

describe('calls', () => {
	test.each([
		['old', '1', call('hang'), '{"requestId":1}'],
		['new', '"x"', modernCall('hang'), `{"requestId":"x",${modernMeta()}}`],
	])(
		'of a client of the %s era are taken back by a notification, and then get no answer',
		async (_era, id, params, cancel) => {
			const gateway = start(plain());
			await gateway.initialize();
			// A call that comes before its server is there would never be sent.
			await gateway.request('98', 'tools/call', params.replace('hang', 'pid'));
			gateway.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`);
			gateway.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${cancel}}`);
			const lines = params.includes('_meta') ? modernCall('lines') : call('lines');
			const read = textOf(await gateway.request('99', 'tools/call', lines)) ?? '';
			expect(read).toContain('notifications/cancelled');
			expect(await gateway.end()).toBe(0);
			expect(gateway.said().some((one) => JSON.stringify(one.id) === id)).toBe(false);
		},
	);

	test('subscriptions/listen shares the channel, under its own id, until it is taken back', async () => {
		const gateway = start(plain());
		const params = `{"notifications":{"toolsListChanged":true},${modernMeta()}}`;
		gateway.write(`{"jsonrpc":"2.0","id":"L","method":"subscriptions/listen","params":${params}}`);
		const heard = (method: string) => gateway.said().filter((one) => one.method === method);
		await until('the filter is acknowledged', 5000, () =>
			heard('notifications/subscriptions/acknowledged').some(({ params: told }) =>
				JSON.stringify(told).includes('"io.modelcontextprotocol/subscriptionId":"L"'),
			),
		);
		await gateway.request('1', 'tools/call', modernCall('grow'));
		await until('the change is told', 5000, () => heard('notifications/tools/list_changed').length === 1);
		gateway.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"L"}}');
		await gateway.request('2', 'tools/call', modernCall('grow'));
		await gateway.request('3', 'tools/call', modernCall('echo', '{"text":"x"}'));
		expect(heard('notifications/tools/list_changed')).toHaveLength(1);
	});

	test('a client that does not read costs its calls, not the memory of the machine', async () => {
		const gateway = start(flood);
		await gateway.initialize();
		gateway.process.stdout?.pause();
		// 80 calls of 60 messages of 64 KiB: 300 MiB for a gateway that kept them.
		for (let id = 1; id <= 80; id++)
			gateway.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${call('flood', '{"count":60}')}}`);
		await until('the gateway has noticed', 10_000, () => gateway.stderr.includes('does not read'));
		await new Promise((resolve) => setTimeout(resolve, 1000));
		expect(residentMib(gateway.process.pid)).toBeLessThan(220);
		gateway.process.stdout?.resume();
		const answer = await gateway.answer('1');
		expect(answer.error?.message).toBe('the client does not read');
		expect((await gateway.request('1000', 'ping')).result).toEqual({});
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
	}, 40_000);

	test('each request that is refused is answered, also to a client that reads late', async () => {
		const gateway = start(plain());
		await gateway.initialize();
		gateway.process.stdout?.pause();
		// Without the capabilities that belong to its version.
		const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}';
		for (let id = 1; id <= 8000; id++)
			gateway.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/list","params":{${meta}}}`);
		await new Promise((resolve) => setTimeout(resolve, 1000));
		gateway.process.stdout?.resume();
		expect((await gateway.request('"last"', 'ping')).result).toEqual({});
		expect(gateway.said().filter(({ error }) => error?.code === -32602)).toHaveLength(8000);
	}, 40_000);
});

describe('the end', () => {
	test('stdin closed in mid-call: the answer still comes, the children end, the code is 0', async () => {
		const gateway = start(plain());
		await gateway.initialize();
		const pid = Number(textOf(await gateway.request('1', 'tools/call', call('pid'))));
		gateway.write(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":${call('late', '{"ms":700}')}}`);
		expect(await gateway.end()).toBe(0);
		expect(gateway.said().find(({ id }) => id === 2)?.result).toBeDefined();
		expect(isAlive(pid)).toBe(false);
	});

	test('a call that does not end is given up at the drain deadline', async () => {
		const gateway = start(
			plain().replace(
				'config:\n',
				'config:\n  terminationGracePeriod: 1s\n'.replace('terminationGracePeriod', 'connectionTerminationDeadline'),
			),
		);
		await gateway.initialize();
		gateway.write(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":${call('hang')}}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
		const since = performance.now();
		expect(await gateway.end()).toBe(0);
		expect(performance.now() - since).toBeLessThan(4500);
		expect(gateway.said().find(({ id }) => id === 2)?.error).toBeDefined();
	});

	test.each(['SIGTERM', 'SIGINT'] as const)(
		'%s: no further request is taken, what is under way ends',
		async (signal) => {
			const gateway = start(plain());
			await gateway.initialize();
			gateway.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${call('late', '{"ms":700}')}}`);
			await new Promise((resolve) => setTimeout(resolve, 200));
			gateway.process.kill(signal);
			await until('it drains', 5000, () => gateway.stderr.includes('draining'));
			expect((await gateway.request('2', 'tools/list')).error?.message).toContain('stopping');
			expect(textOf(await gateway.answer('1'))).toBe('late');
			expect(await gateway.exited).toBe(0);
		},
	);

	test('a client that vanishes takes all along, quietly', async () => {
		const gateway = start(plain());
		await gateway.initialize();
		const pid = Number(textOf(await gateway.request('1', 'tools/call', call('pid'))));
		gateway.process.stdout?.destroy();
		gateway.write(`{"jsonrpc":"2.0","id":2,"method":"ping"}`);
		expect(await gateway.exited).toBe(0);
		expect(isAlive(pid)).toBe(false);
		expect(gateway.stderr).not.toMatch(/EPIPE|internal error|at .*\.js/);
	});

	test('a reader that has stopped does not keep the process from ending', async () => {
		const gateway = start(flood);
		await gateway.initialize();
		gateway.process.stdout?.pause();
		gateway.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${call('flood', '{"size":9000000}')}}`);
		await until('the call has ended', 8000, () => /mcp\.method\.name=tools\/call/.test(gateway.stderr));
		gateway.process.kill('SIGTERM');
		await until('it ends', 8000, () => gateway.process.exitCode !== null);
		expect(gateway.process.exitCode).toBe(0);
		gateway.process.stdout?.resume();
	});

	test('killed, it leaves no child behind', async () => {
		const scratch = new Scratch();
		scratches.push(scratch);
		const gateway = start(mcpConfig(fixtureTarget('a', `--pids=${scratch.pidFile}`, '--grandchild=group')));
		await gateway.initialize();
		expect(scratch.living().length).toBeGreaterThanOrEqual(2);
		gateway.process.kill('SIGKILL');
		await until('the children are gone', 6000, () => scratch.living().length === 0);
	});
});

describe('ports and routes', () => {
	test('no port is open, and no child runs before the first message', async () => {
		const scratch = new Scratch();
		scratches.push(scratch);
		const gateway = start(mcpConfig(fixtureTarget('a', `--pids=${scratch.pidFile}`)));
		await until('it serves', 5000, () => gateway.stderr.includes('serving route'));
		await new Promise((resolve) => setTimeout(resolve, 500));
		expect(scratch.pids()).toEqual([]);
		await gateway.initialize();
		expect(scratch.pids()).toHaveLength(1);
		expect(listening(gateway.process.pid)).toEqual([]);
	});

	test('--admin opens the admin port and nothing else', async () => {
		const gateway = start(plain(), ['--admin']);
		await until('the port is announced', 5000, () => gateway.stderr.includes('Admin UI available'));
		const [, port = ''] = /localhost:(\d+)\/ui\//.exec(gateway.stderr) ?? [];
		expect(listening(gateway.process.pid)).toEqual([Number(port)]);
		await gateway.initialize();
		const state = (await (await fetch(`http://127.0.0.1:${port}/api/state`)).json()) as { sessions: number };
		expect(JSON.stringify(state)).toContain('"state":"ready"');
		expect(await gateway.end()).toBe(0);
	});

	const routes = ['one', 'two'].map((name) => ({
		name,
		matches: [{ path: { pathPrefix: `/${name}` } }],
		backends: [{ mcp: { targets: [{ name, stdio: { cmd: process.execPath, args: [fixtureServer] } }] } }],
	}));
	const two = JSON.stringify({ binds: [{ port: 0, listeners: [{ routes }] }] });

	test('--route chooses one of several', async () => {
		const gateway = start(two, ['--route', 'two']);
		await gateway.initialize();
		const read = await gateway.request('1', 'tools/call', call('echo', '{"text":"x"}'));
		expect(textOf(read)).toBe('x');
		expect(await gateway.end()).toBe(0);
		expect(gateway.stderr).toContain('mcp.target=two');
	});

	test.each([
		[[], /several routes lead to MCP backends; choose one with --route: "one", "two"/],
		[['--route', 'three'], /there is no route "three".*there are "one", "two"/],
	])('%j is refused with the names that there are', async (args, message) => {
		const ended = await runCommand(['stdio', '-c', two, ...args]);
		expect(ended).toMatchObject({ code: 1, stdout: '' });
		expect(ended.stderr).toMatch(message);
	});

	test('the configuration cannot come from stdin', async () => {
		const ended = await runCommand(['stdio', '-f', '-'], { input: two });
		expect(ended).toMatchObject({ code: 1, stdout: '' });
		expect(ended.stderr).toContain('stdin carries the protocol');
	});

	test('--help tells of it', async () => {
		expect((await runCommand(['--help'])).stdout).toMatch(/stdio .*serve one route on stdin and stdout/);
		expect((await runCommand(['stdio', '--help'])).stdout).toMatch(/--route <name>[^]*--admin[^]*-f, --file/);
	});
});

function residentMib(pid: number | undefined): number {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

/** TCP ports on which a process listens. */
function listening(pid: number | undefined): number[] {
	const sockets = new Set(
		readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
			try {
				return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
			} catch {
				return [];
			}
		}),
	);
	const lines = ['tcp', 'tcp6'].flatMap((file) => readFileSync(`/proc/${pid}/net/${file}`, 'latin1').split('\n'));
	return lines
		.map((line) => line.trim().split(/\s+/))
		.filter((columns) => columns[3] === '0A' && sockets.has(columns[9] ?? ''))
		.map((columns) => Number.parseInt(columns[1]?.split(':')[1] ?? '', 16));
}
