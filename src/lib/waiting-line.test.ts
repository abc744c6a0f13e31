import { expect, test } from 'vitest';
import { type Placed, WaitingLine } from './waiting-line.ts';

interface Waiter extends Placed {
	readonly name: number;
}

const waiter = (name: number): Waiter => ({ name, place: -1 });

test('first come, first served; whoever left is skipped', () => {
	const line = new WaitingLine<Waiter>();
	const all = Array.from({ length: 1000 }, (_, name) => waiter(name));
	for (const one of all) line.push(one);
	for (const one of all) if (one.name % 3 !== 0) line.remove(one);
	const rest = all.filter(({ name }) => name % 3 === 0);
	expect(line.size).toBe(rest.length);
	expect(line.first).toBe(rest[0]);
	expect(line.shift()).toBe(rest[0]);
	const late = waiter(5000);
	line.push(late);
	expect(line.clear()).toEqual([...rest.slice(1), late]);
	expect(line.size).toBe(0);
	expect(line.shift()).toBeNull();
});

test('one that is in no line, or left already, cannot leave', () => {
	const line = new WaitingLine<Waiter>();
	const [a, b] = [waiter(1), waiter(2)];
	line.remove(a);
	line.push(a);
	line.push(b);
	line.remove(a);
	line.remove(a);
	expect(line.size).toBe(1);
	expect(line.shift()).toBe(b);
});

test('those that come and go behind one that stays leave no gaps to pile up', () => {
	const line = new WaitingLine<Waiter>();
	const first = waiter(0);
	line.push(first);
	for (let name = 1; name < 10_000; name++) {
		const one = waiter(name);
		line.push(one);
		expect(one.place).toBeLessThan(200);
		line.remove(one);
	}
	expect(line.shift()).toBe(first);
});
