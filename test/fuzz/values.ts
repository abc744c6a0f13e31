import type { Random } from './random.ts';

const keys = [
	'a',
	'text',
	'name',
	'id',
	'_meta',
	'__proto__',
	'constructor',
	'prototype',
	'toString',
	'',
	'\\u0061',
	'é',
];
const scalars = [
	...['null', 'true', 'false', '0', '-0', '1', '-1.5', '1e400', '1E-7', '9007199254740993', '12345678901234567890'],
	...[
		'""',
		'"x"',
		'"\\ud800"',
		'"\\u0000"',
		'"\\n"',
		'"__proto__"',
		'"\u202e\u2066"',
		'"\u{e0041}"',
		'"é😀"',
		'"</script>"',
	],
];

/** A JSON value as text: well-formed, odd, and rarely large. */
export function valueText(random: Random, depth = 0): string {
	const kind = random.below(depth > 4 ? 4 : 8);
	if (kind < 4) return random.pick(scalars);
	if (kind === 4) return `[${many(random, () => valueText(random, depth + 1))}]`;
	if (kind === 5 && random.once(200)) return large(random);
	return objectText(random, depth);
}

/** An object as text. Keys may come twice, as hostile ones do. */
export function objectText(random: Random, depth = 0): string {
	return `{${many(random, () => `"${random.pick(keys)}":${valueText(random, depth + 1)}`)}}`;
}

function many(random: Random, one: () => string): string {
	const parts: string[] = [];
	for (let count = random.below(4); count > 0; count--) parts.push(one());
	return parts.join(random.once(8) ? ' ,\n ' : ',');
}

function large(random: Random): string {
	switch (random.below(5)) {
		case 0:
			return `"${'x'.repeat(300_000)}"`;
		case 1:
			return `${'['.repeat(127)}${']'.repeat(127)}`;
		case 2:
			return `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
		case 3:
			return `[${'{},'.repeat(5_000)}{}]`;
		default:
			return `"${'\\u0041'.repeat(5_000)}"`;
	}
}

/** A JSON-RPC id as text. */
export function idText(random: Random): string {
	if (!random.once(6)) return String(random.below(1_000_000));
	return random.pick([
		...['null', '-0', '1.0', '1e2', '""', '"a"', '"__proto__"', '"\\u0061"', '9007199254740991', '9007199254740993'],
		...['true', '[]', '{}', `"${'x'.repeat(256)}"`, `"${'x'.repeat(257)}"`, '0', '"\\ud800"', '"a\\nb"'],
	]);
}
