import { expect, test } from 'vitest';
import { everywhere, isScanFault, scanJson } from '../../lib/json-scan.ts';
import { subschemas } from './subschemas.ts';

function found(schema: string): string[] {
	const scanned = scanJson(Buffer.from(schema), everywhere);
	if (isScanFault(scanned)) throw new Error(scanned.fault);
	const { text, start } = scanned;
	return subschemas({ key: '', keyStart: start, ...scanned }, text).map(
		({ keyword, property, schema: inner }) =>
			`${keyword} ${property ?? '-'} ${text.toString('utf8', inner.start, inner.end)}`,
	);
}

test('schemas under the keywords that hold one, several, or some by name', () => {
	expect(
		found(
			'{"not":{"a":1},"items":[{"b":1},true],"anyOf":[{"c":1}],"properties":{"items":{"d":1},"p":false},"$defs":{"x":{}}}',
		),
	).toEqual([
		'not - {"a":1}',
		'items - {"b":1}',
		'items - true',
		'anyOf - {"c":1}',
		'properties items {"d":1}',
		'properties p false',
		'$defs - {}',
	]);
});

test.each([
	'{"const":{"not":{}},"default":{},"enum":[{}],"examples":[{}],"required":["a"],"x-other":{"not":{}},"type":"object"}',
	'{"properties":[{}],"$defs":7,"items":true}',
	'[{"not":{}}]',
	'true',
])('none in %s', (schema) => {
	expect(found(schema)).toEqual([]);
});
