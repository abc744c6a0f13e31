import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isScanFault, scanJson } from '../../src/lib/json-scan.ts';
import { readResultFrame } from '../../src/mcp/upstream/transport/result-frame.ts';
import './seed.ts';

const numRuns = 3_000;

const space = fc.stringMatching(/^[ \t]{0,2}$/);
const id = fc.integer({ min: 0, max: 999_999_999_999 });
/** Results whose ends and insides look like the ends of envelopes. */
const tricky = fc.constantFrom(
	'{}',
	'{"a":{}}',
	'{"id":5}',
	'{"a":{"id":5}}',
	'{"a":"},\\"id\\":5}"}',
	'{"jsonrpc":"2.0","id":7}',
	'{"resultType":"complete"}',
	'{ "resultType" : "complete" , "x" : [ ] }',
	'{"a":"\\\\"}',
	'{"a":"}}","b":[{"id":1}]}',
);
const result = fc.oneof(
	tricky,
	fc
		.dictionary(fc.string({ maxLength: 5, unit: 'binary' }), fc.jsonValue(), { maxKeys: 4 })
		.map((value) => JSON.stringify(value)),
	fc.string({ unit: 'grapheme', minLength: 50, maxLength: 300 }).map((text) => JSON.stringify({ text })),
);

/** Members of an envelope in any order. */
const usual = fc
	.record({ id, result, order: fc.shuffledSubarray(['jsonrpc', 'id', 'result'], { minLength: 3 }), gap: space })
	.map(({ id: number, result: text, order, gap }) => {
		const values: Record<string, string> = { jsonrpc: '"2.0"', id: String(number), result: text };
		const members = order.map((key) => `"${key}"${gap}:${gap}${values[key]}`);
		return { number, result: text, message: `${gap}{${gap}${members.join(`${gap},${gap}`)}${gap}}${gap}` };
	});

const cuts = fc.array(fc.nat(600), { maxLength: 4 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
	const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('readResultFrame', () => {
	test('finds in a usual response, in one piece, exactly what the scanner finds', () => {
		fc.assert(
			fc.property(usual, ({ number, result: text, message }) => {
				const frame = readResultFrame([Buffer.from(message)]);
				expect(frame?.id).toBe(number);
				expect(Buffer.concat(frame?.pieces ?? []).toString()).toBe(text);
			}),
			{ numRuns },
		);
	});

	test('finds the same in pieces, or gives up', () => {
		let found = 0;
		fc.assert(
			fc.property(usual, cuts, ({ number, result: text, message }, places) => {
				const frame = readResultFrame(cutAt(Buffer.from(message), places));
				if (frame === null) return;
				found++;
				expect(frame.id).toBe(number);
				expect(Buffer.concat(frame.pieces).toString()).toBe(text);
			}),
			{ numRuns },
		);
		expect(found).toBeGreaterThan(numRuns / 3);
	});

	test('never breaks the framing, whatever a server sends', () => {
		const bytes = fc.oneof(
			fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
			fc
				.constantFrom('\n', '\r', '"id":1', ',"id":2}', '{', '}', '"', '\\', '\u2028', 'é')
				.map((text) => Buffer.from(text)),
		);
		fc.assert(
			fc.property(
				usual,
				fc.array(fc.tuple(fc.nat(600), bytes), { maxLength: 3 }),
				cuts,
				({ message }, changes, places) => {
					let text = Buffer.from(message);
					for (const [place, put] of changes) {
						const at = place % (text.length + 1);
						text = Buffer.concat([text.subarray(0, at), put, text.subarray(at)]);
					}
					const frame = readResultFrame(cutAt(text, places));
					if (frame === null) return;
					const body = Buffer.concat(frame.pieces);
					expect(body.includes(0x0a) || body.includes(0x0d)).toBe(false);
					expect(body.equals(Buffer.from(body.toString()))).toBe(true);
					const scanned = scanJson(text, {});
					if (isScanFault(scanned)) return;
					// What is JSON stays JSON, with the id that the scanner reads.
					const member = scanned.members?.find(({ key }) => key === 'id');
					expect(scanned.text.toString('utf8', member?.start, member?.end)).toBe(String(frame.id));
					expect(JSON.parse(`{"result":${body.toString()}}`)).toBeTypeOf('object');
				},
			),
			{ numRuns },
		);
	});

	test.each([
		['no id', '{"jsonrpc":"2.0","result":{}}'],
		['an id before and behind', '{"id":1,"result":{},"id":2}'],
		['an id that is no number', '{"id":"1","result":{}}'],
		['an error beside it', '{"id":1,"error":null,"result":{}}'],
		['a result that is no object', '{"id":1,"result":[]}'],
		['a line break', '{"id":1,"result":{\n}}'],
		['bytes that are not UTF-8', Buffer.from('{"id":1,"result":{"a":"\xff"}}', 'latin1')],
		['a batch', '[{"id":1,"result":{}}]'],
		['a request', '{"id":1,"method":"ping"}'],
		['nothing', ''],
	])('leaves to the scanner: %s', (_name, text) => {
		expect(readResultFrame([Buffer.from(text as string)])).toBeNull();
	});

	test('a character that is cut in two is one, and half of one is none', () => {
		const text = Buffer.from('{"id":1,"result":{"a":"😀é€"}}'.padEnd(200));
		for (let at = 1; at < 40; at++) {
			expect(readResultFrame([text.subarray(0, at), Buffer.concat([text.subarray(at)])])?.id ?? 1).toBe(1);
		}
		const long = Buffer.concat([Buffer.from(`{"id":1,"result":{"a":"😀`), Buffer.from(`${'é'.repeat(200)}"}}`)]);
		for (let at = 24; at < 120; at++) {
			expect(readResultFrame([long.subarray(0, at), long.subarray(at)])?.id, `cut at ${at}`).toBe(1);
			const broken = [long.subarray(0, at), Buffer.from([0xff]), long.subarray(at)];
			expect(readResultFrame(broken), `broken at ${at}`).toBeNull();
		}
	});

	test('says whether the result begins by saying that it is complete', () => {
		const complete = (text: string) => readResultFrame([Buffer.from(`{"id":1,"result":${text}}`)])?.complete;
		expect(complete('{"resultType":"complete","a":1}')).toBe(true);
		expect(complete('{ "resultType" : "complete" }')).toBe(true);
		expect(complete('{"resultType":"input_required"}')).toBe(false);
		expect(complete('{"a":1,"resultType":"complete"}')).toBe(false);
	});
});
