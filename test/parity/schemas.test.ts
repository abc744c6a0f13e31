import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { answer } from '../support/many-servers.ts';
import { gatewayFor, httpTarget } from './backends.ts';
import { type Loose, modern, send, Session, firstOf } from './wire.ts';

let gateway: RunningGateway;
let server: HttpMcpServer;
let other: HttpMcpServer;

/** Schemas that lead back to themselves: by the root, by a definition, by two of them, by an anchor. */
const recursive = {
	root: { type: 'object', properties: { next: { $ref: '#' }, n: { const: 1.5 } } },
	definition: {
		type: 'object',
		$defs: { node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } } } },
		properties: { tree: { $ref: '#/$defs/node' } },
	},
	mutual: {
		type: 'object',
		$defs: {
			a: { properties: { b: { $ref: '#/$defs/b' } } },
			b: { properties: { a: { $ref: '#/$defs/a' }, x: { anyOf: [{ $ref: '#' }, true] } } },
		},
		additionalProperties: { $ref: '#/$defs/a' },
	},
	anchor: { $id: 'https://example.com/s', $dynamicAnchor: 'node', type: 'object', items: { $dynamicRef: '#node' } },
};

const tools = Object.entries(recursive).map(([name, inputSchema]) => ({ name, inputSchema }));
/** Its result is an array of arrays of arrays … */
const nested = {
	name: 'nested',
	inputSchema: { type: 'object' },
	outputSchema: { type: 'array', items: { $ref: '#' } },
};

beforeAll(async () => {
	server = await HttpMcpServer.start({ eras: ['modern'] });
	other = await HttpMcpServer.start({ eras: ['legacy'] });
	answer(server, 'tools/list', () => ({ resultType: 'complete', tools: [...tools, nested] }));
	answer(server, 'tools/call', () => ({ resultType: 'complete', content: [], structuredContent: [[[]], []] }));
	const targets = [httpTarget('a', server.url), httpTarget('b', other.url)];
	gateway = await gatewayFor([{ targets: targets.slice(0, 1) }, { targets }]);
});
afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([server.close(), other.close()]);
});

const at = (bind: number) => `${gateway.url(bind)}/mcp`;

describe.each([
	['one target', 0, '', test],
	['several', 1, 'a_', test],
] as const)('schemas that lead back to themselves, of %s', (_name, bind, prefix, testResult) => {
	const expected = tools.map(({ name, inputSchema }) => ({ name: `${prefix}${name}`, inputSchema }));

	test('reach a new client as they are', async () => {
		const { last } = await send(at(bind), modern('tools/list'));
		const all = [...expected, { ...nested, name: `${prefix}nested` }];
		expect(last.result.tools.slice(0, all.length)).toEqual(all);
	});

	testResult('reach an old client, that of a result in an object, within which it leads back to the same', async () => {
		const session = await Session.open(at(bind));
		const listed = (await session.result('tools/list')).tools;
		expect(listed.slice(0, expected.length)).toEqual(expected);
		const { outputSchema } = listed.find(({ name }: Loose) => name === `${prefix}nested`);
		expect(outputSchema.type).toBe('object');
		const [key, inner] = firstOf(outputSchema.properties);
		expect(inner).toMatchObject({ type: 'array' });
		expect(resolve(outputSchema, inner.items.$ref)).toEqual(inner);
		const { structuredContent } = await session.result('tools/call', { name: `${prefix}nested`, arguments: {} });
		expect(structuredContent).toEqual({ [key]: [[[]], []] });
		await session.end();
	});
});

function resolve(root: Loose, ref: string): Loose {
	return ref
		.replace(/^#\/?/, '')
		.split('/')
		.filter((part) => part !== '')
		.reduce((schema, part) => schema[part], root);
}
