import { expect, test } from 'vitest';
import { escapeLength, plainRunEnd } from './plain-run.ts';

const bytes = ['a', ' ', '!', '\u007f', 'ü', '€', '"', '\\', '\\"', '\\u12aF', '\\u12', '\u0000', '\u001f', '\t'];
/** Each of the bytes behind none to eleven plain ones and in front of as many, and of another such. */
const texts = bytes.flatMap((first) =>
	bytes.flatMap((second) =>
		Array.from({ length: 12 }, (_, before) =>
			[0, 1, 2, 3, 4, 7, 20].map((after) => `${'x'.repeat(before)}${first}${second}${'y'.repeat(after)}`),
		).flat(),
	),
);

const stops = (byte: number) => byte < 0x20 || byte === 0x22 || byte === 0x5c;

test('stops where a byte at a time would, in runs of all lengths', () => {
	const wrong: unknown[] = [];
	for (const text of texts) {
		const all = Buffer.from(text);
		const view = new DataView(all.buffer, all.byteOffset, all.length);
		for (let at = 0; at <= all.length; at++) {
			const next = all.subarray(at).findIndex(stops);
			const end = plainRunEnd(all, view, at, false);
			if (end !== (next < 0 ? all.length : at + next)) wrong.push({ text, at, end });
		}
	}
	expect(wrong).toEqual([]);
});

test('passes over whole escapes, at least until the end is near', () => {
	const wrong: unknown[] = [];
	for (const text of texts) {
		const all = Buffer.from(text);
		const view = new DataView(all.buffer, all.byteOffset, all.length);
		const end = plainRunEnd(all, view, 0, true);
		let at = 0;
		while (at < end) at += all[at] === 0x5c ? escapeLength(all, at) || Number.NaN : 1;
		const stopped = end === all.length || stops(all[end] as number);
		const couldGoOn = all[end] === 0x5c && escapeLength(all, end) > 0 && end < all.length - 8;
		if (at !== end || !stopped || couldGoOn) wrong.push({ text, at, end });
	}
	expect(wrong).toEqual([]);
});
