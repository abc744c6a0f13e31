import { expect, test } from 'vitest';
import { FakeTarget } from '../../test/support/fake-target.ts';
import { greet } from './greeting.ts';
import { createNaming } from './names.ts';
import { gatewayCaller } from './own-call.ts';
import { Upstreams } from './legs/upstreams.ts';

/** What a client with or without a handshake is told of servers that begin with one. */
async function capabilitiesOf(handshake: boolean, ...each: Record<string, unknown>[]): Promise<unknown> {
	const targets = each.map((own, index) => new FakeTarget('abc'[index] ?? '', own, () => 'never'));
	const upstreams = new Upstreams({
		targets,
		caller: { ...gatewayCaller, handshake },
		lanes: null,
		resume: null,
		watch: { starting() {}, ready() {}, failed() {}, closed() {} },
		startTimeout: 1000,
		events: { note() {}, ask() {}, joined() {}, rosterChanged() {} },
	});
	await new Promise<void>((resolve) => upstreams.whenSettled(resolve));
	const greeting = greet(upstreams, createNaming(targets, 'conditional'), '0');
	await upstreams.close();
	return JSON.parse(greeting.capabilities.toString());
}

test('extensions are those of all; settings stay where all agree', async () => {
	const ui = 'io.modelcontextprotocol/ui';
	const merged = await capabilitiesOf(
		true,
		{ extensions: { [ui]: { mimeTypes: ['a'] }, x: { v: 1, w: 2 } }, experimental: { e: { on: true } } },
		{ extensions: { x: { w: 2, v: 1 }, [ui]: { mimeTypes: ['b'] }, y: {} } },
		{ extensions: { [ui]: { mimeTypes: ['a'] } }, experimental: { f: {} } },
	);
	expect(merged).toEqual({
		extensions: { [ui]: {}, x: { v: 1, w: 2 }, y: {} },
		experimental: { e: { on: true }, f: {} },
	});
});

test('what one server can do with tasks, the endpoint can', async () => {
	const merged = await capabilitiesOf(
		true,
		{ tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } },
		{ tasks: { list: {}, requests: { 'acme/do': {} } }, completions: {} },
	);
	expect(merged).toEqual({
		tools: { listChanged: true },
		completions: {},
		tasks: { cancel: {}, list: {}, requests: { tools: { call: {} }, 'acme/do': {} } },
	});
});

test('tasks are not promised to who speaks of them in another form', async () => {
	const tasks = { tools: {}, tasks: { list: {} }, extensions: { 'io.modelcontextprotocol/tasks': {}, x: {} } };
	expect(await capabilitiesOf(false, tasks, { prompts: {} })).toEqual({
		tools: { listChanged: true },
		prompts: { listChanged: true },
		extensions: { x: {} },
	});
});
