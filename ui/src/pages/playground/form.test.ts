import { describe, expect, test } from 'vitest';
import { type Draft, emptyDraft, fillAll } from './draft.ts';
import { formFields } from './form-field.ts';

function fields(properties: Record<string, unknown>, required: string[] = [], more: Record<string, unknown> = {}) {
	const found = formFields({ type: 'object', properties, required, ...more });
	if (found === null) throw new Error('no form');
	return found;
}

function kinds(properties: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
	return fields(properties, [], more).map(({ kind }) => kind);
}

describe('fields from a schema', () => {
	test('of each type', () => {
		expect(
			kinds({
				a: { type: 'string' },
				b: { type: 'number' },
				c: { type: 'integer' },
				d: { type: 'boolean' },
				e: { enum: ['x', 'y'] },
				f: { type: 'array', items: { type: 'string' } },
				g: { type: 'object', properties: { h: { type: 'string' } } },
				i: {},
				j: { anyOf: [{ type: 'string' }, { type: 'number' }] },
			}),
		).toEqual(['text', 'number', 'integer', 'boolean', 'choice', 'list', 'group', 'json', 'json']);
	});

	test('nullable types and unions with titles', () => {
		const union = { oneOf: [{ const: 1, title: 'One' }, { const: 2 }] };
		const found = fields({
			a: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
			b: { type: ['string', 'null'] },
			c: union,
		});
		expect(found.map(({ kind }) => kind)).toEqual(['integer', 'text', 'choice']);
		expect(found[2]?.choices).toEqual([
			{ label: 'One', value: 1 },
			{ label: '2', value: 2 },
		]);
	});

	test('references inside the schema are followed, others and rings are edited as JSON', () => {
		const $defs = { Name: { type: 'string' }, Ring: { $ref: '#/$defs/Ring' } };
		const properties = {
			a: { $ref: '#/$defs/Name' },
			b: { $ref: 'https://example.com/x' },
			c: { $ref: '#/$defs/Ring' },
		};
		expect(kinds(properties, { $defs })).toEqual(['text', 'json', 'json']);
	});

	test('a schema that contains itself, or is huge, comes to an end', () => {
		const node = { type: 'object', properties: { child: { $ref: '#/$defs/Node' }, name: { type: 'string' } } };
		expect(formFields({ ...node, $defs: { Node: node } })).not.toBeNull();
		const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`p${index}`, { type: 'string' }]));
		expect(formFields({ type: 'object', properties: many })).toBeNull();
	});

	test('no properties is a form without fields; anything else is no form', () => {
		expect(formFields({ type: 'object' })).toEqual([]);
		expect(formFields({ type: 'string' })).toBeNull();
		expect(formFields({ properties: [] })).toBeNull();
	});
});

describe('arguments from a form', () => {
	const form = fields(
		{
			text: { type: 'string' },
			count: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
			on: { type: 'boolean' },
			pick: { enum: ['a', 7], default: 7 },
			list: { type: 'array', items: { type: 'number' } },
			group: { type: 'object', properties: { inner: { type: 'string' } }, required: ['inner'] },
			json: {},
		},
		['text'],
	);
	const draft = (own: Record<string, Draft>): Draft => ({
		...Object.fromEntries(form.map((field) => [field.name, emptyDraft(field)])),
		...own,
	});

	test('defaults are filled in, empty optional fields left out', () => {
		expect(fillAll(form, draft({ text: 'hi' }))).toEqual({ kind: 'value', value: { text: 'hi', count: 3, pick: 7 } });
	});

	test('every kind becomes its type', () => {
		const own = {
			text: '',
			count: '5',
			on: 'false',
			pick: '0',
			list: ['1.5', '2'],
			group: { inner: 'x' },
			json: '{"a":1}',
		};
		const value = { text: '', count: 5, on: false, pick: 'a', list: [1.5, 2], group: { inner: 'x' }, json: { a: 1 } };
		expect(fillAll(form, draft(own))).toEqual({ kind: 'value', value });
	});

	test('all errors come at once, each with its place', () => {
		const filled = fillAll(form, draft({ count: '11', list: ['1', 'x'], json: '{' }));
		expect(filled.kind === 'wrong' && [...filled.errors.keys()]).toEqual(['count', 'list[1]', 'json']);
	});

	test.each(['1.5', 'abc', ' ', '1e999', '0x'])('%j is no whole number', (count) => {
		expect(fillAll(form, draft({ count })).kind).toBe('wrong');
	});

	test('required fields of other kinds than text must be filled', () => {
		const needed = fields({ a: { type: 'number' }, b: { enum: ['x'] }, c: { type: 'boolean' } }, ['a', 'b', 'c']);
		const filled = fillAll(needed, { a: '', b: '', c: '' });
		expect(filled.kind === 'wrong' && filled.errors.size).toBe(3);
	});

	test('defaults of lists and groups are filled in', () => {
		const found = fields({
			list: { type: 'array', items: { type: 'integer' }, default: [1, 2] },
			group: {
				type: 'object',
				properties: { a: { type: 'string' }, b: { type: 'string', default: 'y' } },
				default: { a: 'x' },
			},
		});
		const drafts = Object.fromEntries(found.map((field) => [field.name, emptyDraft(field)]));
		expect(fillAll(found, drafts)).toEqual({ kind: 'value', value: { list: [1, 2], group: { a: 'x', b: 'y' } } });
	});

	test.each(['0x10', '+5', '.5', 'Infinity', '9007199254740993', '1e300'])(
		'%s is not sent as another number',
		(count) => {
			expect(fillAll(fields({ count: { type: 'number' } }), { count }).kind).toBe('wrong');
		},
	);

	test('a choice of thousands is typed', () => {
		expect(kinds({ a: { type: 'string', enum: Array.from({ length: 501 }, (_, at) => String(at)) } })).toEqual([
			'text',
		]);
	});

	test('an argument called __proto__ is an argument', () => {
		const odd = fields(JSON.parse('{"__proto__":{"type":"string"}}') as Record<string, unknown>);
		const filled = fillAll(odd, JSON.parse('{"__proto__":"x"}') as Draft);
		expect(JSON.stringify(filled)).toContain('"__proto__":"x"');
	});
});
