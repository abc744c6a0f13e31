import fc from 'fast-check';

/** What may stand between the parts of a JSON text; mostly nothing. */
const space = fc
	.array(fc.constantFrom(' ', '\t', '\n', '\r'), { maxLength: 3 })
	.map((all) => all.join(''))
	.chain((some) => fc.oneof({ weight: 3, arbitrary: fc.constant('') }, fc.constant(some)));

/** Numbers in all forms that JSON allows, those included that floating point cannot hold. */
export const numberText = fc.oneof(
	fc.constantFrom('0', '-0', '1e400', '-1E-400', '9007199254740993', '0.1e+1', '123456789012345678901234567890'),
	fc
		.tuple(
			fc.constantFrom('', '-'),
			fc.bigInt({ min: 0n, max: 10n ** 25n }),
			fc.option(fc.stringMatching(/^[0-9]{1,20}$/), { nil: null }),
			fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), fc.stringMatching(/^[0-9]{1,4}$/)), { nil: null }),
		)
		.map(([sign, whole, fraction, exponent]) =>
			[sign, whole, fraction === null ? '' : `.${fraction}`, exponent === null ? '' : exponent.join('')].join(''),
		),
);

const piece = fc.oneof(
	// As others write it, and as it may stand: anything but quotes, backslashes and control characters.
	fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text).slice(1, -1)),
	fc.string({ unit: 'binary', maxLength: 4 }).map((text) => text.replace(/[\u0000-\u001f"\\]/g, '')),
	fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000', '\\uD83D\\uDE00', '\\uD800'),
	fc.constantFrom('{', '}', '[', ']', ',', ':', '\u2028', '\u007f', '\ufeff', '😀', 'true', ' '),
	fc.integer({ min: 0, max: 0xffff }).map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`),
);

/** A string with its quotes. */
export const stringText = fc.array(piece, { maxLength: 5 }).map((pieces) => `"${pieces.join('')}"`);

/** Keys that mean something to the scanner, to JavaScript or to MCP, and any others. */
export const keyText = fc.oneof(
	fc
		.constantFrom('id', 'method', 'params', '_meta', 'name', 'uri', '[]', '', '__proto__', 'constructor', 'ref')
		.map((key) => JSON.stringify(key)),
	fc.constantFrom('"\\u0069d"', '"\\u005f\\u005fproto\\u005f_"', '"n\\u0061me"'),
	stringText,
);

const { value, list, object } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 5, depthSize: 'small', withCrossShrink: true },
		fc.constantFrom('true', 'false', 'null'),
		numberText,
		stringText,
		tie('list'),
		tie('object'),
	),
	list: fc
		.tuple(space, fc.array(fc.tuple(space, tie('value'), space), { maxLength: 5 }))
		.map(([inside, items]) =>
			items.length === 0 ? `[${inside}]` : `[${items.map((item) => item.join('')).join(',')}]`,
		),
	object: fc
		.tuple(
			space,
			fc.uniqueArray(fc.tuple(space, keyText, space, space, tie('value'), space), {
				maxLength: 6,
				selector: ([, key]) => keyOf(key),
			}),
		)
		.map(([inside, members]) =>
			members.length === 0
				? `{${inside}}`
				: `{${members.map(([a, key, b, c, of, d]) => `${a}${key}${b}:${c}${of}${d}`).join(',')}}`,
		),
}));

/** Any JSON value: odd spaces, escapes, characters and numbers, but no equal keys in one object. */
export const valueText = value;

/** A JSON array, as `valueText`. */
export const listText = list;

/** A JSON object, as `valueText`. */
export const objectText = object;

/** A whole JSON text: a value with space around it. */
export const documentText = fc.tuple(space, value, space).map((parts) => parts.join(''));

/** The key that a text with quotes stands for. */
export function keyOf(text: string): string {
	return JSON.parse(text) as string;
}

/** Members as an object text, in their order. */
export function objectOf(members: readonly (readonly [key: string, text: string])[]): string {
	return `{${members.map(([key, text]) => `${key}:${text}`).join(',')}}`;
}
