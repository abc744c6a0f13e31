import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../matrix/peer.ts';
import { clients } from '../matrix/clients.ts';
import { mcpConfig, nodeTarget, type RunningGateway, runGateway } from '../support/gateway.ts';
import { realClients } from './clients.ts';
import { filesystemServer } from './server-files.ts';

const folder = () => realpathSync(mkdtempSync(join(tmpdir(), 'agentgateway-files-')));
const configured = folder();
const rooted = folder();
let gateway: RunningGateway;

beforeAll(async () => {
	writeFileSync(join(configured, 'configured.txt'), 'of the configuration');
	writeFileSync(join(rooted, 'rooted.txt'), 'of the client');
	gateway = await runGateway(mcpConfig(nodeTarget('files', filesystemServer, configured)));
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	for (const one of [configured, rooted]) rmSync(one, { recursive: true });
});

const read = async (client: Peer, path: string) => {
	const { content, isError } = await client.use('tools/call', { name: 'read_text_file', arguments: { path } });
	return { text: content[0].text as string, isError: isError === true };
};

describe.each(realClients)('server-filesystem and %s', (kind) => {
	test('serves the folder of its configuration to a client without roots', async () => {
		const client = await clients[kind].open({ url: `${gateway.url()}/mcp`, capabilities: {} });
		expect(await read(client, join(configured, 'configured.txt'))).toEqual({
			text: 'of the configuration',
			isError: false,
		});
		expect((await read(client, join(rooted, 'rooted.txt'))).isError).toBe(true);
		await client.close();
	});

	test('serves the roots of a client that has some, and nothing else', async () => {
		const client = await clients[kind].open({
			url: `${gateway.url()}/mcp`,
			capabilities: { roots: {} },
			answer: () => ({ roots: [{ uri: pathToFileURL(rooted).href, name: 'mine' }] }),
		});
		// It asks for them as soon as it is greeted, whenever the first call comes.
		await expect
			.poll(() => read(client, join(rooted, 'rooted.txt')), { timeout: 5000 })
			.toEqual({ text: 'of the client', isError: false });
		expect((await read(client, join(configured, 'configured.txt'))).isError).toBe(true);
		expect(client.asked.map(({ method }) => method)).toContain('roots/list');
		await client.close();
	});

	// Clients of the new era declare what they have with each call; there is no notice of changes.
	if (kind === 'SDK 2.4 new') return;

	test('asks again when the client says that its roots have changed', async () => {
		let own = configured;
		const client = await clients[kind].open({
			url: `${gateway.url()}/mcp`,
			capabilities: { roots: { listChanged: true } },
			answer: () => ({ roots: [{ uri: pathToFileURL(own).href }] }),
		});
		await expect
			.poll(() => read(client, join(configured, 'configured.txt')), { timeout: 5000 })
			.toEqual({ text: 'of the configuration', isError: false });
		own = rooted;
		await client.tell('notifications/roots/list_changed');
		await expect
			.poll(() => read(client, join(rooted, 'rooted.txt')), { timeout: 5000 })
			.toEqual({ text: 'of the client', isError: false });
		await client.close();
	});
});
