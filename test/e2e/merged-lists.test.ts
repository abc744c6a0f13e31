import { describe, expect, test } from 'vitest';
import { answer, behind, client, eras, error, result, serve } from '../support/many-servers.ts';
import { targetOf } from '../support/state.ts';

const names = (count: number, start = 0) => Array.from({ length: count }, (_, index) => `tool_${start + index}`);

describe.each(eras)('a %s client', (era) => {
	test('reads 300 tools over 7 pages of each of two servers as one list, and calls the last', async () => {
		const servers = await Promise.all(eras.map((one) => serve({ eras: [one], tools: names(300), pageSize: 43 })));
		const gateway = await behind(servers);
		const one = await client(era, gateway);
		const expected = ['a', 'b'].flatMap((target) => names(300).map((name) => `${target}_${name}`));
		expect(await one.toolNames()).toEqual(expected);
		for (const server of servers)
			expect(new Set(server.of('tools/list').map(({ params }) => params['cursor'])).size).toBe(7);
		expect(await one.tool('b_tool_299')).toContain('"name":"tool_299"');
	});

	test('gets items as their servers wrote them, but for their names', async () => {
		const items = (name: string) =>
			`{"vendor":{"n":12345678901234567890,"e":1e400, "x":"\\u00e9"},"name":"${name}","inputSchema":{"type":"object"},` +
			`"icons":[{"src":"ui://icon"}],"_meta":{"io.x/y":1.0}}`;
		const servers = await Promise.all([serve({ eras: ['legacy'] }), serve({ eras: ['modern'] })]);
		for (const server of servers) answer(server, 'tools/list', () => `{"tools":[${items('one')}]}`);
		const one = await client(era, await behind(servers));
		const { text } = await one.request('tools/list', '{}');
		expect(text).toContain(`"tools":[${items('a_one')},${items('b_one')}]`);
	});

	test('pages through a list of more than a thousand items', async () => {
		const servers = await Promise.all([
			serve({ eras: ['legacy'], tools: names(1300) }),
			serve({ eras: ['modern'], tools: names(900) }),
		]);
		const one = await client(era, await behind(servers));
		const seen: string[] = [];
		const sizes: number[] = [];
		let cursor: unknown;
		do {
			const page = await result(one, 'tools/list', cursor === undefined ? {} : { cursor });
			const tools = page['tools'] as { name: string }[];
			sizes.push(tools.length);
			seen.push(...tools.map(({ name }) => name));
			cursor = page['nextCursor'];
		} while (cursor !== undefined);
		expect(sizes).toEqual([1000, 1000, 200]);
		expect(seen).toEqual([...names(1300).map((name) => `a_${name}`), ...names(900).map((name) => `b_${name}`)]);
		expect(await error(one, 'tools/list', { cursor: 'AAAA' })).toMatchObject({ code: -32602 });
		expect(await error(one, 'tools/list', { cursor: 7 })).toMatchObject({ code: -32602 });
	});

	test('gets what an endless and a looping server give before they are cut', async () => {
		const endless = await serve({ eras: ['legacy'] });
		answer(endless, 'tools/list', ({ cursor }) => {
			const at = Number(cursor ?? 0);
			return { tools: [{ name: `t${at}`, inputSchema: { type: 'object' } }], nextCursor: String(at + 1) };
		});
		const looping = await serve({ eras: ['modern'], pageSize: 1, tools: ['l'], looping: true });
		const gateway = await behind([endless, looping]);
		const one = await client(era, gateway);
		const tools = await one.toolNames();
		expect(tools).toHaveLength(101);
		expect(tools.at(-1)).toBe('b_l');
		await gateway.waitFor(/target \\?"a\\?": tools\/list was cut: it has more than 100 pages/);
		await gateway.waitFor(/target \\?"b\\?": tools\/list was cut: the cursor \S+ came twice/);
	}, 20_000);
});

test('a single server pages itself, and an empty cursor reaches it', async () => {
	const server = await serve({ eras: ['legacy'], tools: ['x', 'y'], pageSize: 1 });
	const one = await client('legacy', await behind([server]));
	expect(await result(one, 'tools/list', {})).toMatchObject({ tools: [{ name: 'x' }], nextCursor: '1' });
	await result(one, 'tools/list', { cursor: '' });
	expect(server.of('tools/list').at(-1)?.params).toMatchObject({ cursor: '' });
});

test('an empty cursor of one of several servers is followed', async () => {
	const servers = await Promise.all([serve({ eras: ['legacy'] }), serve({ eras: ['legacy'] })]);
	answer(servers[0], 'tools/list', ({ cursor }) =>
		cursor === '' ? { tools: [{ name: 'second' }] } : { tools: [{ name: 'first' }], nextCursor: '' },
	);
	const one = await client('legacy', await behind(servers));
	expect((await one.toolNames()).slice(0, 2)).toEqual(['a_first', 'a_second']);
});

