import { describe, expect, test } from 'vitest';
import type { List } from './collection.ts';
import type { Item } from './list-page.ts';
import { ExposedList } from './exposed-list.ts';
import { cutPage } from './list-cursor.ts';
import { listKinds } from './list-kind.ts';
import { createNaming } from '../names.ts';

const targets = ['a', 'b', 'c'];
const naming = createNaming(
	targets.map((name) => ({ name })),
	'conditional',
);

function listOf(target: string, names: readonly string[]): List {
	const items = names.map((name): Item => {
		const page = Buffer.from(JSON.stringify({ name }));
		return { target, name, page, place: { key: '', keyStart: 0, start: 0, end: page.length, members: null } };
	});
	return { items, askedAt: 0, ttl: null, shared: false, cut: null };
}

/** Names by target; a target that is not named is away. */
type Lists = Readonly<Record<string, readonly string[]>>;

function exposedOf(lists: Lists): ExposedList {
	const parts = targets.map((target) => (lists[target] === undefined ? null : listOf(target, lists[target])));
	return new ExposedList(listKinds.tools, parts, naming);
}

/** All pages, with the lists as they are for each of them; the last ones stay. */
function read(size: number, ...states: readonly Lists[]): string[] {
	const seen: string[] = [];
	let cursor: string | null = null;
	for (let at = 0; at < 1000; at++) {
		const page = cutPage(exposedOf(states[Math.min(at, states.length - 1)] ?? {}), cursor, size, targets);
		if (page === null) throw new Error('the cursor was refused');
		seen.push(...page.items.map(({ exposed }) => exposed));
		if (page.next === null) return seen;
		cursor = page.next;
	}
	throw new Error('no end');
}

const full = { a: ['1', '2', '3'], b: ['1', '2'], c: ['9'] };
const all = ['a_1', 'a_2', 'a_3', 'b_1', 'b_2', 'c_9'];

describe('pages', () => {
	test.each([1, 2, 3, 4, 6, 7])('of %d items make the whole', (size) => {
		expect(read(size, full)).toEqual(all);
	});
	test('of nothing are one', () => {
		expect(read(5, {})).toEqual([]);
	});
	test('go on behind a target that left', () => {
		expect(read(2, full, { b: full.b, c: full.c })).toEqual(['a_1', 'a_2', 'b_1', 'b_2', 'c_9']);
	});
	test('take a target in that came while it was still ahead, and not one that was passed', () => {
		expect(read(2, { a: full.a, c: full.c }, full)).toEqual(all);
		expect(read(1, { b: full.b, c: full.c }, full)).toEqual(['b_1', 'b_2', 'c_9']);
	});
	test('survive a target that leaves and comes back', () => {
		expect(read(2, full, { a: full.a, c: full.c }, full)).toEqual(['a_1', 'a_2', 'a_3', 'c_9']);
		expect(read(4, full, { a: full.a, c: full.c }, full)).toEqual(['a_1', 'a_2', 'a_3', 'b_1', 'c_9']);
	});
	test('neither lose nor double what was there all the time when items come and go', () => {
		expect(read(2, full, { ...full, a: ['0', '1', '2', '3'] })).toEqual(all);
		expect(read(2, full, { ...full, a: ['1', '3'] })).toEqual(all);
		expect(read(2, full, { ...full, a: ['2', '3'] })).toEqual(all);
	});
	test('hold for any change of other targets', () => {
		let seed = 7;
		const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
		for (let round = 0; round < 300; round++) {
			const names = Array.from({ length: random(12) }, (_, index) => `n${index}`);
			const states = Array.from({ length: 6 }, () => ({
				...(random(2) === 0 ? {} : { a: ['x', 'y'] }),
				b: names,
				...(random(2) === 0 ? {} : { c: ['z'] }),
			}));
			const seen = read(1 + random(5), ...states).filter((name) => name.startsWith('b_'));
			expect(seen).toEqual(names.map((name) => `b_${name}`));
		}
	});
});

test.each([
	'',
	'p2',
	'!',
	Buffer.from('["tools/list","a",0]').toString('base64url'),
	Buffer.from('["tools/list","gone",0,"x"]').toString('base64url'),
	Buffer.from('["prompts/list","a",0,"x"]').toString('base64url'),
	Buffer.from('["tools/list","a",-1,"x"]').toString('base64url'),
	Buffer.from('["tools/list","a",0.5,"x"]').toString('base64url'),
	'A'.repeat(10_000),
])('the cursor %j is refused', (cursor) => {
	expect(cutPage(exposedOf(full), cursor, 2, targets)).toBeNull();
});
