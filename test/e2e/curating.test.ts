import { describe, expect, test } from 'vitest';
import { answer, behind, client, eras, error, result, serve } from '../support/many-servers.ts';
import { targetOf } from '../support/state.ts';

const tools = ['read_file', 'read_media', 'list_directory', 'write_file', 'ls'];
const rules =
	'tools: { include: ["read_*", "list_directory", ls], exclude: ["*media"], rename: { list_directory: ls }, describe: { list_directory: "Names of files." } }';

interface Listed {
	name: string;
	description?: string;
	uri?: string;
	uriTemplate?: string;
}

async function listed(one: Awaited<ReturnType<typeof client>>, list: string, field = list): Promise<Listed[]> {
	return (await result(one, `${list}/list`, {}))[field] as Listed[];
}

describe.each([
	['one target', 1, ''],
	['two targets', 2, 'a_'],
	['two targets without prefixes', 2, ''],
] as const)('tools of %s', (_title, count, prefix) => {
	test.each(eras)('are shown, named and described to a %s client as the configuration says', async (era) => {
		const server = await serve({ eras: ['legacy', 'modern'], tools });
		const others = count === 1 ? [] : [await serve({ eras: ['modern'], tools: ['write_file'] })];
		const gateway = await behind([server, ...others], {
			targets: [[rules]],
			backend: count === 2 && prefix === '' ? ['prefixMode: never'] : [],
		});
		const one = await client(era, gateway);
		const shown = (await listed(one, 'tools')).filter(({ name }) => !/^(b_)?write_file$/.test(name));
		expect(shown).toEqual([
			{ name: `${prefix}read_file`, inputSchema: { type: 'object' } },
			{ description: 'Names of files.', name: `${prefix}ls`, inputSchema: { type: 'object' } },
		]);
		expect(await one.tool(`${prefix}ls`)).toContain('"name":"list_directory"');
		expect(server.of('tools/call')[0]?.headers['mcp-name']).toBe(era === 'modern' ? 'list_directory' : undefined);
		for (const name of ['read_media', ...(count === 2 && prefix === '' ? [] : ['write_file'])]) {
			expect(await error(one, 'tools/call', { name: `${prefix}${name}`, arguments: {} })).toEqual({
				code: -32602,
				message: `Unknown tool: ${prefix}${name}`,
			});
		}
		expect(server.of('tools/call')).toHaveLength(1);
		// The log says what the client is not told.
		await gateway.waitFor(/error="tool \\"read_media\\" is hidden: tools.exclude names it"/);
		const { hidden } = await targetOf(gateway, 'a');
		expect(hidden.filter(({ list }) => list === 'tools')).toEqual([
			{ list: 'tools', name: 'read_media', reason: 'tools.exclude names it' },
			{ list: 'tools', name: 'write_file', reason: 'tools.include does not name it' },
			{ list: 'tools', name: 'ls', reason: 'tools.rename gives its name to "list_directory"' },
		]);
		await gateway.waitFor(
			/tools\.rename gives the name \\?"ls\\?" to \\?"list_directory\\?"; the server's own \\?"ls\\?" is hidden/,
		);
	});
});

test('a curated single target is still itself: its name, its capabilities, its vendor methods', async () => {
	const server = await serve({ eras: ['legacy'], tools });
	answer(server, 'acme/do', () => ({ done: true }));
	const gateway = await behind([server], { targets: [[rules]] });
	const one = await client('modern', gateway);
	expect(await result(one, 'server/discover', {})).toMatchObject({
		_meta: { 'io.modelcontextprotocol/serverInfo': { name: 'http-fixture', version: '1.2.3' } },
	});
	expect(await result(one, 'acme/do', {})).toMatchObject({ done: true });
	expect(await result(one, 'resources/read', { uri: 'file:///x' })).toMatchObject({ contents: [{ uri: 'file:///x' }] });
});

