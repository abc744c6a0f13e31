import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as forms from '../fixtures/bytes/forms.mjs';
import { type FixtureServer, startFixture } from '../support/fixture-server.ts';
import { root, type RunningGateway, runGateway } from '../support/gateway.ts';
import { WireClient } from '../support/wire-client.ts';

const toolCount = 300;
/** 300 tools make seven pages. */
const flags = ['--tools', String(toolCount), '--page', '43'];

/** What is behind one address of the gateway. */
interface Endpoint {
	upstream: 'legacy' | 'modern';
	transport: 'HTTP' | 'stdio';
	targets: readonly string[];
}

const endpoints: Endpoint[] = (['legacy', 'modern'] as const).flatMap((upstream) =>
	(['HTTP', 'stdio'] as const).flatMap((transport) =>
		[['one'], ['one', 'two']].map((targets) => ({ upstream, transport, targets })),
	),
);

const servers = new Map<string, FixtureServer>();
let gateway: RunningGateway;

beforeAll(async () => {
	for (const era of ['legacy', 'modern']) {
		servers.set(era, await startFixture('bytes/server.mjs', '--http', '0', '--era', era, ...flags));
	}
	const target = ({ upstream, transport }: Endpoint, name: string) => {
		if (transport === 'HTTP') return { name, mcp: { host: servers.get(upstream)?.url } };
		const args = [join(root, 'test/fixtures/bytes/server.mjs'), '--era', upstream, ...flags];
		return { name, stdio: { cmd: process.execPath, args } };
	};
	const binds = endpoints.map((endpoint) => {
		const mcp = { targets: endpoint.targets.map((name) => target(endpoint, name)) };
		return { port: 0, listeners: [{ routes: [{ backends: [{ mcp }] }] }] };
	});
	// JSON is YAML.
	gateway = await runGateway(JSON.stringify({ config: { mcp: { targetStartTimeout: '10s' } }, binds }));
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	for (const server of servers.values()) await server.stop();
});

for (const era of ['legacy', 'modern'] as const) {
	for (const [number, endpoint] of endpoints.entries()) {
		const { upstream, transport, targets } = endpoint;
		const words = { legacy: 'old', modern: 'new' };
		const name = `${words[era]} client, ${words[upstream]} server over ${transport}, ${targets.length} target(s)`;
		describe(name, () => suite(era, targets, () => `${gateway.url(number)}/mcp`));
	}
}

