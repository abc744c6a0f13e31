import { expect, test } from 'vitest';
import { Queue } from './queue.ts';

interface Item {
	readonly name: number;
	slot: number;
}

function filled(count: number) {
	const queue = new Queue<Item>();
	const items = Array.from({ length: count }, (_, name) => ({ name, slot: -1 }));
	for (const item of items) queue.add(item);
	return { queue, items };
}

test('gives what joined in its order, without what has left', () => {
	const { queue, items } = filled(5);
	for (const at of [0, 3]) queue.remove(items[at] as Item);
	expect([queue.size, items[3]?.slot]).toEqual([3, -1]);
	expect([queue.next()?.name, queue.next()?.name]).toEqual([1, 2]);
	queue.add(items[0] as Item);
	expect(queue.takeAll().map(({ name }) => name)).toEqual([4, 0]);
	expect([queue.size, queue.next()]).toEqual([0, undefined]);
});

test('keeps its order while it closes up, and knows who has left already', () => {
	const { queue, items } = filled(1000);
	for (const item of items) if (item.name % 7 !== 0) queue.remove(item);
	const taken = [queue.next()?.name, queue.next()?.name];
	for (const item of items) if (item.name % 7 !== 0) queue.remove(item);
	queue.add(items[0] as Item);
	expect(taken).toEqual([0, 7]);
	const rest = items.filter(({ name }) => name % 7 === 0 && name > 7).map(({ name }) => name);
	expect(queue.takeAll().map(({ name }) => name)).toEqual([...rest, 0]);
});