test('prompts: excluded ones are neither listed, nor got, nor completed; renamed ones are completed by their new name', async () => {
	const server = await serve({ eras: ['legacy'] });
	const other = await serve({ eras: ['legacy'] });
	const gateway = await behind([server, other], {
		targets: [['prompts: { exclude: [part], rename: { greet: hello } }']],
	});
	const one = await client('legacy', gateway);
	expect((await listed(one, 'prompts')).map(({ name }) => name)).toEqual(['a_hello', 'b_greet', 'b_part']);
	expect(await result(one, 'prompts/get', { name: 'a_hello' })).toMatchObject({
		messages: [{ content: { text: 'prompt greet' } }],
	});
	const argument = { name: 'x', value: '' };
	expect(
		JSON.stringify(
			await result(one, 'completion/complete', { ref: { type: 'ref/prompt', name: 'a_hello' }, argument }),
		),
	).toContain('greet');
	for (const name of ['a_part', 'a_greet']) {
		expect(await error(one, 'prompts/get', { name }), name).toMatchObject({ message: `Unknown prompt: ${name}` });
		expect(await error(one, 'completion/complete', { ref: { type: 'ref/prompt', name }, argument })).toMatchObject({
			code: -32602,
		});
	}
});

test('resources: excluded ones are neither listed, nor read, nor followed, however they are spelt', async () => {
	const server = await serve({ eras: ['legacy'] });
	answer(server, 'resources/list', () => ({
		resources: [{ uri: 'file:///open/a' }, { uri: 'file:///secret/b', name: 'b' }],
	}));
	answer(server, 'resources/subscribe', () => ({}));
	const written =
		'resources: { include: ["file:///*"], exclude: ["file:///secret/*"], describe: { "file:///open/a": "The first." } }';
	const gateway = await behind([server], { targets: [[written]] });
	const one = await client('legacy', gateway);
	expect(await listed(one, 'resources')).toEqual([{ description: 'The first.', uri: 'file:///open/a' }]);
	expect((await result(one, 'resources/templates/list', {}))['resourceTemplates']).toHaveLength(1);
	await result(one, 'resources/read', { uri: 'file:///open/a' });
	const reads = server.of('resources/read').length;
	for (const uri of [
		'file:///secret/b',
		'file:///open/../secret/b',
		'file:///%73ecret/b',
		'file:///open/%2e%2e/secret/b',
		'memo:x',
	]) {
		for (const method of ['resources/read', 'resources/subscribe']) {
			expect(await error(one, method, { uri }), uri).toEqual({ code: -32602, message: `Unknown resource: ${uri}` });
		}
	}
	expect(server.of('resources/read')).toHaveLength(reads);
	expect(server.of('resources/subscribe')).toHaveLength(0);
});

test('rules that name nothing are told once the list is known', async () => {
	const server = await serve({ eras: ['legacy'], tools });
	const gateway = await behind([server], {
		targets: [['tools: { exclude: [write_fiel, "zz*"], describe: { reed_file: x } }']],
	});
	await gateway.waitFor(
		/target \\?"a\\?": tools.exclude names \\?"write_fiel\\?", which the server does not have; did you mean \\?"write_file\\?"\?/,
	);
	await gateway.waitFor(/tools.exclude names \\?"zz\*\\?", which the server does not have/);
	await gateway.waitFor(/tools.describe names \\?"reed_file\\?".* did you mean \\?"read_file\\?"\?/);
	const one = await client('legacy', gateway);
	await listed(one, 'tools');
	expect(gateway.log().match(/write_fiel/g)).toHaveLength(1);
});

describe('nameStyle: strict', () => {
	const odd = ['plain', 'a.b/c', 'x'.repeat(200), 'ends_0123abcd', 'ünï'];

	test.each(['conditional', 'never', 'single'])(
		'%s: every listed name fits and calls the tool that it stands for',
		async (mode) => {
			const server = await serve({ eras: ['legacy'], tools: odd });
			const others = mode === 'single' ? [] : [await serve({ eras: ['modern'], tools: ['a.b/c', 'other'] })];
			const gateway = await behind([server, ...others], {
				backend: ['nameStyle: strict', ...(mode === 'never' ? ['prefixMode: never'] : [])],
			});
			const one = await client('legacy', gateway);
			const names = await one.toolNames();
			const wanted = mode === 'single' ? odd : [...odd, 'a.b/c', 'other'];
			expect(names).toHaveLength(wanted.length);
			expect(new Set(names).size).toBe(names.length);
			for (const [index, name] of names.entries()) {
				expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
				expect(await one.tool(name)).toContain(`"name":"${wanted[index]}"`);
			}
			if (mode !== 'never') expect(names[0]).toBe(mode === 'single' ? 'plain' : 'a_plain');
			// A client that comes with a name from before, and nothing was listed yet.
			const again = await behind([server, ...others], {
				backend: ['nameStyle: strict', ...(mode === 'never' ? ['prefixMode: never'] : [])],
			});
			expect(await (await client('modern', again)).tool(names[1] ?? '')).toContain('"name":"a.b/c"');
		},
	);
});
