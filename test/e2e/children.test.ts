import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent } from 'undici';
import { childrenConfig, fixtureTarget } from '../processes/children.ts';
import { type RunningGateway, runGateway } from '../support/gateway.ts';
import { LegacyClient, ModernClient, type RpcClient } from '../support/rpc-client.ts';

let gateway: RunningGateway;
let url: string;
const agent = new Agent({ connections: 32 });

beforeAll(async () => {
	const plain = `${fixtureTarget('bare')}\n    clear_env: true\n    env:\n      ONLY: this`;
	const decided = `${fixtureTarget('decided')}\n    env:\n      NPM_CONFIG_YES: "false"`;
	gateway = await runGateway(childrenConfig([fixtureTarget('old'), fixtureTarget('new', '--modern'), plain, decided]), {
		env: { FROM_OUTSIDE: 'yes', ADMIN_TOKEN: 'a-secret-of-the-gateway', npm_config_yes: undefined },
	});
	url = `${gateway.url()}/mcp`;
}, 60_000);

afterAll(async () => {
	await agent.close();
	expect(await gateway.stop()).toBe(0);
});

/** All four ways from a client to a server. */
const ways: [string, () => Promise<RpcClient>, string][] = [
	['old client, old server', () => LegacyClient.open(url), 'old'],
	['old client, new server', () => LegacyClient.open(url), 'new'],
	['new client, old server', async () => new ModernClient(url), 'old'],
	['new client, new server', async () => new ModernClient(url), 'new'],
];

/** The text between `"arguments":` and the end of the arguments in a line that a server read. */
function argumentsIn(line: string, args: string): string {
	const at = line.indexOf('"arguments":') + '"arguments":'.length;
	return line.slice(at, at + args.length);
}

describe.each(ways)('%s', (_name, connect, target) => {
	test('arguments arrive byte for byte', async () => {
		const client = await connect();
		const args =
			'{"z":1.0,"a":1,"huge":1e400,"long":12345678901234567890.10,"neg":-0.0,"exp":1E+2,"two":1,"two":2,' +
			'"10":"b","2":"a","esc":"\\u0041\\/\\ud83d\\ude00","raw":"é😀","unknown":{"x":[ 1 , 2 ]},"":null}';
		const line = await client.tool(`${target}_line`, args);
		expect(argumentsIn(line, args)).toBe(args);
	});

	test('results come back byte for byte', async () => {
		const client = await connect();
		const reply = await client.request('tools/call', `{"name":"${target}_raw","arguments":{}}`);
		const inner =
			'"zeta":1.0,"alpha":1e400,"big":12345678901234567890123,' +
			'"content":[{"type":"text","text":"\\u0041\u2028","extra":-0.0}],' +
			'"twice":{"a":1,"a":2},"10":1,"2":2,"structuredContent":{"b":1.50,"a":1E2}}';
		expect(reply.text).toContain(inner);
	});

	test.each([
		['\\n', '\n'],
		['\\r\\n', '\r\n'],
		['\\r', '\r'],
	])('a call on its own line (%s) inside arguments stays inside', async (_shown, lineBreak) => {
		const client = await connect();
		const hidden = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"crash","arguments":{}}}`;
		const args = `{"a":${lineBreak}${hidden}${lineBreak}}`;
		const line = await client.tool(`${target}_line`, args);
		expect(argumentsIn(line, args).replace(/[\r\n ]+/g, '')).toBe(args.replace(/[\r\n ]+/g, ''));
		expect(line).not.toMatch(/[\r\n]/);
		const lines = JSON.parse(await client.tool(`${target}_lines`)) as string[];
		expect(lines.some((one) => one.trim() === hidden)).toBe(false);
		expect(lines.every((one) => (JSON.parse(one) as { jsonrpc?: string }).jsonrpc === '2.0')).toBe(true);
	});

	test('separators that are no line breaks to JSON pass', async () => {
		const client = await connect();
		const args = '{"a":"\u2028\u2029\u0085","b":"\\n\\r"}';
		expect(argumentsIn(await client.tool(`${target}_line`, args), args)).toBe(args);
	});

	test('a raw line break inside a string is refused', async () => {
		const client = await connect();
		const text = await client.tool(`${target}_lines`);
		const response = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
			body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":"\n"}}}',
		});
		expect(response.status).toBe(400);
		expect(JSON.parse(await client.tool(`${target}_lines`))).toHaveLength((JSON.parse(text) as string[]).length + 1);
	});
});

describe('the environment of a child', () => {
	const environment = async (target: string) =>
		JSON.parse(await (await LegacyClient.open(url)).tool(`${target}_env`)) as Record<string, string>;

	test("is the gateway's, without its secrets, and npx is told yes", async () => {
		const env = await environment('old');
		expect(env).toMatchObject({ FROM_OUTSIDE: 'yes', npm_config_yes: 'true' });
		expect(Object.values(env)).not.toContain('a-secret-of-the-gateway');
	});

	test('leaves alone what somebody decided about npx, in any case', async () => {
		const env = await environment('decided');
		expect(env['NPM_CONFIG_YES']).toBe('false');
		expect(env['npm_config_yes']).toBeUndefined();
	});

	test('clear_env leaves what the target sets, and the mark of its owner', async () => {
		const { AGENTGATEWAY_OWNER: owner, ...rest } = await environment('bare');
		expect(owner).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{8}$/);
		expect(rest).toEqual({ ONLY: 'this' });
	});
});

test('clients with the same request ids never see the answers of each other', async () => {
	const clients: RpcClient[] = [
		await LegacyClient.open(url, agent),
		await LegacyClient.open(url, agent),
		new ModernClient(url, agent),
		new ModernClient(url, agent),
	];
	let wrong = 0;
	let calls = 0;
	const run = async (client: RpcClient, who: number) => {
		let next = 1;
		const lane = async () => {
			for (let id = next++; id <= 2500; id = next++) {
				const text = `client ${who} call ${id}`;
				const target = id % 2 === 0 ? 'old' : 'new';
				const params = `{"name":"${target}_echo","arguments":{"text":"${text}"}}`;
				const { message } = await client.request('tools/call', params, String(id));
				calls++;
				if (message.id !== id || message.result?.content?.[0]?.text !== text) wrong++;
			}
		};
		await Promise.all(Array.from({ length: 8 }, lane));
	};
	await Promise.all(clients.map(run));
	expect({ calls, wrong }).toEqual({ calls: 10_000, wrong: 0 });
}, 60_000);
