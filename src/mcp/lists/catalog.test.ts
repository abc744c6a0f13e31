import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Answer, FakeTarget } from '../../../test/support/fake-target.ts';
import { Catalog, type Lists } from './catalog.ts';
import type { ListLimits } from './collection.ts';
import { Findings } from './findings.ts';
import { listKinds } from './list-kind.ts';
import { createNaming } from '../names.ts';
import { gatewayCaller, ownCall } from '../own-call.ts';
import { Upstreams } from '../legs/upstreams.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	vi.restoreAllMocks();
	vi.useRealTimers();
	for (const close of closing.splice(0)) await close();
});

const announced = { tools: { listChanged: true }, prompts: {}, resources: {} };
const call = ownCall('tools/list', {}, gatewayCaller);

/** A server with one tool of its name, unless another answer is given. */
function server(name: string, capabilities: Record<string, unknown>, answer?: (cursor: unknown) => Answer): FakeTarget {
	return new FakeTarget(name, capabilities, (_method, params) => answer?.(params['cursor']) ?? { tools: [{ name }] });
}

/** Lists that came after they had been answered. */
const late: string[] = [];

async function catalogOf(targets: FakeTarget[], limits: ListLimits = { pages: 100, items: 10_000, bytes: 1_000_000 }) {
	const upstreams = new Upstreams({
		targets,
		caller: gatewayCaller,
		watch: { starting() {}, ready() {}, failed() {}, closed() {} },
		startTimeout: 1000,
		lanes: null,
		resume: null,
		events: { note() {}, ask() {}, joined() {}, rosterChanged() {} },
	});
	const findings = new Findings(
		() => {},
		() => {},
	);
	const catalog = new Catalog(upstreams, createNaming(targets, 'conditional'), findings, limits, (kind) =>
		late.push(kind.method),
	);
	closing.push(
		() => upstreams.close(),
		() => catalog.clear(),
	);
	await new Promise<void>((resolve) => upstreams.whenSettled(resolve));
	const get = (kind: keyof typeof listKinds = 'tools', notBefore = performance.now()) =>
		new Promise<Lists>((resolve) => catalog.lists(listKinds[kind], call, notBefore, resolve));
	return { catalog, get };
}

const names = (lists: Lists) => lists.exposed.shown.map(({ exposed }) => exposed);

/** Moves the clock on. */
function later(ms: number): void {
	const now = performance.now();
	vi.spyOn(performance, 'now').mockImplementation(() => now + ms);
}

describe('a list is asked for again', () => {
	test('never while its server announces changes and announced none', async () => {
		const one = server('a', announced);
		const { get } = await catalogOf([one]);
		await get();
		expect(names(await get())).toEqual(['a']);
		expect(one.calls).toHaveLength(1);
	});

	test('after a minute all the same', async () => {
		const one = server('a', announced);
		const { get } = await catalogOf([one]);
		await get();
		later(61_000);
		await get();
		expect(one.calls).toHaveLength(2);
	});

	test('each time when its server announces none', async () => {
		const one = server('a', { tools: {} });
		const { get } = await catalogOf([one]);
		await get();
		await get();
		expect(one.calls).toHaveLength(2);
	});

	test('once its time is over', async () => {
		const one = server('a', { tools: {} }, () => ({ tools: [], ttlMs: 5000 }));
		const { get } = await catalogOf([one]);
		await get();
		later(4000);
		await get();
		expect(one.calls).toHaveLength(1);
		later(6000);
		await get();
		expect(one.calls).toHaveLength(2);
	});

	test('when its own server says that it changed', async () => {
		const [one, two] = [server('a', announced), server('b', announced)];
		const { catalog, get } = await catalogOf([one, two]);
		await get();
		catalog.noted('a', 'notifications/prompts/list_changed');
		catalog.noted('a', 'notifications/resources/updated');
		await get();
		catalog.noted('a', 'notifications/tools/list_changed');
		expect(catalog.known(listKinds.tools)).toBeNull();
		await get();
		expect([one.calls.length, two.calls.length]).toEqual([2, 1]);
	});

	test('when it changed while it was on its way', async () => {
		const one = server('a', announced);
		const { catalog, get } = await catalogOf([one]);
		const first = get();
		catalog.noted('a', 'notifications/tools/list_changed');
		expect(names(await first)).toEqual(['a']);
		expect(catalog.known(listKinds.tools)).toBeNull();
		await get();
		expect(catalog.known(listKinds.tools)).not.toBeNull();
		expect(one.calls).toHaveLength(2);
	});

	test('when the session behind the connection is another', async () => {
		const one = server('a', announced);
		const { catalog, get } = await catalogOf([one]);
		await get();
		catalog.forget('a');
		await get();
		expect(one.calls).toHaveLength(2);
	});
});

test('who asks at the same time shares one answer, and only the last to leave takes it back', async () => {
	const one = server('a', { tools: {} });
	const { get } = await catalogOf([one]);
	const both = await Promise.all([get(), get()]);
	expect(both.map(names)).toEqual([['a'], ['a']]);
	expect(one.calls).toHaveLength(1);

	const silent = server('s', announced, () => 'never');
	const { catalog } = await catalogOf([silent]);
	const tickets = [1, 2].map(() => catalog.lists(listKinds.tools, call, 0, () => {}));
	tickets[0]?.cancel();
	expect(silent.cancelled).toBe(0);
	tickets[1]?.cancel();
	tickets[1]?.cancel();
	expect(silent.cancelled).toBe(1);
	catalog.lists(listKinds.tools, call, 0, () => {});
	expect(silent.calls).toHaveLength(2);
});

