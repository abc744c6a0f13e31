import { setFlagsFromString } from 'node:v8';
import { afterEach, expect, test, vi } from 'vitest';
import { setHeapFlags } from './heap-flags.ts';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn<(flags: string) => void>() }));
const { execArgv } = process;

afterEach(() => {
	process.execArgv = execArgv;
	vi.mocked(setFlagsFromString).mockClear();
});

const growing = '--heap-growing-percent=300';
const reducer = '--gc-memory-reducer-start-delay-ms=2147483647';
const young = '--scavenger-max-new-space-capacity-mb=8';

test('the heap may grow to four times what is in use, and is not moved together at rest', () => {
	setHeapFlags('20.19.0');
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([[growing], [reducer]]);
});

test.each(['22.12.0', '24.21.0', '100.0.0'])('young buffers are looked for early in Node %s', (node) => {
	setHeapFlags(node);
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([[growing], [reducer], [young]]);
});

test.each([
	['--heap-growing-percent=20', [[reducer], [young]]],
	['--heap_growing_percent=20', [[reducer], [young]]],
	['--gc-memory-reducer-start-delay-ms=8000', [[growing], [young]]],
	['--gc_memory_reducer_start_delay_ms=8000', [[growing], [young]]],
	['--scavenger-max-new-space-capacity-mb=64', [[growing], [reducer]]],
])('who started Node with %s has chosen', (flag, others) => {
	process.execArgv = ['--expose-gc', flag];
	setHeapFlags('24.0.0');
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual(others);
});
