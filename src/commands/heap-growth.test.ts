import { setFlagsFromString } from 'node:v8';
import { afterEach, expect, test, vi } from 'vitest';
import { letHeapGrow } from './heap-growth.ts';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn<(flags: string) => void>() }));
const { execArgv } = process;

afterEach(() => {
	process.execArgv = execArgv;
	vi.mocked(setFlagsFromString).mockClear();
});

test('the heap may grow to four times what is in use', () => {
	letHeapGrow();
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([['--heap-growing-percent=300']]);
});

test.each(['--heap-growing-percent=20', '--heap_growing_percent=20'])('who started Node with %s has chosen', (flag) => {
	process.execArgv = [flag];
	letHeapGrow();
	expect(setFlagsFromString).not.toHaveBeenCalled();
});