function suite(era: 'legacy' | 'modern', targets: readonly string[], url: () => string): void {
	const several = targets.length > 1;
	/** A name and a URI as the client knows it. */
	const named = (name: string, target = targets[0]) => (several ? `${target}_${name}` : name);
	const wrapped = (uri: string, target = targets[0]) => (several ? `${target}+${uri}` : uri);
	const onAll = (text: (target: string) => string) => targets.map(text).join(',');
	let client: WireClient;
	const notes: string[] = [];

	beforeAll(async () => {
		client = await WireClient.open(url(), era, { onNote: (_message, text) => notes.push(text) });
	});
	afterAll(async () => {
		if (era === 'legacy') await client.end();
	});

	const call = (name: string, rest = '') =>
		client.request('tools/call', `{"name":"${named(name)}"${rest === '' ? '' : `,${rest}`}}`);

	test(`${toolCount} tools on seven pages of each target: all, in order, each as it was`, async () => {
		const pages: string[] = [];
		let cursor: string | undefined;
		do {
			const { text, message } = await client.request(
				'tools/list',
				cursor === undefined ? '{}' : JSON.stringify({ cursor }),
			);
			pages.push(arrayIn(text, '"tools":['));
			cursor = message.result?.nextCursor;
			expect(pages.length).toBeLessThan(20);
		} while (cursor !== undefined);
		const expected = onAll((target) =>
			Array.from({ length: toolCount }, (_, n) =>
				forms.tool(`t${n}`).replace(`"name":"t${n}"`, `"name":"${named(`t${n}`, target)}"`),
			).join(','),
		);
		expectBytes(pages.join(','), expected);
	});

	test('prompts, resources and templates as they were', async () => {
		const prompts = (await client.request('prompts/list')).text;
		expectBytes(
			arrayIn(prompts, '"prompts":['),
			onAll((target) => forms.prompt.replace('"name":"p"', `"name":"${named('p', target)}"`)),
		);
		const resources = (await client.request('resources/list')).text;
		expectBytes(
			arrayIn(resources, '"resources":['),
			onAll((target) => forms.resource.replace('bytes://r', wrapped('bytes://r', target))),
		);
		const templates = (await client.request('resources/templates/list')).text;
		expectBytes(
			arrayIn(templates, '"resourceTemplates":['),
			onAll((target) => forms.template.replace('bytes://t', wrapped('bytes://t', target))),
		);
	});

	test('the result of a tool', async () => {
		expect((await call('odd')).text).toContain(forms.toolResult);
	});

	test('what a tool is called with', async () => {
		const args = `{"n":9007199254740993,"m":1e400,"s":"\\u0041\\n\u2028",${forms.odd}}`;
		const meta = `"example.com/x":{${forms.odd}},"y":1.0`;
		const params = `{"name":"${named('seen')}","arguments":${args},${forms.odd}}`;
		const reply = await client.request('tools/call', params, { meta });
		const seen = reply.message.result?.content?.[0]?.text as string;
		expectBytes(seen.slice(seen.indexOf('"arguments"')), `"arguments":${args},${forms.odd}}`);
		expect(seen).toContain(`"example.com/x":{${forms.odd}}`);
		expect(seen).toContain('"y":1.0');
		expect(seen).toContain('"name":"seen"');
	});

	test('line breaks outside strings become spaces, and nothing else changes', async () => {
		const args = '{ "a" :\n[ 1.0 ,\r\n2E0 ],\t"b": "x\\ny" }';
		const reply = await call('seen', `"arguments":${args}`);
		expect(reply.message.result?.content?.[0]?.text).toContain(`"arguments":${args.replace(/[\r\n]/g, ' ')}`);
	});

	test('progress on the way', async () => {
		notes.length = 0;
		await client.request('tools/call', `{"name":"${named('noisy')}"}`, { meta: '"progressToken":"a \\u0062"' });
		expect(notes.filter((text) => text.includes('progress'))).toHaveLength(1);
		expect(notes[0]).toContain(`"progressToken":"a \\u0062","progress":0.50,"total":1e400,${forms.odd}`);
	});

	test('errors, with their data', async () => {
		const { text } = await call('refuse');
		expect(text).toContain('"code":-31999');
		expect(text).toContain('"message":"refused"');
		expect(text).toContain(`"data":${forms.errorData}`);
	});

	test('a result of a megabyte', async () => {
		const { message } = await call('big');
		expect(message.result?.content?.[0]?.text === forms.bigText).toBe(true);
	});

	test('arguments of a megabyte', async () => {
		const { message } = await call('seen', `"arguments":{"big":"${forms.bigText}"}`);
		const seen = message.result?.content?.[0]?.text as string;
		expect(seen.includes(`{"big":"${forms.bigText}"}`)).toBe(true);
	});

	test('a prompt, a resource, a completion', async () => {
		expect((await client.request('prompts/get', `{"name":"${named('p')}"}`)).text).toContain(forms.promptResult);
		const uri = wrapped('bytes://r?a=%20');
		expect((await client.request('resources/read', `{"uri":"${uri}"}`)).text).toContain(forms.readResult(uri));
		const ref = `{"ref":{"type":"ref/prompt","name":"${named('p')}"},"argument":{"name":"a","value":""}}`;
		expect((await client.request('completion/complete', ref)).text).toContain(forms.completion);
	});

	// What several servers say beside their lists cannot be one object, and who is to answer an unknown method is open.
	if (several) return;

	test('unknown members of list results', async () => {
		for (const method of ['prompts/list', 'resources/list', 'resources/templates/list']) {
			expect((await client.request(method)).text, method).toContain(`],${forms.odd}`);
		}
	});

	test('a method that no version of the protocol knows', async () => {
		const { text, message } = await client.request('vendor/seen', `{"x":{${forms.odd}}}`);
		expect(message.result?.seen).toContain(`"x":{${forms.odd}}`);
		expect(text).toContain(forms.odd);
	});
}

/** The items of the first array that begins so, as text. */
function arrayIn(text: string, beginning: string): string {
	const start = text.indexOf(beginning);
	if (start === -1) throw new Error(`no ${beginning} in ${text.slice(0, 300)}`);
	let depth = 0;
	let quoted = false;
	for (let at = start + beginning.length; at < text.length; at++) {
		const char = text[at];
		if (quoted) {
			if (char === '\\') at++;
			else if (char === '"') quoted = false;
		} else if (char === '"') quoted = true;
		else if (char === '{' || char === '[') depth++;
		else if (char === '}' || (char === ']' && depth > 0)) depth--;
		else if (char === ']') return text.slice(start + beginning.length, at);
	}
	throw new Error(`no end of ${beginning}`);
}

/** Compares long texts; shows where they part. */
function expectBytes(found: string, expected: string): void {
	if (found === expected) return;
	let at = 0;
	while (found[at] === expected[at]) at++;
	const around = (text: string) => text.slice(Math.max(0, at - 80), at + 160);
	expect(`length ${found.length} at ${at}: ${around(found)}`).toBe(
		`length ${expected.length} at ${at}: ${around(expected)}`,
	);
}
