import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPieces } from '../../src/lib/json-pieces.ts';
import { everywhere, isScanFault, type Member, scanJson } from '../../src/lib/json-scan.ts';
import { plainRunEnd } from '../../src/lib/plain-run.ts';
import { objectText } from './json-text.ts';
import './seed.ts';

const names = new Set(['uri', 'id', 'a', 'name', '__proto__']);

const cuts = fc.array(fc.nat(), { maxLength: 5 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
	const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

/** What the scanner of whole texts says; null for what pieces leave to it. */
function scanned(text: Buffer): { key: string; keyStart: number; start: number; end: number }[] | null {
	const copy = Buffer.from(text);
	const found = scanJson(copy, {});
	if (isScanFault(found) || !copy.equals(text) || found.start !== 0 || text[0] !== 0x7b) return null;
	const members = found.members ?? [];
	const long = members.some((one) => text.indexOf(':', one.keyStart + 256) >= 0 && keyEnd(text, one) > 256);
	// Space behind an object does no harm, and the scanner does not count it.
	return members.length > 64 || long
		? null
		: members.map(({ key, keyStart, start, end }) => ({ key, keyStart, start, end }));
}

function keyEnd(text: Buffer, { keyStart, start }: Pick<Member, 'keyStart' | 'start'>): number {
	return text.toString('latin1', keyStart, start).replace(/[ \t]*:[ \t]*$/, '').length;
}

/** Whether a key is one of the names, or spelt with escapes. */
function holdsName(text: Buffer, members: readonly Member[] | null, inside: number): boolean {
	return (members ?? []).some((member) => {
		const own = text[inside] === 0x7b && (names.has(member.key) || keyText(text, member).includes('\\'));
		return own || holdsName(text, member.members, member.start);
	});
}

function keyText(text: Buffer, member: Member): string {
	return text.toString('utf8', member.keyStart, member.start).replace(/[ \t]*:[ \t]*$/, '');
}

const onOneLine = objectText.map((text) => Buffer.from(text.replace(/[\r\n]/g, ' ')));

describe('an object in pieces', () => {
	test('is read as the scanner reads it whole, wherever it is cut', () => {
		let members = 0;
		fc.assert(
			fc.property(onOneLine, cuts, (text, places) => {
				const read = readPieces(cutAt(text, places), names);
				expect(read?.members ?? null).toEqual(scanned(text));
				members += read?.members.length ?? 0;
				const all = scanJson(text, everywhere);
				if (!isScanFault(all)) expect(read?.named).toBe(holdsName(text, all.members, 0));
			}),
			{ numRuns: 2_000 },
		);
		expect(members).toBeGreaterThan(2_000);
	});

	test('is refused where the scanner refuses it, damaged in any way', () => {
		const bytes = fc.oneof(
			fc.constantFrom(...Buffer.from('{}[]",:\\/ue+-.019 \t\n\r\u0000\u001ftrufalsn')),
			fc.integer({ min: 0, max: 255 }),
		);
		const change = fc.tuple(fc.nat(), fc.nat(3), fc.array(bytes, { maxLength: 2 }));
		let accepted = 0;
		let refused = 0;
		fc.assert(
			fc.property(onOneLine, fc.array(change, { minLength: 1, maxLength: 3 }), cuts, (whole, changes, places) => {
				let text = whole;
				for (const [place, gone, put] of changes) {
					const at = place % (text.length + 1);
					text = Buffer.concat([text.subarray(0, at), Buffer.from(put), text.subarray(at + gone)]);
				}
				// Whoever reads pieces knows that already.
				if (!isUtf8(text)) return;
				const read = readPieces(cutAt(text, places), names);
				expect(read?.members ?? null).toEqual(scanned(text));
				if (read === null) refused++;
				else accepted++;
			}),
			{ numRuns: 6_000 },
		);
		expect(accepted).toBeGreaterThan(300);
		expect(refused).toBeGreaterThan(1_500);
	});

	const odd = Buffer.from(
		'{ "a\\u0062\\n" : [ -0.5e+10 , 0, 12.25E-3 ,true,false ,null, "\\"\\\\\\/\\b\\f\\n\\r\\t\\uD800 é😀" ],"":{"uri":{}, "x":[]},' +
			' "long long long key":"long long long text without anything in it" , "n" : 7 }',
	);
	test('is the same for each place at which it is cut, and for each two', () => {
		const whole = readPieces([odd], names);
		expect(whole?.members).toEqual(scanned(odd));
		for (let at = 0; at <= odd.length; at++) {
			for (let to = at; to <= odd.length; to++) {
				const read = readPieces([odd.subarray(0, at), odd.subarray(at, to), odd.subarray(to)], names);
				if (read?.members.length !== whole?.members.length) throw new Error(`cut at ${at} and ${to}`);
				expect(read).toEqual(whole);
			}
		}
		const single = Array.from(odd, (_, at) => odd.subarray(at, at + 1));
		expect(readPieces(single, names)).toEqual(whole);
		const copied = single.map((byte) => Buffer.from(byte));
		expect(readPieces(copied, names)).toEqual(whole);
	});

	test('is refused with any byte of it gone, or in the place of any other, as by the scanner', () => {
		for (let at = 0; at < odd.length; at++) {
			for (let byte = 0; byte < 0x80; byte++) {
				const text = Buffer.from(odd);
				text[at] = byte;
				if (!isUtf8(text)) continue;
				const read = readPieces([text.subarray(0, at + 1), text.subarray(at + 1)], names)?.members ?? null;
				const expected = scanned(text);
				if (JSON.stringify(read) !== JSON.stringify(expected))
					expect({ at, byte, read }).toEqual({ at, byte, read: expected });
			}
		}
	});

	test.each([
		['128 levels', `{"a":${'['.repeat(127)}${']'.repeat(127)}}`, true],
		['129 levels', `{"a":${'['.repeat(128)}${']'.repeat(128)}}`, false],
		['equal keys', '{"a":1,"b":2,"\\u0061":3}', false],
		['equal keys further inside, as the scanner', '{"x":{"a":1,"a":2}}', true],
		['64 members', `{${Array.from({ length: 64 }, (_, i) => `"k${i}":1`).join()}}`, true],
		['65 members', `{${Array.from({ length: 65 }, (_, i) => `"k${i}":1`).join()}}`, false],
		['a key of 255 bytes', `{"${'k'.repeat(254)}":1}`, true],
		['a longer key', `{"${'k'.repeat(255)}":1}`, false],
		['a second object', '{"a":1}{"b":2}', false],
		['what could be an envelope', '{"a":1},"id":9,"result":{"b":2}', false],
		['a list', '[1]', false],
		['an end that is missing', '{"a":{"b":1}', false],
		['nothing', '', false],
	])('%s', (_name, text, taken) => {
		const bytes = Buffer.from(text);
		for (const size of [1, 2, 7, 1_000]) {
			const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
				bytes.subarray(i * size, (i + 1) * size),
			);
			expect(readPieces(pieces, names) !== null, `in pieces of ${size}`).toBe(taken);
		}
	});

	test.each([
		['{"x":[{"uri":1}]}', true],
		['{"uri":1}', true],
		['{"x":[{"u\\u0072i":1}]}', true],
		['{"x":[{"urj":1}]}', false],
		['{"x":["uri","\\"uri\\":1"]}', false],
		[`{"x":{"${'u'.repeat(35)}":1}}`, false],
	])('%s names something: %s', (text, named) => {
		const bytes = Buffer.from(text);
		for (let at = 0; at <= bytes.length; at++)
			expect(readPieces([bytes.subarray(0, at), bytes.subarray(at)], names)?.named).toBe(named);
	});
});

/** The same, a byte at a time. */
function slowRunEnd(text: Buffer, from: number): number {
	for (let at = from; at < text.length; at++) {
		const byte = text[at] ?? 0;
		if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return at;
	}
	return text.length;
}

describe('a run of plain bytes', () => {
	test('ends at the same byte as one that is read byte by byte: each byte, each place, each alignment', () => {
		const ground = Buffer.alloc(64, 0x7f);
		for (const fill of [0x20, 0x21, 0x23, 0x7f, 0x80, 0xff, 0x5b, 0x5d]) {
			for (let byte = 0; byte < 256; byte++) {
				for (let offset = 0; offset < 8; offset++) {
					for (let at = 0; at < 10; at++) {
						const text = ground.subarray(offset, offset + 11);
						text.fill(fill);
						text[at] = byte;
						const view = new DataView(text.buffer, text.byteOffset, text.length);
						const end = plainRunEnd(text, view, 0, false);
						if (end !== slowRunEnd(text, 0)) expect({ fill, byte, offset, at, end }).toBeNull();
					}
				}
			}
		}
	});

	test('of any bytes, from anywhere', () => {
		const bytes = fc.uint8Array({ maxLength: 40 });
		fc.assert(
			fc.property(bytes, fc.nat(8), fc.nat(40), (array, offset, from) => {
				const text = Buffer.concat([Buffer.alloc(offset), array]).subarray(offset);
				const at = Math.min(from, text.length);
				const view = new DataView(text.buffer, text.byteOffset, text.length);
				expect(plainRunEnd(text, view, at, false)).toBe(slowRunEnd(text, at));
			}),
			{ numRuns: 20_000 },
		);
	});

	test('passes over each escape that there is, and over no other', () => {
		const after = 'plain"';
		for (let byte = 0; byte < 256; byte++) {
			const text = Buffer.concat([Buffer.from('ab\\'), Buffer.from([byte]), Buffer.from(after)]);
			const view = new DataView(text.buffer, text.byteOffset, text.length);
			const isEscape = '"\\/bfnrt'.includes(String.fromCharCode(byte));
			expect(plainRunEnd(text, view, 0, true)).toBe(isEscape ? text.length - 1 : 2);
		}
		for (let digit = 0; digit < 4; digit++) {
			for (let byte = 0; byte < 256; byte++) {
				const text = Buffer.from(`ab\\u12aF${after}`);
				text[4 + digit] = byte;
				const view = new DataView(text.buffer, text.byteOffset, text.length);
				const isHex = /[0-9a-fA-F]/.test(String.fromCharCode(byte));
				expect(plainRunEnd(text, view, 0, true)).toBe(isHex ? text.length - 1 : 2);
			}
		}
	});
});
