import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FixtureServer, startFixture } from '../support/fixture-server.ts';
import { mcpConfig, nodeTarget, root, type RunningGateway, runGateway } from '../support/gateway.ts';
import type { Loose } from '../support/wire-client.ts';
import { clients, everyCapability } from './clients.ts';
import { eventually } from './eventually.ts';
import { agree, type Peer, Refused } from './peer.ts';
import type { ClientKind } from './requirement.ts';

/** An old server over stdio and a new one over HTTP as one. */
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-two-'));
let server: FixtureServer;
let gateway: RunningGateway;

beforeAll(async () => {
	server = await startFixture('matrix/server.mjs', '--http', '0', '--era', 'modern', '--shared', folder);
	const old = nodeTarget('old', join(root, 'test/fixtures/matrix/server.mjs'), '--era', 'legacy', '--shared', folder);
	gateway = await runGateway(mcpConfig(`${old}\n- name: new\n  mcp: { host: "${server.url}" }`));
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await server.stop();
	rmSync(folder, { recursive: true });
});

const kinds = ['SDK 1.32', 'SDK 2.4 old', 'raw old', 'SDK 2.4 new', 'raw new'] as const satisfies ClientKind[];

describe.each(kinds)('an old and a new server behind one endpoint, for %s', (kind) => {
	let peer: Peer;
	const call = async (name: string, args: Record<string, unknown> = {}) =>
		(await peer.use('tools/call', { name, arguments: args })) as Loose;
	const names = async (list: string) =>
		(await peer.use(`${list}/list`))[list].map((one: Loose) => (one.uri ?? one.name) as string) as string[];

	beforeAll(async () => {
		peer = await clients[kind].open({ url: `${gateway.url()}/mcp`, capabilities: everyCapability });
	});
	afterAll(() => peer.close());

	test('both greet', () => {
		expect(peer.facts.instructions).toMatch(/old[\s\S]*A fixture\.[\s\S]*new[\s\S]*A fixture\./);
		expect(peer.facts.capabilities).toMatchObject({
			tools: {},
			prompts: {},
			resources: {},
			completions: {},
			logging: {},
		});
	});

	test('tools of both, each called where it is', async () => {
		const tools = await names('tools');
		const of = (prefix: string) =>
			tools.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
		expect(of('new_')).toEqual([...of('old_'), 'matrix_list']);
		expect(tools.every((name) => /^(old|new)_/.test(name))).toBe(true);
		for (const target of ['old', 'new']) {
			const { content } = await call(`${target}_matrix_echo`, { target });
			expect(JSON.parse(content[0].text)).toEqual({ target });
		}
		const unknown: unknown = await call('matrix_echo').catch((error: unknown) => error);
		expect(unknown).toBeInstanceOf(Refused);
		expect(unknown).toMatchObject({ code: -32602 });
	});

	test('resources of both, and links to them, are read', async () => {
		const uris = await names('resources');
		for (const target of ['old', 'new']) {
			expect(uris).toContain(`${target}+test://static-text`);
			const { content } = await call(`${target}_matrix_link`);
			expect(content[0].uri).toBe(`${target}+test://static-text`);
			const { contents } = await peer.use('resources/read', { uri: content[0].uri });
			expect(contents).toMatchObject([{ uri: content[0].uri, mimeType: 'text/plain' }]);
			const embedded = await call(`${target}_test_embedded_resource`);
			expect(embedded.content[0].resource.uri).toBe(`${target}+test://embedded-resource`);
			const one = await peer.use('resources/read', { uri: `${target}+test://template/7/data` });
			expect(JSON.parse(one.contents[0].text)).toMatchObject({ id: '7' });
		}
		const { resourceTemplates } = await peer.use('resources/templates/list');
		expect(resourceTemplates.map((one: Loose) => one.uriTemplate)).toEqual([
			'old+test://template/{id}/data',
			'new+test://template/{id}/data',
		]);
	});

	test('prompts of both, with completion', async () => {
		const prompts = await names('prompts');
		for (const target of ['old', 'new']) {
			const name = `${target}_test_prompt_with_embedded_resource`;
			expect(prompts).toContain(name);
			const { messages } = await peer.use('prompts/get', { name, arguments: { resourceUri: 'test://static-text' } });
			expect(messages[0].content.resource.uri).toBe(`${target}+test://static-text`);
			const argument = { name: 'resourceUri', value: 'park' };
			const found = await peer.use('completion/complete', { ref: { type: 'ref/prompt', name }, argument });
			expect(found.completion.values).toEqual(['park']);
			const template = { type: 'ref/resource', uri: `${target}+test://template/{id}/data` };
			const other = await peer.use('completion/complete', { ref: template, argument: { name: 'id', value: 'part' } });
			expect(other.completion.values).toEqual(['party']);
		}
	});

	test('both ask the user, the model and for roots', async () => {
		peer.answer = agree;
		for (const target of ['old', 'new']) {
			const asked = await call(`${target}_test_elicitation`, { message: target });
			expect(asked.content[0].text).toContain('"username":"Ada"');
			expect((await call(`${target}_test_sampling`, { prompt: target })).content[0].text).toContain(`about ${target}`);
			const roots = await call(`${target}_test_input_required_result_list_roots`);
			expect(roots.content[0].text).toBe('Roots: file:///matrix');
		}
	});

	test('both are watched', async () => {
		const uris = ['old+test://watched-resource', 'new+test://watched-resource'];
		const stop = await peer.watch({ lists: true, uris });
		peer.notes.length = 0;
		await call('new_test_trigger_resource_change');
		await eventually(() => {
			const updated = peer.notes.filter(({ method }) => method === 'notifications/resources/updated');
			expect(new Set(updated.map(({ params }) => params.uri as string))).toEqual(new Set(uris));
			expect(peer.notes.map(({ method }) => method)).toContain('notifications/resources/list_changed');
		});
		await stop();
	});

	test('logs and progress of both', async () => {
		if (kind.endsWith('old') || kind === 'SDK 1.32') await peer.use('logging/setLevel', { level: 'info' });
		for (const target of ['old', 'new']) {
			peer.notes.length = 0;
			await peer.use('tools/call', { name: `${target}_test_logging_tool`, arguments: {} }, { logLevel: 'info' });
			const logs = peer.notes.filter(({ method }) => method === 'notifications/message');
			expect(logs.map(({ params }) => params.data as string)).toEqual(['Logged on the way']);
			const seen: number[] = [];
			await peer.use(
				'tools/call',
				{ name: `${target}_test_tool_with_progress`, arguments: {} },
				{ onProgress: ({ progress }) => seen.push(progress) },
			);
			expect(seen).toEqual([0, 50, 100]);
		}
	});
});

test('a task is followed at the server that has it', async () => {
	const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
	const peer = await clients['raw new'].open({ url: `${gateway.url()}/mcp`, capabilities });
	const args = { seconds: 0.1, label: 'x' };
	const created = await peer.use('tools/call', { name: 'new_slow_compute', arguments: args });
	expect(created.resultType).toBe('task');
	const { taskId } = created;
	await eventually(async () => expect((await peer.use('tasks/get', { taskId })).status).toBe('completed'));
	const done = await peer.use('tasks/get', { taskId });
	expect(done).toMatchObject({ taskId, result: { content: [{ text: 'Computed x for 0.1 s' }] } });
	const unknown: unknown = await peer.use('tasks/get', { taskId: `${taskId}x` }).catch((error: unknown) => error);
	expect(unknown).toMatchObject({ code: -32602 });
	// An old server has no tasks of this form: its tool is called as usual.
	const plain = await peer.use('tools/call', { name: 'old_slow_compute', arguments: args });
	expect(plain.content[0].text).toBe('Computed x for 0.1 s');
});
