import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeal } from '../../lib/seal.ts';
import { openState, sealState } from './request-state.ts';

const key = Buffer.alloc(32, 5);
const seal = createSeal(key, 'request state');
const now = 1_790_000_000_000;
const call = { principal: 'anonymous', method: 'tools/call', name: 'ask' };
const state = sealState({ ...call, id: '42', expiresAt: now + 1000 }, seal);

describe('a request state', () => {
	test('names its parked call to the same principal, method and name', () => {
		expect(openState(state, call, now, seal)).toEqual({ id: '42' });
		fc.assert(
			fc.property(fc.string(), fc.string(), fc.string(), fc.option(fc.string()), (id, principal, method, name) => {
				const binding = { principal, method, name };
				const text = sealState({ ...binding, id, expiresAt: now + 1 }, seal);
				expect(openState(text, binding, now, seal)).toEqual({ id });
			}),
		);
	});

	test('stays short for any name', () => {
		const text = sealState({ ...call, name: `file:///${'x'.repeat(100_000)}`, id: '42', expiresAt: now }, seal);
		expect(text.length).toBeLessThan(150);
	});

	test('is expired from its time on', () => {
		expect(openState(state, call, now + 999, seal)).toEqual({ id: '42' });
		expect(openState(state, call, now + 1000, seal)).toBe('expired');
	});

	test.each([
		['principal', { principal: 'somebody' }],
		['method', { method: 'prompts/get' }],
		['name', { name: 'other' }],
		['name, which is missing', { name: null }],
	])('is a mismatch for another %s, expired or not', (_, other) => {
		expect(openState(state, { ...call, ...other }, now, seal)).toBe('mismatch');
		expect(openState(state, { ...call, ...other }, now + 5000, seal)).toBe('mismatch');
	});

	test('keeps the parts of its binding apart', () => {
		const text = sealState({ principal: 'ab', method: 'c', name: 'd', id: '1', expiresAt: now + 1 }, seal);
		expect(openState(text, { principal: 'a', method: 'bc', name: 'd' }, now, seal)).toBe('mismatch');
		expect(openState(text, { principal: 'ab', method: 'cd', name: '' }, now, seal)).toBe('mismatch');
	});

	test.each([
		['of a server', 'eyJzdGVwIjoyfQ'],
		['of another gateway', sealState({ ...call, id: '1', expiresAt: now + 1 }, createSeal(key, 'else'))],
		['that was changed', state.slice(0, -4) + (state.endsWith('AAAA') ? 'BBBB' : 'AAAA')],
		['with content of another version', seal.seal(Buffer.from([2]))],
		['with no content', seal.seal(Buffer.alloc(0))],
		['that is empty', ''],
		['of megabytes', 'A'.repeat(4_000_000)],
	])('%s is foreign', (_, text) => {
		expect(openState(text, call, now, seal)).toBe('foreign');
	});
});
