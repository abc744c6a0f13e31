import type { Random } from './random.ts';

/** Pieces that parsers trip over. */
const pieces = [
	...['{', '}', '[', ']', '"', ',', ':', '\\', '\n', '\r', '\u0000', '\u007f', '\u2028', '\ufeff', '\ud83d\ude00'],
	...['null', 'true', '-0', '1e400', '1e-400', '9007199254740993', '12345678901234567890', '0.1e+', '00', '-'],
	...['\\ud800', '\\udc00\\ud800', '\\u0000', '\\u000a', '\\"', '\\x', '"__proto__":', '"constructor":{', '"id":'],
	...['"method":', '"result":', '"error":', '"params":{', '"_meta":{', '{}', '[]', '[{}]', '[[', '/*', 'NaN', "'"],
	...['event: message\n', 'data: ', 'data:{}\n\n', 'id: 1\n', 'retry: 1\n', '\n\n', '\r\n'],
].map((piece) => Buffer.from(piece));

const bytes = [0x00, 0x0a, 0x0d, 0x1f, 0x22, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xf4, 0xff];

/** A text with a few changes that no generator would think of. */
export function mutate(random: Random, text: Buffer, other: Buffer): Buffer {
	let changed = text;
	for (let rounds = 1 + random.below(3); rounds > 0; rounds--) changed = change(random, changed, other);
	return changed;
}

function change(random: Random, text: Buffer, other: Buffer): Buffer {
	const at = random.below(text.length + 1);
	const to = Math.min(text.length, at + random.below(12));
	switch (random.below(8)) {
		case 0:
			return join(text.subarray(0, at), random.pick(pieces), text.subarray(at));
		case 1:
			return join(text.subarray(0, at), random.pick(pieces), text.subarray(to));
		case 2:
			return join(text.subarray(0, at), text.subarray(to));
		case 3:
			return text.subarray(0, at);
		case 4:
			return join(text.subarray(0, to), text.subarray(at));
		case 5:
			return join(text.subarray(0, at), other.subarray(random.below(other.length + 1)));
		case 6:
			return flipped(random, text);
		default: {
			const copy = Buffer.from(text);
			if (at < copy.length) copy[at] = random.pick(bytes);
			return copy;
		}
	}
}

function flipped(random: Random, text: Buffer): Buffer {
	const copy = Buffer.from(text);
	const at = random.below(copy.length + 1);
	const byte = copy[at];
	if (byte !== undefined) copy[at] = byte ^ (1 << random.below(8));
	return copy;
}

function join(...parts: Buffer[]): Buffer {
	return Buffer.concat(parts);
}
