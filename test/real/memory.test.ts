import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeTarget, type RunningGateway, runGateway, mcpConfig } from '../support/gateway.ts';
import type { Loose } from '../support/wire-client.ts';
import { openClient, realClients } from './clients.ts';
import { memoryServer, thinkingServer } from './server-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'agentgateway-memory-'));
let gateway: RunningGateway;

beforeAll(async () => {
	const memory = `${nodeTarget('memory', memoryServer)}\n    env: { MEMORY_FILE_PATH: ${JSON.stringify(join(folder, 'memory.json'))} }`;
	gateway = await runGateway(mcpConfig(`${memory}\n${nodeTarget('thinking', thinkingServer)}`));
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	rmSync(folder, { recursive: true });
});

describe.each(realClients)('server-memory and server-sequential-thinking and %s', (kind) => {
	test('share one endpoint', async () => {
		const client = await openClient(kind, gateway.url());
		const { tools } = await client.use('tools/list');
		const names = tools.map((tool: Loose) => tool.name) as string[];
		expect(names.filter((name) => name.startsWith('memory_'))).toHaveLength(9);
		expect(names.filter((name) => name.startsWith('thinking_'))).toEqual(['thinking_sequentialthinking']);
		await client.close();
	});

	test('remember what is said', async () => {
		const client = await openClient(kind, gateway.url());
		const entities = [{ name: kind, entityType: 'client', observations: ['was here'] }];
		await client.use('tools/call', { name: 'memory_create_entities', arguments: { entities } });
		const found = await client.use('tools/call', { name: 'memory_search_nodes', arguments: { query: kind } });
		expect(found.structuredContent.entities).toEqual(entities);
		await client.close();
	});

	test('think one step', async () => {
		const client = await openClient(kind, gateway.url());
		const thought = { thought: 'first', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 };
		const result = await client.use('tools/call', { name: 'thinking_sequentialthinking', arguments: thought });
		expect(JSON.parse(result.content[0].text)).toMatchObject({ thoughtNumber: 1, totalThoughts: 1 });
		await client.close();
	});
});
