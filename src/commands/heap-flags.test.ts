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

test('the heap may grow to four times what is in use, and is not moved together at rest', () => {
	setHeapFlags();
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([[growing], [reducer]]);
});

test.each([
	['--heap-growing-percent=20', reducer],
	['--heap_growing_percent=20', reducer],
	['--gc-memory-reducer-start-delay-ms=8000', growing],
	['--gc_memory_reducer_start_delay_ms=8000', growing],
])('who started Node with %s has chosen', (flag, other) => {
	process.execArgv = ['--expose-gc', flag];
	setHeapFlags();
	expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([[other]]);
});
