import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayFor, stdioTarget } from './backends.ts';
import { capabilitiesKey, type Loose, modern, send, Session, stream } from './wire.ts';

let gateway: RunningGateway;
const single = 0;
const pair = 1;

beforeAll(async () => {
	const target = (name: string) => stdioTarget(name, conformanceServer, '--era', 'modern');
	gateway = await gatewayFor([{ targets: [target('a')] }, { targets: [target('a'), target('b')] }]);
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;
const meta = { [capabilitiesKey]: { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } } };
const use = async (bind: number, method: string, params: object) =>
	(await send(at(bind), modern(method, params, meta))).last;

describe.each([
	['one target', single, '', /^[0-9a-f-]{36}$/],
	['several targets', pair, 'b_', /^b\+[0-9a-f-]{36}$/],
] as const)('tasks of %s', (_name, bind, prefix, idForm) => {
	const start = async (name: string, args: object): Promise<string> => {
		const { result } = await use(bind, 'tools/call', { name: `${prefix}${name}`, arguments: args });
		expect(result).toMatchObject({ resultType: 'task', status: expect.stringMatching(/^(working|input_required)$/) });
		expect(result.taskId).toMatch(idForm);
		return result.taskId;
	};

	test('are got, cancelled, and got again', async () => {
		const taskId = await start('slow_compute', { seconds: 60 });
		expect((await use(bind, 'tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'working' });
		expect((await use(bind, 'tasks/cancel', { taskId })).error).toBeUndefined();
		expect((await use(bind, 'tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'cancelled' });
	});

	test('end in their result', async () => {
		const taskId = await start('slow_compute', { seconds: 0.2, label: 'x' });
		await expect
			.poll(async () => (await use(bind, 'tasks/get', { taskId })).result, { timeout: 5000 })
			.toMatchObject({ status: 'completed', result: { content: [{ text: 'Computed x for 0.2 s' }] } });
	});

	test('are told of to who listens', async () => {
		const taskId = await start('slow_compute', { seconds: 60 });
		const filter = modern('subscriptions/listen', { notifications: { taskIds: [taskId, 'nothing'] } }, meta);
		const listening = await stream(at(bind), filter);
		await expect.poll(() => listening.seen[0]?.params.notifications).toEqual({ taskIds: [taskId] });
		await use(bind, 'tasks/cancel', { taskId });
		await expect.poll(() => listening.seen[1]?.params).toMatchObject({ taskId, status: 'cancelled' });
		listening.close();
	});

	test('ask, and are answered by tasks/update', async () => {
		const taskId = await start('confirm_delete', { filename: 'f' });
		let task: Loose;
		await expect
			.poll(async () => (task = (await use(bind, 'tasks/get', { taskId })).result).status)
			.toBe('input_required');
		const [key] = Object.keys(task.inputRequests);
		const inputResponses = { [key ?? '']: { action: 'accept', content: { confirm: true } } };
		expect((await use(bind, 'tasks/update', { taskId, inputResponses })).error).toBeUndefined();
		await expect
			.poll(async () => (await use(bind, 'tasks/get', { taskId })).result.result?.content[0].text)
			.toBe('Deleted f');
	});

	test('that nobody knows are refused', async () => {
		const unknown = bind === single ? ['nothing', 'a+1'] : ['nothing', 'c+1', 'b+nothing', '+1'];
		for (const taskId of unknown)
			for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update'])
				expect((await use(bind, method, { taskId, inputResponses: {} })).error, taskId).toMatchObject({ code: -32602 });
	});

	test('are no tasks for old clients: the call waits for its end', async () => {
		const session = await Session.open(at(bind));
		expect(JSON.stringify(session.greeting.capabilities)).not.toContain('tasks');
		const params = { name: `${prefix}slow_compute`, arguments: { seconds: 0.2 } };
		expect((await session.result('tools/call', params)).content[0].text).toBe('Computed  for 0.2 s');
		await session.end();
	});
});

test('a task of one server is none of another', async () => {
	const { result } = await use(pair, 'tools/call', { name: 'b_slow_compute', arguments: { seconds: 60 } });
	const taskId = result.taskId.replace('b+', 'a+');
	expect((await use(pair, 'tasks/get', { taskId })).error).toMatchObject({ code: -32602 });
	expect((await use(pair, 'tasks/cancel', { taskId: result.taskId })).error).toBeUndefined();
});
