import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTargetName } from '../../src/config/target-name.ts';
import { plainDecimal, sameDecimal } from '../../src/lib/decimal.ts';
import { decodeHeader, encodeHeader } from '../../src/mcp/params/header-value.ts';
import { createNaming } from '../../src/mcp/names.ts';
import { readParamHeaders } from '../../src/mcp/params/param-headers.ts';
import { checkParamHeaders, paramHeaders } from '../../src/mcp/params/param-values.ts';
import { numberText, stringText, valueText } from './json-text.ts';
import './seed.ts';

const numRuns = 2_000;

/** Legal target names, short ones first: they are more likely to be mistaken for one another. */
const targetName = fc
	.oneof(
		fc.constantFrom('a', 'b', 'ui', 'a-b', 'a.b', 'a.a', '0', 'x'.repeat(253)),
		fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?)?$/),
	)
	.filter(isTargetName);

const targets = fc.uniqueArray(targetName, { minLength: 1, maxLength: 5 });

/** Names and URIs of servers that took pains to look like exposed ones. */
const hostile = (names: readonly string[]) =>
	fc
		.array(
			fc.oneof(
				fc.constantFrom(...names),
				fc.constantFrom(
					'_',
					'+',
					'://',
					'ui://',
					'UI://',
					'file:///',
					'__proto__',
					'constructor',
					'{x}',
					'?',
					'#',
					'%2B',
				),
				fc.string({ unit: 'binary', maxLength: 4 }),
			),
			{ maxLength: 6 },
		)
		.map((parts) => parts.join(''));

const world = targets.chain((names) =>
	fc.record({ names: fc.constant(names), items: fc.array(hostile(names), { maxLength: 6 }) }),
);
const roster = (names: readonly string[]) => names.map((name) => ({ name }));

describe.each(['conditional', 'always'] as const)('names and URIs, %s', (mode) => {
	test('lead back to the server and the name that they were made from', () => {
		fc.assert(
			fc.property(world, ({ names, items }) => {
				const naming = createNaming(roster(names), mode);
				for (const target of names) {
					for (const name of items) {
						const owned = { target, name, hidden: null };
						expect(naming.ownerOfName('tool', naming.exposeName('tool', target, name))).toEqual(owned);
						expect(naming.ownerOfUri(naming.exposeUri(target, name))).toEqual(owned);
						expect(naming.ownerOfTask(naming.exposeTask(target, name))).toEqual(owned);
					}
				}
			}),
			{ numRuns },
		);
	});

	test('are different when server or name differ', () => {
		fc.assert(
			fc.property(world, ({ names, items }) => {
				const naming = createNaming(roster(names), mode);
				const distinct = [...new Set(items)];
				const exposed = (expose: (target: string, name: string) => string) =>
					new Set(names.flatMap((target) => distinct.map((name) => expose(target, name))));
				expect(exposed((target, name) => naming.exposeName('prompt', target, name)).size).toBe(
					names.length * distinct.length,
				);
				expect(exposed(naming.exposeUri).size).toBe(names.length * distinct.length);
			}),
			{ numRuns },
		);
	});
});

test('strict names fit, differ when server or name differ, and lead back unless they were changed', () => {
	fc.assert(
		fc.property(world, fc.constantFrom('conditional', 'always', 'never'), ({ names, items }, mode) => {
			const naming = createNaming(roster(names), mode, 'strict');
			const seen = new Map<string, string>();
			for (const target of names) {
				for (const name of new Set(items)) {
					const exposed = naming.exposeName('tool', target, name);
					expect(exposed).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
					const plain = exposed === name && !naming.prefixed;
					if (!plain) expect(seen.get(exposed)).toBeUndefined();
					seen.set(exposed, target);
					const owner = naming.ownerOfName('tool', exposed);
					if (owner !== null) expect(owner).toEqual({ target, name, hidden: null });
				}
			}
		}),
		{ numRuns },
	);
});

