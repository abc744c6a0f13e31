import { describe, expect, test } from 'vitest';
import { type DeclaredHeaders, readParamHeaders } from './param-headers.ts';
import { checkParamHeaders, paramHeaders } from './param-values.ts';

const schema = Buffer.from(
	JSON.stringify({
		properties: {
			region: { type: 'string', 'x-mcp-header': 'Region' },
			count: { type: 'integer', 'x-mcp-header': 'Count' },
			on: { type: 'boolean', 'x-mcp-header': 'On' },
			deep: { properties: { 0: { type: 'string', 'x-mcp-header': 'Deep' } } },
		},
	}),
);

function declared(): DeclaredHeaders {
	const found = readParamHeaders(schema, { start: 0, end: schema.length });
	if (found.kind !== 'declared') throw new Error(found.reason);
	return found;
}

const written = (text: string | null) => paramHeaders(declared(), text === null ? null : Buffer.from(text));
const checked = (text: string | null, headers: Record<string, string | string[]>) =>
	checkParamHeaders(declared(), text === null ? null : Buffer.from(text), headers);

describe('headers of a call', () => {
	test('repeat the arguments, in the order of the schema', () => {
		expect(written('{"deep":{"0":"d"},"on":true,"count":42,"other":{"region":"x"},"region":"us-west1"}')).toEqual([
			...['mcp-param-region', 'us-west1', 'mcp-param-count', '42'],
			...['mcp-param-on', 'true', 'mcp-param-deep', 'd'],
		]);
	});
	test.each([
		['"region":"Hello, 世界"', '=?base64?SGVsbG8sIOS4lueVjA==?='],
		['"region":"\\u0041"', 'A'],
		['"region":" padded "', '=?base64?IHBhZGRlZCA=?='],
		['"region":""', '=?base64??='],
		['"region":"a\\r\\nX-Evil: 1"', '=?base64?YQ0KWC1FdmlsOiAx?='],
		['"region":7', '7'],
		['"count":-7', '-7'],
		['"count":42.0', '42'],
		['"count":1e3', '1000'],
		['"count":9007199254740993', '9007199254740993'],
		['"count":"x"', 'x'],
		['"on":false', 'false'],
	])('{%s} gives %s', (member, value) => {
		expect(written(`{${member}}`)[1]).toBe(value);
	});
	test.each([
		null,
		'{}',
		'{"region":null,"count":null,"on":null,"deep":null}',
		'{"region":{"a":"b"},"count":[1]}',
		'{"deep":["d"]}',
		'{"deep":{}}',
		'[]',
		'7',
		'{"region":"a","region":"b"}',
	])('%s gives none', (text) => {
		expect(written(text)).toEqual([]);
	});
});

describe('headers agree with the body', () => {
	test.each<[string | null, Record<string, string>]>([
		[null, {}],
		['{}', { 'x-other': 'a' }],
		['{"region":null}', {}],
		['{"region":"a"}', { 'mcp-param-region': 'a', 'mcp-param-unknown': 'b' }],
		['{"region":"a"}', { 'mcp-param-region': ' a\t' }],
		['{"region":"a"}', { 'mcp-param-region': '=?base64?YQ==?=' }],
		['{"region":"=?base64?YQ=="}', { 'mcp-param-region': '=?base64?YQ==' }],
		['{"region":""}', { 'mcp-param-region': '' }],
		['{"count":42}', { 'mcp-param-count': '42.0' }],
		['{"count":42.0}', { 'mcp-param-count': '=?base64?NDI=?=' }],
		['{"count":9007199254740993}', { 'mcp-param-count': '9007199254740993' }],
		['{"count":9007199254740993}', {}],
		['{"count":1e400}', {}],
		['{"on":true}', { 'mcp-param-on': 'true' }],
		['{"region":{"an":"object"}}', {}],
	])('%s, %j', (text, headers) => {
		expect(checked(text, headers)).toBeNull();
	});
});

describe('headers do not agree with the body', () => {
	test.each<[string | null, Record<string, string | string[]>, string]>([
		['{"region":"a"}', {}, 'the Mcp-Param-Region header is missing'],
		['{"region":"a"}', { 'mcp-param-region': 'b' }, 'the Mcp-Param-Region header does not match the body'],
		['{"region":"a"}', { 'mcp-param-region': 'A' }, 'the Mcp-Param-Region header does not match the body'],
		['{"region":"a"}', { 'mcp-param-region': '=?base64?YQ?=' }, 'the Mcp-Param-Region header cannot be decoded'],
		['{"region":"é"}', { 'mcp-param-region': 'é' }, 'the Mcp-Param-Region header cannot be decoded'],
		['{"region":"a"}', { 'mcp-param-region': ['a', 'a'] }, 'the Mcp-Param-Region header cannot be decoded'],
		['{"region":"42"}', { 'mcp-param-region': '42.0' }, 'the Mcp-Param-Region header does not match the body'],
		['{"count":42}', { 'mcp-param-count': '0x2a' }, 'the Mcp-Param-Count header does not match the body'],
		[
			'{"count":9007199254740993}',
			{ 'mcp-param-count': '9007199254740992' },
			'the Mcp-Param-Count header does not match the body',
		],
		['{"count":1.5}', {}, 'the Mcp-Param-Count header is missing'],
		['{"on":true}', { 'mcp-param-on': 'True' }, 'the Mcp-Param-On header does not match the body'],
		[null, { 'mcp-param-on': 'true' }, 'the Mcp-Param-On header says something, the body says nothing'],
		['{"on":null}', { 'mcp-param-on': 'null' }, 'the Mcp-Param-On header says something, the body says nothing'],
		['{"a":1,"a":2}', {}, 'the arguments cannot be compared with headers: duplicate-key'],
	])('%s, %j', (text, headers, message) => {
		expect(checked(text, headers)).toBe(message);
	});
});

test('what is written is accepted', () => {
	const text = '{"region":"\\u0000 =?base64?é","count":-0,"on":false,"deep":{"0":" "}}';
	const flat = written(text);
	const headers: Record<string, string> = {};
	for (let i = 0; i < flat.length; i += 2) headers[flat[i] ?? ''] = flat[i + 1] ?? '';
	expect(Object.keys(headers)).toHaveLength(4);
	expect(checked(text, headers)).toBeNull();
});
