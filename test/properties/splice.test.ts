import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everywhere, isScanFault, type Member, type Scanned, scanJson } from '../../src/lib/json-scan.ts';
import { type Edit, splice } from '../../src/lib/splice.ts';
import { withoutMembers } from '../../src/lib/without-members.ts';
import { keyText, keyOf, objectOf, objectText, valueText } from './json-text.ts';
import { sameJson } from './same-json.ts';
import './seed.ts';

function scan(text: string): Scanned {
	const scanned = scanJson(Buffer.from(text), everywhere);
	if (isScanFault(scanned)) throw new Error(`refused: ${scanned.fault} at ${scanned.at}`);
	return scanned;
}

test('edits of bytes are the edits of the text, between any two borders', () => {
	const cuts = fc.array(fc.tuple(fc.nat(40), fc.string({ unit: 'binary', maxLength: 5 }), fc.boolean()), {
		maxLength: 6,
	});
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), cuts, fc.nat(40), fc.nat(40), (bytes, wanted, one, other) => {
			const text = Buffer.from(bytes);
			const [from = 0, to = 0] = [one % (text.length + 1), other % (text.length + 1)].toSorted((a, b) => a - b);
			// Pairs of rising places between the borders.
			const places = wanted.map(([at]) => from + (at % (to - from + 1))).toSorted((a, b) => a - b);
			const edits: Edit[] = [];
			for (let i = 0; i + 1 < places.length; i += 2) {
				const [, replacement = '', asBuffer = false] = wanted[i] ?? [];
				edits.push({
					start: places[i] ?? 0,
					end: places[i + 1] ?? 0,
					text: asBuffer ? Buffer.from(replacement) : replacement,
				});
			}
			let expected = Buffer.from(text.subarray(0, to));
			for (const edit of edits.toReversed()) {
				const tail = expected.subarray(edit.end);
				expected = Buffer.concat([expected.subarray(0, edit.start), Buffer.from(edit.text), tail]);
			}
			const before = Buffer.from(text);
			expect(splice(text, edits, from, to)).toEqual(expected.subarray(from));
			expect(text).toEqual(before);
		}),
		{ numRuns: 2_000 },
	);
});

/** Walks spans and value together; `choose` says for each member whether it becomes another value. */
function edit(
	parts: readonly Member[],
	value: Record<string, unknown>,
	choose: () => string | null,
	edits: Edit[],
): Record<string, unknown> {
	const changed: [string, unknown][] = [];
	for (const part of parts) {
		const own = Object.getOwnPropertyDescriptor(value, part.key)?.value as unknown;
		const replacement = choose();
		if (replacement !== null) {
			edits.push({ start: part.start, end: part.end, text: replacement });
			changed.push([part.key, JSON.parse(replacement)]);
		} else if (part.members === null) changed.push([part.key, own]);
		else changed.push([part.key, edit(part.members, own as Record<string, unknown>, choose, edits)]);
	}
	if (Array.isArray(value)) return changed.map(([, item]) => item) as unknown as Record<string, unknown>;
	return Object.fromEntries(changed);
}

test('values that are replaced by their spans are replaced in what JSON.parse reads', () => {
	let edited = 0;
	const replacements = fc.array(fc.option(valueText, { freq: 2, nil: null }), { minLength: 30, maxLength: 30 });
	fc.assert(
		fc.property(objectText, replacements, (text, choices) => {
			const scanned = scan(text);
			const edits: Edit[] = [];
			let next = 0;
			const choose = () => choices[next++] ?? null;
			const expected = edit(scanned.members ?? [], JSON.parse(text) as Record<string, unknown>, choose, edits);
			const after = splice(scanned.text, edits);
			edited += edits.length;
			if (!sameJson(JSON.parse(after.toString()), expected)) throw new Error(after.toString());
			// What lies between the edits is there, byte for byte and in order.
			let [at, from] = [0, 0];
			for (const { start, end, text: replacement } of [...edits, { start: scanned.text.length, end: 0, text: '' }]) {
				const kept = scanned.text.subarray(from, start);
				expect(after.subarray(at, at + kept.length)).toEqual(kept);
				at += kept.length + Buffer.byteLength(replacement);
				from = end;
			}
			expect(at).toBe(after.length);
		}),
		{ numRuns: 1_000 },
	);
	expect(edited).toBeGreaterThan(1_000);
});

test('members that are taken out are gone, the others stay as they were written', () => {
	const members = fc.uniqueArray(fc.tuple(keyText, valueText), { maxLength: 8, selector: ([key]) => keyOf(key) });
	fc.assert(
		fc.property(members, fc.infiniteStream(fc.boolean()), (all, choices) => {
			const gone = new Set(all.filter(() => choices.next().value).map(([key]) => keyOf(key)));
			const left = all.filter(([key]) => !gone.has(keyOf(key)));
			const text = Buffer.from(objectOf(all).replace(/[\r\n]/g, ' '));
			expect(withoutMembers(text, gone).toString()).toBe(objectOf(left).replace(/[\r\n]/g, ' '));
		}),
		{ numRuns: 1_000 },
	);
	// With space around everything, only the bytes of the others count.
	fc.assert(
		fc.property(objectText, fc.infiniteStream(fc.boolean()), (text, choices) => {
			const scanned = scan(text);
			const gone = new Set((scanned.members ?? []).filter(() => choices.next().value).map(({ key }) => key));
			const after = scan(withoutMembers(scanned.text, gone).toString());
			const written = ({ text: bytes, members: parts }: Scanned) =>
				(parts ?? [])
					.filter(({ key }) => !gone.has(key))
					.map(({ keyStart, end }) => bytes.toString('utf8', keyStart, end));
			expect(written(after)).toEqual(written(scanned));
			expect(after.members).toHaveLength(written(scanned).length);
		}),
		{ numRuns: 1_000 },
	);
});