test('whatever a client names, an owner is one of the targets, and exposes it under that very name', () => {
	let owned = 0;
	fc.assert(
		fc.property(world, fc.constantFrom('conditional', 'always', 'never'), ({ names, items }, mode) => {
			const naming = createNaming(roster(names), mode);
			for (const item of items) {
				const byName = naming.ownerOfName('tool', item);
				const byUri = naming.ownerOfUri(item);
				for (const owner of [byName, byUri]) if (owner !== null) expect(names).toContain(owner.target);
				if (byName !== null) expect(naming.exposeName('tool', byName.target, byName.name)).toBe(item);
				if (byUri !== null) {
					owned++;
					// `a+ui://x` is refused: clients are shown `ui://a+x`, and there is no second way to write it.
					expect(naming.exposeUri(byUri.target, byUri.name)).toBe(item);
				}
			}
		}),
		{ numRuns },
	);
	expect(owned).toBeGreaterThan(numRuns / 4);
});

describe('header values', () => {
	const text = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.string(),
		fc.array(fc.constantFrom('=?base64?', '?=', ' ', '\t', 'a', 'é', '=', '\r\n')).map((parts) => parts.join('')),
	);
	test('are visible ASCII and lead back to their text', () => {
		fc.assert(
			fc.property(text, (value) => {
				const header = encodeHeader(value);
				expect(header).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
				expect(decodeHeader(header)).toBe(value);
			}),
			{ numRuns },
		);
	});
	test('of any kind are read or refused', () => {
		fc.assert(
			fc.property(text, (header) => {
				const value = decodeHeader(header);
				if (value !== null) expect(decodeHeader(encodeHeader(value))).toBe(value);
			}),
			{ numRuns },
		);
	});
	test('of arguments agree with the arguments they were made from, and with no others', () => {
		const schema = Buffer.from('{"properties":{"a":{"properties":{"b":{"type":"string","x-mcp-header":"B"}}}}}');
		const declared = readParamHeaders(schema, { start: 0, end: schema.length });
		if (declared.kind !== 'declared') throw new Error(declared.reason);
		// Half a surrogate pair has no UTF-8, so no header can say it.
		const value = fc
			.oneof(stringText, numberText, fc.integer().map(String), valueText)
			.filter((one) => !/\\u[dD][89a-fA-F]/.test(one));
		let compared = 0;
		fc.assert(
			fc.property(value, value, (one, other) => {
				const argumentsOf = (text: string) => Buffer.from(`{"x":1,"a":{"b":${text}}}`);
				const [name, header] = paramHeaders(declared, argumentsOf(one));
				const headers = name === undefined ? {} : { [name]: header };
				expect(checkParamHeaders(declared, argumentsOf(one), headers)).toBeNull();
				if (header === undefined) return;
				const [, second] = paramHeaders(declared, argumentsOf(other));
				if (second === undefined || second === header) return;
				if (sameDecimal(second, header)) return;
				compared++;
				expect(checkParamHeaders(declared, argumentsOf(other), headers)).toContain('Mcp-Param-B');
			}),
			{ numRuns },
		);
		expect(compared).toBeGreaterThan(numRuns / 4);
	});
});

describe('decimals', () => {
	const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -30, max: 30 }));
	const scaled = (digits: bigint, exponent: number) => digits * 10n ** BigInt(exponent + 30);
	test('are the same exactly when they are', () => {
		fc.assert(
			fc.property(decimal, decimal, fc.nat(5), ([one, by], [other, and], zeros) => {
				expect(sameDecimal(`${one}e${by}`, `${other}e${and}`)).toBe(scaled(one, by) === scaled(other, and));
				expect(sameDecimal(`${one}e${by}`, `${one}${'0'.repeat(zeros)}.${'0'.repeat(zeros + 1)}E${by - zeros}`)).toBe(
					true,
				);
				expect(sameDecimal(`${one}`, `${one + 1n}`)).toBe(false);
			}),
			{ numRuns },
		);
	});
	test('keep their value when they are written plainly', () => {
		fc.assert(
			fc.property(numberText, (text) => {
				const plain = plainDecimal(text);
				expect(sameDecimal(plain, text)).toBe(true);
				if (Number.isSafeInteger(Number(text)) && sameDecimal(text, String(Number(text))))
					expect(plain).toMatch(/^-?\d+$/);
			}),
			{ numRuns },
		);
	});
});
