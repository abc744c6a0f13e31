import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeal } from './seal.ts';

const key = Buffer.alloc(32, 7);
const seal = createSeal(key, 'test');
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('sealing', () => {
	test('gives any payload back, as visible text of the length that was told', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
				const text = seal.seal(Buffer.from(bytes));
				expect(text).toMatch(/^[\w-]+$/);
				expect(text).toHaveLength(seal.sealedLength(bytes.length));
				expect(seal.unseal(text)).toEqual(Buffer.from(bytes));
			}),
		);
	});

	test('hides the payload and never gives one text twice', () => {
		const plain = Buffer.from('a secret that stands in clear nowhere');
		const texts = Array.from({ length: 100 }, () => seal.seal(plain));
		expect(new Set(texts).size).toBe(100);
		expect(texts.some((text) => Buffer.from(text, 'base64url').includes('secret'))).toBe(false);
	});

	test('is the same in another process with the same key, and random only in its nonce', () => {
		const random = (bytes: number) => Buffer.alloc(bytes, 1);
		const text = createSeal(key, 'test', { random }).seal(Buffer.from('plain'));
		expect(text).toBe('AQEBAQEBAQEBAQEBAeV4qTyD7JCAuDngJQJ2CfKMiHpGZA');
		expect(createSeal(Buffer.from(key), 'test').unseal(text)).toEqual(Buffer.from('plain'));
	});
});

describe('a text is refused', () => {
	const text = seal.seal(Buffer.from('payload'));

	test('when it was sealed with another key or for another purpose', () => {
		expect(createSeal(randomBytes(32), 'test').unseal(text)).toBe('forged');
		expect(createSeal(key, 'other').unseal(text)).toBe('forged');
	});

	test('when any character of it is another', () => {
		for (let at = 0; at < text.length; at++) {
			for (const character of alphabet) {
				if (character === text[at]) continue;
				const changed = text.slice(0, at) + character + text.slice(at + 1);
				expect(['malformed', 'forged'], changed).toContain(seal.unseal(changed));
			}
		}
	});

	test('when it is cut or longer', () => {
		for (let end = 0; end < text.length; end++) expect(typeof seal.unseal(text.slice(0, end))).toBe('string');
		expect(typeof seal.unseal(`${text}A`)).toBe('string');
		expect(typeof seal.unseal(text + text)).toBe('string');
	});

	test.each([
		['empty', ''],
		['no base64url', 'not a sealed text!'],
		['too short for a nonce and a tag', Buffer.alloc(28, 1).toString('base64url')],
		['of a version to come', Buffer.concat([Buffer.from([2]), Buffer.alloc(40)]).toString('base64url')],
		['padded', `${text}==`],
		['broken over lines', `${text.slice(0, 8)}\n${text.slice(8)}`],
		['in the other alphabet', seal.seal(Buffer.alloc(2000)).replace(/[-_]/, '+')],
		['too long', createSeal(key, 'test').seal(Buffer.alloc(6200))],
	])('as malformed when it is %s', (_, other) => {
		expect(seal.unseal(other)).toBe('malformed');
	});

	test('as forged when it has the form and nothing behind it', () => {
		expect(seal.unseal(Buffer.concat([Buffer.from([1]), randomBytes(28)]).toString('base64url'))).toBe('forged');
	});

	test('when its spare bits are set: one payload has one text', () => {
		// 31 bytes leave four spare bits in the last character.
		const spare = seal.seal(Buffer.from('ab'));
		const last = alphabet.indexOf(spare.at(-1) ?? '');
		expect(last % 16).toBe(0);
		expect(seal.unseal(spare.slice(0, -1) + alphabet[last + 1])).toBe('malformed');
	});

	test('never with an exception, whatever it is', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), (any) => {
				expect(['malformed', 'forged']).toContain(seal.unseal(any));
			}),
		);
	});
});

test('the limit is in characters and can be set', () => {
	const small = createSeal(key, 'test', { limit: 60 });
	expect(small.unseal(seal.seal(Buffer.alloc(16)))).toEqual(Buffer.alloc(16));
	expect(small.unseal(seal.seal(Buffer.alloc(17)))).toBe('malformed');
});

test('a key of another length and a missing purpose are faults', () => {
	expect(() => createSeal(Buffer.alloc(16), 'test')).toThrow('32 bytes');
	expect(() => createSeal(key, '')).toThrow('purpose');
});
