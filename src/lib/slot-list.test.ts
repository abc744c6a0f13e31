import { expect, test } from 'vitest';
import { SlotList } from './slot-list.ts';

const make = (...names: string[]) => names.map((name) => ({ name, slot: -1 }));

function names(list: SlotList<{ name: string; slot: number }>): string[] {
	const found: string[] = [];
	list.each(({ name }) => found.push(name));
	return found.sort();
}

test('holds what was added and not removed', () => {
	const list = new SlotList<{ name: string; slot: number }>();
	const [a, b, c] = make('a', 'b', 'c') as [
		{ name: string; slot: number },
		{ name: string; slot: number },
		{ name: string; slot: number },
	];
	for (const one of [a, b, c]) list.add(one);
	list.remove(a);
	expect([names(list), list.size, a.slot]).toEqual([['b', 'c'], 2, -1]);
	list.remove(a);
	list.remove(c);
	list.remove(b);
	expect(list.size).toBe(0);
});

test('what is visited may remove itself', () => {
	const list = new SlotList<{ name: string; slot: number }>();
	for (const one of make('a', 'b', 'c', 'd')) list.add(one);
	const seen: string[] = [];
	list.each((one) => {
		seen.push(one.name);
		if (one.name !== 'b') list.remove(one);
	});
	expect([seen.sort(), names(list)]).toEqual([['a', 'b', 'c', 'd'], ['b']]);
});

test('parts make the whole', () => {
	for (let size = 0; size < 12; size++) {
		const list = new SlotList<{ name: string; slot: number }>();
		for (let at = 0; at < size; at++) list.add({ name: String(at), slot: -1 });
		const seen: string[] = [];
		for (let part = 0; part < 4; part++) {
			for (let at = list.lastOf(part, 4); at >= 0; at -= 4) seen.push(list.at(at)?.name ?? '');
		}
		expect(seen.toSorted()).toEqual(names(list));
	}
});
