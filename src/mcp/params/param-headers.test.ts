import { describe, expect, test } from 'vitest';
import { type DeclaredHeaders, maximumSchemaBytes, readParamHeaders } from './param-headers.ts';

function read(schema: unknown) {
	const before = '{"name":"t","inputSchema":';
	const text = Buffer.from(`${before}${typeof schema === 'string' ? schema : JSON.stringify(schema)}}`);
	return readParamHeaders(text, { start: before.length, end: text.length - 1 });
}

function declared(schema: unknown): DeclaredHeaders {
	const found = read(schema);
	if (found.kind !== 'declared') throw new Error(found.reason);
	return found;
}

const region = { type: 'string', 'x-mcp-header': 'Region' };

test('annotations of the root and of objects in it', () => {
	const found = declared({
		type: 'object',
		properties: {
			region,
			count: { type: 'integer', 'x-mcp-header': 'count' },
			plain: { type: 'string' },
			deep: { type: 'object', properties: { on: { type: ['boolean', 'null'], 'x-mcp-header': "!#$%&'*+-.^_`|~0" } } },
		},
	});
	expect(found.headers).toEqual([
		{ label: 'Mcp-Param-Region', header: 'mcp-param-region', path: ['region'], type: 'string' },
		{ label: 'Mcp-Param-count', header: 'mcp-param-count', path: ['count'], type: 'integer' },
		{
			label: "Mcp-Param-!#$%&'*+-.^_`|~0",
			header: "mcp-param-!#$%&'*+-.^_`|~0",
			path: ['deep', 'on'],
			type: 'boolean',
		},
	]);
});

describe('what only looks like an annotation', () => {
	test.each([
		['nothing at all', { type: 'object' }],
		['a property of that name', { properties: { 'x-mcp-header': { type: 'string' } } }],
		['a definition of that name', { $defs: { 'x-mcp-header': { type: 'string' } } }],
		['a default', { properties: { a: { type: 'object', default: { 'x-mcp-header': 'A' } } } }],
		['an example', { examples: [{ 'x-mcp-header': 'A' }] }],
		['a constant', { const: { 'x-mcp-header': 'A' } }],
		['a keyword of others', { 'x-other': { 'x-mcp-header': 'A' } }],
		['a description', { description: 'x-mcp-header' }],
		['a required name', { required: ['x-mcp-header'] }],
	])('%s', (_, schema) => {
		expect(declared(schema).headers).toEqual([]);
	});
});

describe('a tool is invalid with', () => {
	const one = (value: unknown, type: unknown = 'string') => ({ properties: { a: { type, 'x-mcp-header': value } } });
	test.each([
		['an empty name', one(''), /^inputSchema\.a: .*not empty/],
		['a name that is no string', one(7), /not empty/],
		['null', one(null), /not empty/],
		['a space', one('a b'), /header name/],
		['a colon', one('a:b'), /header name/],
		['a letter beyond ASCII', one('é'), /header name/],
		['a line break', one('a\r\nb'), /header name/],
		['an object', one('A', 'object'), /type/],
		['an array', one('A', 'array'), /type/],
		['null as type', one('A', 'null'), /type/],
		['a number', one('A', 'number'), /type/],
		['two types', one('A', ['string', 'integer']), /type/],
		['a number or null', one('A', ['number', 'null']), /type/],
		['nothing but null', one('A', ['null', 'null']), /type/],
		['no type', { properties: { a: { 'x-mcp-header': 'A' } } }, /type/],
		['equal names', { properties: { a: region, b: region } }, /^inputSchema\.b: .*twice/],
		['names equal but for case', { properties: { a: region, b: { ...region, 'x-mcp-header': 'REGION' } } }, /twice/],
		['the root', { ...region, properties: {} }, /^inputSchema: .*only on properties/],
	])('%s', (_, schema, reason) => {
		expect(read(schema)).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) });
	});

	const inner = { properties: { a: region } };
	test.each([
		['items', { items: region }],
		['items of old', { items: [region] }],
		['prefixItems', { prefixItems: [inner] }],
		['contains', { contains: inner }],
		['additionalProperties', { additionalProperties: region }],
		['patternProperties', { patternProperties: { '^a': region } }],
		['dependentSchemas', { dependentSchemas: { a: inner } }],
		['oneOf', { oneOf: [inner] }],
		['anyOf', { anyOf: [{ type: 'string' }, inner] }],
		['allOf', { allOf: [inner] }],
		['not', { not: inner }],
		['if', { if: inner }],
		['then', JSON.parse(`{"then":${JSON.stringify(inner)}}`) as object],
		['else', { else: inner }],
		['$defs', { $defs: { x: region } }],
		['definitions', { definitions: { x: inner } }],
		['anyOf of a property', { properties: { a: { anyOf: [region, { type: 'null' }] } } }],
	])('an annotation below %s', (_, schema) => {
		expect(read({ type: 'object', ...schema })).toMatchObject({ kind: 'invalid' });
	});
});

test('properties may have any name', () => {
	const schema = `{"properties":{"__proto__":{"properties":{"constructor":{"type":"string","x-mcp-header":"A"}}}}}`;
	const found = declared(schema);
	expect(found.headers[0]?.path).toEqual(['__proto__', 'constructor']);
	expect(Object.keys(found.look)).toEqual(['__proto__']);
	expect(({} as Record<string, unknown>)['constructor']).toBe(Object);
});

describe('not read, and said so', () => {
	test('a schema that is too large', () => {
		const description = 'x'.repeat(maximumSchemaBytes);
		expect(read({ properties: { region }, description })).toEqual({
			kind: 'unread',
			reason: expect.stringContaining('larger'),
		});
		// Without the word there is nothing to read, however large it is.
		expect(declared({ description }).headers).toEqual([]);
	});
	test('a schema with equal keys', () => {
		const schema = '{"properties":{"a":{"type":"string","x-mcp-header":"A"},"a":{}}}';
		expect(read(schema)).toEqual({ kind: 'unread', reason: expect.stringContaining('duplicate-key') });
	});
});

test('deep schemas do not overflow the stack', () => {
	const deep = `${'{"properties":{"a":'.repeat(60)}{"type":"string","x-mcp-header":"A"}${'}}'.repeat(60)}`;
	expect(declared(deep).headers[0]?.path).toHaveLength(60);
});
