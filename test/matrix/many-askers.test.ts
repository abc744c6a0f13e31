import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FixtureServer, startFixture } from '../support/fixture-server.ts';
import { mcpConfig, nodeTarget, root, type RunningGateway, runGateway } from '../support/gateway.ts';
import type { Loose } from '../support/wire-client.ts';
import { clients, everyCapability } from './clients.ts';

const askers = 16;
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-askers-'));
const flags = ['--era', 'legacy', '--shared', folder];
let server: FixtureServer;
let gateway: RunningGateway;

beforeAll(async () => {
	server = await startFixture('matrix/server.mjs', '--http', '0', ...flags);
	const stdio = nodeTarget('stdio', join(root, 'test/fixtures/matrix/server.mjs'), ...flags);
	gateway = await runGateway(mcpConfig(`- name: http\n  mcp: { host: "${server.url}" }\n${stdio}`));
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	await server.stop();
	rmSync(folder, { recursive: true });
});

test.each(['http', 'stdio'])(
	`${askers} clients without sessions, who look alike, are asked by an old server over %s: each its own questions`,
	async (target) => {
		const open = () => clients['raw new'].open({ url: `${gateway.url()}/mcp`, capabilities: everyCapability });
		const peers = await Promise.all(Array.from({ length: askers }, open));
		const texts = await Promise.all(
			peers.map(async (peer, number) => {
				peer.answer = async (_method, { message }: Loose) => {
					await new Promise((resolve) => setTimeout(resolve, (number * 53) % 200));
					return { action: 'accept', content: { username: message, email: String(number) } };
				};
				const params = { name: `${target}_test_elicitation`, arguments: { message: `to ${number}` } };
				return (await peer.use('tools/call', params)).content[0].text as string;
			}),
		);
		const expected = (number: number) =>
			`User response: action: accept, content: {"username":"to ${number}","email":"${number}"}`;
		expect(texts).toEqual(peers.map((_peer, number) => expected(number)));
	},
	30_000,
);
