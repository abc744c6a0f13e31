import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { ListToolsResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { projectResult, projectTools } from './output-schema.ts';

function project(outputSchema: string): { text: string; wrapped: readonly string[]; schema: Record<string, unknown> } {
	const list = `{"tools":[{"name":"t","inputSchema":{"type":"object"},"outputSchema":${outputSchema}}]}`;
	const { text, wrapped } = projectTools(Buffer.from(list));
	const read = JSON.parse(text.toString()) as { tools: { outputSchema: Record<string, unknown> }[] };
	return { text: text.toString(), wrapped, schema: read.tools[0]?.outputSchema ?? {} };
}

describe('a schema of another type', () => {
	test.each([
		'{"type":"array","items":{"type":"string"}}',
		'{"type":"string"}',
		'{"type":["object"]}',
		'{"type":["object","null"]}',
		'{"anyOf":[{"type":"object"}]}',
		'{}',
		'{"type":"array","maxItems":1e400,"const":9007199254740993}',
		'{"const":{"$ref":"#/a"},"default":{"$ref":"#"},"enum":[{"$ref":"#/b"}],"examples":[{"$ref":"#/c"}]}',
		'{"$ref":"#anchor","$defs":{"a":{"$anchor":"anchor","type":"array"}}}',
		'{"$ref":"https://example.com/a.json#/b"}',
		'{"properties":{"$ref":{"type":"string"}}}',
		'{"type":"array","$defs":{"r":{"$id":"urn:example:r","$ref":"#/a"}},"anyOf":[{"$id":"urn:example:s","$ref":"#"}]}',
	])('%s is wrapped, byte for byte', (schema) => {
		const { text, wrapped, schema: read } = project(schema);
		expect(wrapped).toEqual(['t']);
		expect(text).toContain(
			`"outputSchema":{"type":"object","properties":{"result":${schema}},"required":["result"]}}]}`,
		);
		expect(ListToolsResultSchema.safeParse(JSON.parse(text)).success).toBe(true);
		expect(read).toEqual({ type: 'object', properties: { result: JSON.parse(schema) }, required: ['result'] });
	});

	test('with equal keys is wrapped too', () => {
		const { text, wrapped } = project('{"type":"object","type":"array"}');
		expect(wrapped).toEqual(['t']);
		expect(text).toContain('"result":{"type":"object","type":"array"}');
	});

	test.each([
		['true', '{}'],
		['false', '{"not":{}}'],
	])('that is %s is written %s', (schema, written) => {
		const { text, wrapped } = project(schema);
		expect(wrapped).toEqual(['t']);
		expect(text).toContain(`"properties":{"result":${written}}`);
		expect(ListToolsResultSchema.safeParse(JSON.parse(text)).success).toBe(true);
	});

	test('takes its dialect and its address along to the root', () => {
		const head = '"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://example.com/a"';
		const { text } = project(`{${head},"type":"array"}`);
		expect(text).toContain(`{${head},"type":"object","properties":{"result":{"type":"array"}}`);
		expect(project('{"$id":"#old","type":"array"}').text).toContain('"result":{"$id":"#old","type":"array"}');
	});
});

test('schemas of objects stay, as does everything beside the others', () => {
	const text =
		'{ "tools" : [{"name":"a","outputSchema":{ "type" : "object", "x":1e400}} , {"name":"b"},{"title":"é",' +
		'"outputSchema":{"\\u0074ype":"\\u006fbject"}}, {"outputSchema" : {"type":"array"} , "name" : "c\\u0064","y":-0}],' +
		'"nextCursor":"n","outputSchema":7}';
	const { text: after, wrapped } = projectTools(Buffer.from(text));
	const schema = '{"type":"object","properties":{"result":{"type":"array"}},"required":["result"]}';
	expect(after.toString()).toBe(text.replace('{"type":"array"}', schema));
	expect(wrapped).toEqual(['cd']);
});

test('properties that are true or false become objects, at the root of a schema only', () => {
	const schema = '{"type":"object","properties":{"a":true,"b" : false,"c":{"properties":{"d":true}}},"x":true}';
	const text = `{"tools":[{"name":"t","inputSchema":${schema},"outputSchema":${schema},"x":true}]}`;
	const { text: after, wrapped } = projectTools(Buffer.from(text));
	expect(wrapped).toEqual([]);
	expect(after.toString()).toBe(text.replaceAll('"a":true,"b" : false', '"a":{},"b" : {"not":{}}'));
	expect(ListToolsResultSchema.safeParse(JSON.parse(text)).success).toBe(false);
	expect(ListToolsResultSchema.safeParse(JSON.parse(after.toString())).success).toBe(true);
});

test.each([
	'{"tools":[]}',
	'{"tools":{"outputSchema":{}}}',
	'{"outputSchema":{}}',
	'{"tools":[{"outputSchema":null}]}',
	'[]',
	'{"tools":[{"outputSchema":',
])('%s stays', (text) => {
	const { text: after, wrapped } = projectTools(Buffer.from(text));
	expect(after.toString()).toBe(text);
	expect(wrapped).toEqual([]);
});

describe('references inside a wrapped schema lead where they led', () => {
	const validator = new AjvJsonSchemaValidator();
	const list = '{"type":"array","items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"integer"}}}';
	test.each([
		['a list', list, [1, 2], ['a']],
		['the root itself', '{"anyOf":[{"type":"string"},{"type":"array","items":{"$ref":"#"}}]}', [['a'], 'b'], [[1]]],
		['a reference at the root', '{"$ref":"#/$defs/x","$defs":{"x":{"type":"array"}}}', [], 7],
		['an escaped reference', '{"$ref":"\\u0023/$defs/a~1b","$defs":{"a/b":{"type":"array"}}}', [], 7],
		['an anchor', '{"$ref":"#x","$defs":{"x":{"$anchor":"x","type":"array"}}}', [], 7],
		[
			'a chain, and properties named like keywords',
			'{"type":"array","items":{"properties":{"default":{"$ref":"#/$defs/const"}}},"$defs":{"const":{"$ref":"#/$defs/b"},"b":{"type":"null"}}}',
			[{ default: null }],
			[{ default: 1 }],
		],
		[
			'a keyword that nobody defined',
			'{"$ref":"#/components/a","components":{"a":{"$ref":"#/components/b"},"b":{"type":"array"}}}',
			[],
			7,
		],
		['a schema with an address', '{"$id":"urn:example:one","$ref":"#/$defs/x","$defs":{"x":{"type":"array"}}}', [], 7],
		[
			'a schema with an address inside',
			'{"type":"array","items":{"$id":"urn:example:two","items":{"$ref":"#/$defs/x"},"$defs":{"x":{"type":"null"}}},"$defs":{"x":{"type":"string"}}}',
			[[null]],
			[['a']],
		],
		[
			'a schema that calls itself by its address',
			'{"$id":"https://example.com/a#","type":"array","items":{"$ref":"https://example.com/a#/$defs/x"},"$defs":{"x":{"type":"null"}}}',
			[null],
			['a'],
		],
	])('%s', (_, text, good, bad) => {
		const { schema, wrapped } = project(text);
		expect(wrapped).toEqual(['t']);
		const validate = validator.getValidator(schema);
		expect(validate({ result: good }).valid).toBe(true);
		expect(validate({ result: bad }).valid).toBe(false);
		expect(validate({}).valid).toBe(false);
	});
});

describe('results', () => {
	test.each([
		[
			'{"content":[],"structuredContent":[1, 1e400]}',
			false,
			'{"content":[],"structuredContent":{"result":[1, 1e400]}}',
		],
		['{"structuredContent" : "a" , "x":-0}', false, '{"structuredContent" : {"result":"a"} , "x":-0}'],
		['{"structuredContent":null}', false, '{"structuredContent":{"result":null}}'],
		['{"structuredContent":7}', true, '{"structuredContent":{"result":7}}'],
		['{"structuredContent":{"a":1}}', true, '{"structuredContent":{"result":{"a":1}}}'],
	])('%s, %s becomes %s', (text, wrapped, after) => {
		expect(projectResult(Buffer.from(text), wrapped).toString()).toBe(after);
	});
	test.each([
		['{"structuredContent":{"a":1}}', false],
		['{"content":[{"structuredContent":[]}]}', true],
		['{"content":[{"type":"text","text":"\\"structuredContent\\""}]}', true],
		['{"content":[]}', true],
		['[{"structuredContent":1}]', true],
		['{"structuredContent":', true],
	])('%s, %s stays', (text, wrapped) => {
		expect(projectResult(Buffer.from(text), wrapped).toString()).toBe(text);
	});
});
