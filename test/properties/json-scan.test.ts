import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everywhere, isScanFault, type Member, maximumDepth, type Scanned, scanJson } from '../../src/lib/json-scan.ts';
import { documentText, keyOf, keyText, listText, numberText, objectOf, objectText, stringText } from './json-text.ts';
import { sameJson } from './same-json.ts';
import './seed.ts';

const numRuns = 2_000;

function scan(text: string | Buffer, look = everywhere): Scanned {
	const scanned = scanJson(Buffer.from(text), look);
	if (isScanFault(scanned)) throw new Error(`refused: ${scanned.fault} at ${scanned.at}`);
	return scanned;
}

function parsed(text: Buffer, part: Pick<Member, 'start' | 'end'>): unknown {
	return JSON.parse(text.toString('utf8', part.start, part.end));
}

/** Throws where the spans differ from what JSON.parse finds. */
function compare(text: Buffer, part: Pick<Member, 'start' | 'end' | 'members'>, value: unknown): number {
	if (!sameJson(parsed(text, part), value)) throw new Error(`a span holds ${JSON.stringify(value)}`);
	if (part.members === null) {
		if (typeof value === 'object' && value !== null) throw new Error('an object without members');
		return 1;
	}
	const entries = Object.entries(value as Record<string, unknown>);
	// JavaScript puts keys that look like indices first; the text's own order is the scanner's.
	const keys = part.members.map((member) => member.key);
	if (!sameJson(keys.toSorted(), entries.map(([key]) => key).toSorted())) throw new Error('other keys');
	let count = 1;
	for (const member of part.members) {
		const own = Object.getOwnPropertyDescriptor(value, member.key)?.value as unknown;
		if (!Array.isArray(value) && JSON.parse(keyIn(text, member)) !== member.key) throw new Error('another key');
		count += compare(text, member, own);
	}
	return count;
}

function keyIn(text: Buffer, member: Member): string {
	return text.toString('utf8', member.keyStart, member.start).replace(/[ \t]*:[ \t]*$/, '');
}

describe('a JSON text', () => {
	test('is accepted, and each span holds what JSON.parse finds there', () => {
		let values = 0;
		fc.assert(
			fc.property(documentText, (text) => {
				const scanned = scan(text);
				values += compare(scanned.text, scanned, JSON.parse(text));
			}),
			{ numRuns },
		);
		// The documents were more than bare numbers.
		expect(values).toBeGreaterThan(3 * numRuns);
	});

	test('changes only in its line breaks outside strings, which become spaces', () => {
		fc.assert(
			fc.property(documentText, (text) => {
				const { text: after } = scan(text);
				expect(after.includes(0x0a) || after.includes(0x0d)).toBe(false);
				expect(after.toString()).toBe(text.replace(/[\r\n]/g, ' '));
			}),
			{ numRuns: 500 },
		);
	});

	test('is looked into only where it was asked', () => {
		const member = fc.tuple(fc.constantFrom('a', 'b', 'c'), objectText);
		fc.assert(
			fc.property(
				fc.uniqueArray(member, { selector: ([key]) => key }),
				fc.subarray(['a', 'b', 'c']),
				(members, keys) => {
					const text = `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`;
					const look = Object.fromEntries(keys.map((key) => [key, {}]));
					for (const found of scan(text, look).members ?? []) {
						expect(found.members !== null).toBe(keys.includes(found.key));
						for (const inner of found.members ?? []) expect(inner.members).toBeNull();
					}
				},
			),
			{ numRuns: 300 },
		);
	});
});

type Damage = (bytes: Buffer) => Buffer;

const byte = fc.oneof(
	fc.constantFrom(...Buffer.from('{}[]",:\\/ue+-.019 \t\n\r\u0000trufalsn')),
	fc.integer({ min: 0, max: 255 }),
);

const damage: fc.Arbitrary<Damage> = fc
	.tuple(fc.constantFrom('cut', 'put', 'set', 'twice', 'move'), fc.nat(), fc.nat(), byte)
	.map(([kind, first, second, value]) => (bytes) => {
		const at = first % (bytes.length + 1);
		const end = Math.min(bytes.length, at + 1 + (second % 4));
		const part = bytes.subarray(at, end);
		switch (kind) {
			case 'cut':
				return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
			case 'put':
				return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
			case 'set':
				return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at + 1)]);
			case 'twice':
				return Buffer.concat([bytes.subarray(0, end), part, bytes.subarray(end)]);
			default:
				return Buffer.concat([bytes.subarray(end), part, bytes.subarray(0, at)]);
		}
	});