describe('without prefixes', () => {
	test('calls are answered from the catalogue, which a change of a list renews', async () => {
		const servers = await Promise.all([
			serve({ eras: ['legacy'], tools: ['t0', 'both'] }),
			serve({ eras: ['modern'], tools: ['t1', 'both'] }),
		]);
		const gateway = await behind(servers, { backend: ['prefixMode: never'] });
		const one = await client('legacy', gateway);
		expect(await one.tool('t1')).toContain('"name":"t1"');
		const asked = servers.map((server) => server.of('tools/list').length);
		for (let at = 0; at < 10; at++) await one.tool(`t${at % 2}`);
		expect(await one.toolNames()).toEqual(['t0', 't1']);
		expect(servers.map((server) => server.of('tools/list').length)).toEqual(asked);

		servers[0].tools = ['t0', 'new'];
		servers[0].toolsChanged();
		await expect.poll(() => one.toolNames()).toEqual(['t0', 'new', 't1', 'both']);
		expect(await one.tool('new')).toContain('"name":"new"');
		expect(servers[1].of('tools/list').length).toBe(asked[1]);
	});

	test('what two servers serve is hidden, told once in the log and in the state, and unknown with both named', async () => {
		const servers = await Promise.all([
			serve({ eras: ['legacy'], tools: ['both', 'x'] }),
			serve({ eras: ['modern'], tools: ['both'] }),
		]);
		const gateway = await behind(servers, { backend: ['prefixMode: never'] });
		// Before any client comes.
		await expect
			.poll(async () => (await targetOf(gateway, 'a')).hidden)
			.toContainEqual({
				list: 'tools',
				name: 'both',
				reason: 'also served by "b" under the same name',
			});
		const one = await client('modern', gateway);
		expect(await one.toolNames()).toEqual(['x']);
		expect(await error(one, 'tools/call', { name: 'both', arguments: {} })).toEqual({
			code: -32602,
			message: 'Unknown tool: both; "a" and "b" both serve it, so it is hidden',
		});
		expect(await error(one, 'tools/call', { name: 'none', arguments: {} })).toMatchObject({
			message: 'Unknown tool: none',
		});
		const told = gateway.log().match(/tool \\?"both\\?" is served by/g);
		expect(told).toHaveLength(1);
		// One of them gives the name up.
		servers[1].tools = ['other'];
		servers[1].toolsChanged();
		await expect.poll(() => one.toolNames()).toEqual(['both', 'x', 'other']);
		expect(await one.tool('both')).toContain('"name":"both"');
		expect((await targetOf(gateway, 'a')).hidden.filter(({ list }) => list === 'tools')).toEqual([]);
	}, 20_000);
});

describe('how long a merged list holds', () => {
	const modern = async (ttl: unknown, cacheScope: unknown) => {
		const server = await serve({ eras: ['modern'], capabilities: { tools: {} } });
		answer(server, 'tools/list', () => ({ resultType: 'complete', tools: [], ttlMs: ttl, cacheScope }));
		return server;
	};

	test('is what the first part to end has left, for everybody only if all parts are', async () => {
		const servers = await Promise.all([modern(60_000, 'public'), modern(5000, 'public')]);
		const one = await client('modern', await behind(servers));
		const first = await result(one, 'tools/list', {});
		expect(first).toMatchObject({ resultType: 'complete', cacheScope: 'public' });
		expect(first['ttlMs']).toBeGreaterThan(4000);
		await new Promise((resolve) => setTimeout(resolve, 50));
		const second = await result(one, 'tools/list', {});
		expect(second['ttlMs']).toBeLessThanOrEqual(Number(first['ttlMs']) - 40);
		expect(servers.map((server) => server.of('tools/list').length)).toEqual([2, 2]);
	});

	test('is nothing where a part does not say', async () => {
		const quiet = await serve({ eras: ['legacy'], capabilities: { tools: {} } });
		const one = await client('modern', await behind([await modern(60_000, 'public'), quiet]));
		expect(await result(one, 'tools/list', {})).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
	});

	test('is private where a part is, and nothing that old clients read', async () => {
		const gateway = await behind([await modern(9000, 'private'), await modern(9000, 'public')]);
		expect(await result(await client('modern', gateway), 'tools/list', {})).toMatchObject({ cacheScope: 'private' });
		expect(await result(await client('legacy', gateway), 'tools/list', {})).toEqual({ tools: [] });
	});
});
