import { expect, test } from 'vitest';
import { shifted } from './panes.tsx';

test('a divider moves width from one neighbour to the other', () => {
	expect(shifted([30, 30, 40], 0, 5)).toEqual([35, 25, 40]);
	expect(shifted([30, 30, 40], 1, -5)).toEqual([30, 25, 45]);
});

test('no pane becomes too narrow to use', () => {
	expect(shifted([30, 30, 40], 0, 90)).toEqual([48, 12, 40]);
	expect(shifted([30, 30, 40], 0, -90)).toEqual([12, 48, 40]);
});