function isJson(bytes: Buffer): boolean {
	if (!isUtf8(bytes)) return false;
	try {
		JSON.parse(bytes.toString());
		return true;
	} catch {
		return false;
	}
}

describe('a damaged text', () => {
	test('is accepted exactly when JSON.parse accepts it', () => {
		let accepted = 0;
		let refused = 0;
		fc.assert(
			fc.property(documentText, fc.array(damage, { minLength: 1, maxLength: 3 }), (text, damages) => {
				const bytes = damages.reduce<Buffer>((before, change) => change(before), Buffer.from(text));
				// Inside an array nothing is recorded, so equal keys are no fault.
				const valid = isJson(bytes);
				const inside = scanJson(Buffer.concat([Buffer.from('['), bytes, Buffer.from(']')]), {});
				expect(isScanFault(inside)).toBe(!isJson(Buffer.concat([Buffer.from('['), bytes, Buffer.from(']')])));
				const scanned = scanJson(Buffer.from(bytes), everywhere);
				const doubled = isScanFault(scanned) && scanned.fault === 'duplicate-key';
				if (!doubled) expect(isScanFault(scanned)).toBe(!valid);
				if (valid && !isScanFault(scanned)) compare(scanned.text, scanned, JSON.parse(bytes.toString()));
				if (isScanFault(scanned)) expect(scanned.at).toBeLessThanOrEqual(bytes.length);
				if (valid) accepted++;
				else refused++;
			}),
			{ numRuns: 3 * numRuns },
		);
		expect(accepted).toBeGreaterThan(numRuns / 10);
		expect(refused).toBeGreaterThan(numRuns);
	});

	test('of any bytes at all is refused or read, never a fault of the scanner', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
				const scanned = scanJson(Buffer.from(bytes), everywhere);
				if (!isScanFault(scanned)) expect(isJson(Buffer.from(bytes))).toBe(true);
				else if (scanned.fault === 'utf-8') expect(isUtf8(bytes)).toBe(false);
			}),
			{ numRuns },
		);
	});
});

describe('what is refused although it is JSON', () => {
	test('equal keys, in an object that is recorded', () => {
		const key = fc.oneof(
			keyText,
			fc.nat().map((n) => `"k${n}"`),
		);
		const keys = fc.uniqueArray(key, { maxLength: 60, size: 'max', selector: keyOf });
		fc.assert(
			fc.property(keys, fc.option(fc.tuple(fc.nat(), fc.nat()), { nil: null }), (distinct, repeat) => {
				const all = [...distinct];
				const [from, to] = repeat ?? [0, 0];
				const repeated = repeat === null ? undefined : distinct[from % distinct.length];
				if (repeated !== undefined) all.splice(to % (all.length + 1), 0, repeated);
				const text = objectOf(all.map((one) => [one, '1']));
				const scanned = scanJson(Buffer.from(text), {});
				const expected = repeated === undefined ? 'none' : 'duplicate-key';
				expect(isScanFault(scanned) ? scanned.fault : 'none').toBe(expected);
				expect(isScanFault(scanJson(Buffer.from(`[${text}]`), {}))).toBe(false);
			}),
			{ numRuns: 1_000 },
		);
	});

	test('nesting deeper than the limit', () => {
		const layer = fc.constantFrom<[string, string]>(['[', ']'], ['{"a":', '}'], ['[1,', ']'], ['{"b":[],"c":', '}']);
		fc.assert(
			fc.property(fc.array(layer, { minLength: 120, maxLength: 136 }), fc.boolean(), (layers, looked) => {
				const before = layers.map(([open]) => open).join('');
				const after = layers.map(([, close]) => close).toReversed();
				// The empty list in a layer lies one deeper than the layer itself.
				const deepest = Math.max(...layers.map(([open], index) => index + (open.includes('[]') ? 2 : 1)));
				const scanned = scanJson(Buffer.from(`${before}"x"${after.join('')}`), looked ? everywhere : {});
				expect(isScanFault(scanned) ? scanned.fault : 'none').toBe(deepest > maximumDepth ? 'depth' : 'none');
			}),
			{ numRuns: 300 },
		);
	});
});

test('numbers and strings alone are read to their end', () => {
	fc.assert(
		fc.property(fc.oneof(numberText, stringText, listText), (text) => {
			const bytes = Buffer.from(text);
			expect(scan(text)).toMatchObject({ start: 0, end: bytes.length });
			expect(isScanFault(scanJson(Buffer.from(`${text}x`), {}))).toBe(true);
			expect(isScanFault(scanJson(Buffer.from(bytes.subarray(0, -1)), {}))).toBe(!isJson(bytes.subarray(0, -1)));
		}),
		{ numRuns },
	);
});