test('what is known is known without asking, while a target that fails its list is left out', async () => {
	const broken = server('b', announced, () => ({ error: { code: -32000, message: 'broken', data: null } }));
	const { catalog, get } = await catalogOf([server('a', { tools: {} }), broken]);
	expect(catalog.known(listKinds.tools)).toBeNull();
	const lists = await get();
	expect(lists.errors).toMatchObject([{ message: 'broken', target: 'b' }]);
	expect(catalog.known(listKinds.tools)?.find('a_a')).not.toBeNull();
	expect(broken.calls).toHaveLength(1);
});

test('a server that does not answer is left out after a while, and asked again the next time', async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
	const silent = server('s', announced, () => 'never');
	const { get } = await catalogOf([server('a', announced), silent]);
	const lists = get();
	await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
	vi.advanceTimersByTime(30_000);
	vi.useRealTimers();
	expect((await lists).late).toEqual(['s']);
	expect(names(await lists)).toEqual(['a_a']);
	expect(silent.cancelled).toBe(1);
	void get();
	expect(silent.calls).toHaveLength(2);
});

test('a server is not asked for what it does not offer', async () => {
	const one = server('a', { prompts: {}, tasks: {} });
	const { get } = await catalogOf([one]);
	await get();
	await get('tasks');
	expect(one.calls).toEqual([]);
});

describe('a list is cut', () => {
	const page = (at: number, next: string | undefined) => ({ tools: [{ name: `t${at}` }], nextCursor: next });
	const cutOf = async (answer: (cursor: unknown) => Answer, limits?: ListLimits) => {
		const one = server('a', announced, answer);
		const lists = await (await catalogOf([one], limits)).get();
		return { items: lists.parts[0]?.items.length, cut: lists.parts[0]?.cut, calls: one.calls.length };
	};

	test('when it has no end', async () => {
		const cut = await cutOf((cursor) => page(Number(cursor ?? 0), String(Number(cursor ?? 0) + 1)));
		expect(cut).toEqual({ items: 100, cut: 'it has more than 100 pages', calls: 100 });
	});
	test('when it goes round', async () => {
		const cut = await cutOf((cursor) => page(cursor === '0' ? 0 : 1, cursor === '0' ? '1' : '0'));
		expect(cut).toEqual({ items: 2, cut: 'the cursor "0" came twice', calls: 3 });
	});
	test('when it has too many items', async () => {
		const many = { tools: Array.from({ length: 11 }, (_, index) => ({ name: `t${index}` })) };
		expect(await cutOf(() => many, { pages: 3, items: 10, bytes: 9999 })).toMatchObject({
			items: 10,
			cut: 'it has more than 10 items',
		});
	});
	test('when it is too long', async () => {
		const cut = await cutOf((cursor) => page(Number(cursor ?? 0), String(Number(cursor ?? 0) + 1)), {
			...{ pages: 100, items: 100, bytes: 100 },
		});
		expect(cut).toEqual({ items: 3, cut: 'it has more than 100 bytes', calls: 3 });
	});
	test('and not at an empty cursor, nor where an item comes twice', async () => {
		const cut = await cutOf((cursor) => (cursor === '' ? page(1, undefined) : page(cursor === undefined ? 0 : 7, '')));
		expect(cut).toEqual({ items: 2, cut: null, calls: 2 });
		expect(await cutOf(() => ({ tools: [{ name: 'x' }, { name: 'x' }, {}, { name: 1 }] }))).toMatchObject({ items: 1 });
	});
});

describe('a server that takes longer than a list may', () => {
	/** A server whose answers come after a time. */
	function slowServer(name: string, ms: () => number, tools: () => string[]): FakeTarget {
		return new FakeTarget(name, { tools: {} }, (_method, _params, sink) => {
			const text = Buffer.from(JSON.stringify({ tools: tools().map((tool) => ({ name: tool })) }));
			setTimeout(() => sink.done({ text, type: 'complete', stamped: false }), ms());
			return 'never';
		});
	}

	/** Lets what is under way come to its end, in the time of the test. */
	async function pass(ms: number): Promise<void> {
		await vi.advanceTimersByTimeAsync(ms);
	}

	test('is left out, told of when it answers, and from then on known by what it had', async () => {
		late.length = 0;
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
		let tools = ['x'];
		const { get } = await catalogOf([
			server('a', announced),
			slowServer(
				'b',
				() => 3000,
				() => tools,
			),
		]);
		const first = get();
		await pass(1999);
		await pass(2);
		const lists = await first;
		expect([names(lists), lists.late, lists.whole]).toEqual([['a_a'], ['b'], false]);
		expect(late).toEqual([]);
		await pass(1000);
		expect(late).toEqual(['tools/list']);
		// Asked again, it does not make anybody wait; nothing is told that is not new.
		expect(names(await get())).toEqual(['a_a', 'b_x']);
		await pass(3100);
		expect(late).toHaveLength(1);
		tools = ['x', 'y'];
		expect(names(await get())).toEqual(['a_a', 'b_x']);
		await pass(3100);
		expect(late).toHaveLength(2);
		expect(names(await get())).toEqual(['a_a', 'b_x', 'b_y']);
	});

	test('that was quick before is shown as it was', async () => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
		let ms = 10;
		const { get } = await catalogOf([
			server('a', announced),
			slowServer(
				'b',
				() => ms,
				() => ['x'],
			),
		]);
		const quick = get();
		await pass(20);
		expect(names(await quick)).toEqual(['a_a', 'b_x']);
		ms = 30_000;
		const slow = get();
		await pass(2001);
		expect(names(await slow)).toEqual(['a_a', 'b_x']);
	});
});
