import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KnownNames } from './known-names.ts';
import { listKinds } from './list-kind.ts';

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

const { tools, prompts, tasks } = listKinds;
const page = (...names: string[]) => Buffer.from(JSON.stringify({ tools: names.map((name) => ({ name })) }));
const itemsOf = (...names: string[]) => {
	const place = { key: '', keyStart: 0, start: 0, end: 0, members: null };
	return names.map((name) => ({ target: 'a', name, page: Buffer.alloc(0), place }));
};

describe('names', () => {
	test('are known of their target, from all its lists', () => {
		const names = new KnownNames();
		names.add(tools, 'a', itemsOf('one'));
		names.add(prompts, 'a', itemsOf('two'));
		names.add(tasks, 'a', itemsOf('task'));
		const known = ['one', 'two', 'task', 'other'].filter((name) => names.lists('a', name));
		expect(known).toEqual(['one', 'two']);
		expect(names.lists('b', 'one')).toBe(false);
	});

	test('beyond all measure are forgotten for those that come', () => {
		const names = new KnownNames();
		names.add(tools, 'a', itemsOf('first'));
		const many = Array.from({ length: 30_000 }, (_, at) => `tool${at}`);
		names.add(tools, 'a', itemsOf(...many));
		expect(names.lists('a', 'first')).toBe(false);
		expect(many.filter((name) => names.lists('a', name))).toHaveLength(20_000);
	});

	test('of any length are remembered as a label shows them', () => {
		const names = new KnownNames();
		names.add(tools, 'a', itemsOf('x'.repeat(100_000)));
		expect(names.lists('a', `${'x'.repeat(125)}…`)).toBe(true);
	});

	test('of targets that have gone are forgotten', () => {
		const names = new KnownNames();
		for (const target of ['a', 'b']) names.add(tools, target, itemsOf('one'));
		names.keep(new Set(['b']));
		expect([names.lists('a', 'one'), names.lists('b', 'one')]).toEqual([false, true]);
	});
});

describe('a list that passes', () => {
	test('is read at once, and what comes last a second later', () => {
		const names = new KnownNames();
		names.pass(tools, 'a', page('one'));
		expect(names.lists('a', 'one')).toBe(true);
		names.pass(tools, 'a', page('two'));
		names.pass(tools, 'a', page('three'));
		expect(names.lists('a', 'three')).toBe(false);
		vi.advanceTimersByTime(1000);
		expect(['one', 'two', 'three'].filter((name) => names.lists('a', name))).toEqual(['one', 'three']);
		vi.advanceTimersByTime(1000);
		expect(vi.getTimerCount()).toBe(0);
	});

	test('is left alone when it is long, or no list', () => {
		const names = new KnownNames();
		names.pass(tools, 'a', page('one', 'x'.repeat(1024 * 1024)));
		names.pass(prompts, 'a', Buffer.from('{"prompts":1'));
		expect(names.lists('a', 'one')).toBe(false);
		names.close();
		expect(vi.getTimerCount()).toBe(0);
	});
});
