import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ListChanges } from './list-changes.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

test('the first change passes at once, a storm behind it as one in each window, the last is never lost', () => {
	const passed: string[] = [];
	const changes = new ListChanges((method) => passed.push(method));
	changes.add('tools');
	expect(passed).toEqual(['tools']);
	changes.add('prompts');
	expect(passed).toEqual(['tools', 'prompts']);
	for (let i = 0; i < 25; i++) {
		changes.add('tools');
		vi.advanceTimersByTime(10);
	}
	vi.advanceTimersByTime(100);
	expect(passed).toEqual(['tools', 'prompts', 'tools', 'tools', 'tools']);
	vi.advanceTimersByTime(1000);
	expect(passed).toHaveLength(5);
	changes.add('tools');
	expect(passed).toHaveLength(6);
});

test('nothing is passed after the end', () => {
	const passed: string[] = [];
	const changes = new ListChanges((method) => passed.push(method));
	changes.add('tools');
	changes.add('tools');
	changes.close();
	vi.advanceTimersByTime(1000);
	expect(passed).toEqual(['tools']);
});
