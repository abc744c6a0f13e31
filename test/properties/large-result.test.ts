import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isScanFault, scanJson } from '../../src/lib/json-scan.ts';
import { LargeResult } from '../../src/mcp/large-result.ts';
import { changePlaces, placesOfResult } from '../../src/mcp/places.ts';
import { codecOf, legacyCodec } from '../../src/mcp/wire/legacy-codec.ts';
import { modernCodec } from '../../src/mcp/wire/modern-codec.ts';
import type { ReplyCodec } from '../../src/mcp/wire/reply.ts';
import { readEnvelope } from '../../src/mcp/wire/envelope.ts';
import { valueText } from './json-text.ts';
import './seed.ts';

const own = '"io.modelcontextprotocol/serverInfo"';
const meta = fc.constantFrom(
	'{}',
	'{"a":1}',
	`{${own}:{"name":"x"}}`,
	`{"a":1,${own}:{}}`,
	`{ ${own} : 1 , "a":2 }`,
	'7',
);
const oneLine = valueText.map((text) => text.replace(/[\r\n]/g, ' '));
const gap = fc.constantFrom('', '', '', ' ', '\t');

/** Results with members that codecs put in, take out or wrap, in any order. */
const resultText = fc
	.record({
		values: fc.record({
			resultType: fc.constant('"complete"'),
			ttlMs: fc.constant('5'),
			cacheScope: fc.constant('"private"'),
			_meta: meta,
			structuredContent: fc.oneof(oneLine, fc.constantFrom('[1]', '{}', 'null')),
			content: oneLine,
			other: oneLine,
		}),
		order: fc.shuffledSubarray(['resultType', 'ttlMs', 'cacheScope', '_meta', 'structuredContent', 'content', 'other']),
		gap,
	})
	.map(({ values, order, gap: space }) => {
		const all: Readonly<Record<string, string>> = values;
		const members = order.map((key) => `"${key}"${space}:${space}${all[key]?.trim()}`);
		return `{${space}${members.join(`${space},${space}`)}${space}}`;
	});

const cuts = fc.array(fc.nat(), { maxLength: 4 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
	const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

function callOf(name: string) {
	const envelope = readEnvelope(
		Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}"}}`),
		1024,
	);
	if (!('method' in envelope)) throw new Error('no envelope');
	return envelope as Parameters<typeof codecOf>[0];
}

const wrapping = { wrappedTools: new Set(['wrapped']) };
const codecs: readonly (readonly [string, ReplyCodec])[] = [
	['of a call without a handshake', modernCodec('tools/call')],
	['of a read without a handshake', modernCodec('resources/read')],
	['of other calls with a handshake', legacyCodec],
	['of a call with a handshake', codecOf(callOf('plain'), wrapping, true)],
	['of a call whose result is wrapped', codecOf(callOf('wrapped'), wrapping, true)],
];

describe('a result in pieces', () => {
	test.each(codecs)('is written as the same whole by the codec %s', (_name, codec) => {
		let changed = 0;
		fc.assert(
			fc.property(resultText, fc.boolean(), cuts, (text, stamped, places) => {
				const bytes = Buffer.from(text);
				const pieces = codec.inPieces(new LargeResult(cutAt(bytes, places), stamped));
				const whole = codec.result({ text: Buffer.from(bytes), type: 'complete', stamped });
				const joined = Buffer.concat(pieces ?? []).toString();
				expect(joined).toBe(whole.toString());
				if (joined !== text) changed++;
			}),
			{ numRuns: 600 },
		);
		expect(changed).toBeGreaterThan(50);
	});

	test('has a place wherever one is found in the whole', () => {
		const place = fc.constantFrom(
			'"content":[{"type":"resource_link","uri":"x:1"}]',
			'"content":[{"resource":{"uri":"x:1"}}]',
			'"content":[{"type":"resource_link","\\u0075ri":"x:1"}]',
			'"content":[{"type":"text","text":"\\"uri\\":\\"x:1\\" \\u00e9"}]',
			'"task":{"taskId":"7"}',
			'"inputRequests":{"a":{"params":{"messages":[{"content":{"uri":"x:1","type":"resource_link"}}]}}}',
			'"_meta":{"ui":{"resourceUri":"x:1"}}',
			'"_meta":{"ui/resourceUri":"x:1"}',
			'"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}',
			'"content":[{"type":"image","data":"aaaa"}]',
			'"contents":[{"uri":"x:1"}]',
			'"messages":[{"content":[{"content":[{"uri":"x:1","type":"resource_link"}]}]}]',
			'"result":{"task":{"taskId":"7"}}',
		);
		const methods = fc.constantFrom('tools/call', 'prompts/get', 'resources/read', 'tasks/get', 'tasks/result');
		let found = 0;
		fc.assert(
			fc.property(
				fc.uniqueArray(place, { maxLength: 2, selector: (text) => text.slice(0, 6) }),
				methods,
				cuts,
				(all, method, at) => {
					const bytes = Buffer.from(`{${all.join(',')}}`);
					if (isScanFault(scanJson(Buffer.from(bytes), {}))) return;
					const result = new LargeResult(cutAt(bytes, at), false);
					for (const places of [placesOfResult(method, 'complete'), placesOfResult(method, 'task')]) {
						if (places === null) continue;
						const changed = changePlaces(Buffer.from(bytes), places, { change: (_leaf, value) => `${value}!` });
						if (changed?.equals(bytes) === true) continue;
						found++;
						expect(result.placeless).toBe(false);
					}
					if (all.length === 1 && /"type":"(?:image|text)"/.test(all[0] ?? '')) expect(result.placeless).toBe(true);
				},
			),
			{ numRuns: 2_000 },
		);
		expect(found).toBeGreaterThan(300);
	});

	test.each(['{"a":1}}', '{"a":1},"id":9,"result":{"b":2}', '{"a":"\u0001"}', '{"a":[1}'])(
		'that is no JSON goes on nowhere where somebody looks inside: %s',
		(text) => {
			const result = () => new LargeResult([Buffer.from(text)], false);
			expect(result().placeless).toBe(false);
			expect(modernCodec('tools/call').inPieces(result())).toBeNull();
			expect(codecOf(callOf('wrapped'), wrapping, true).inPieces(result())).toBeNull();
		},
	);
});
