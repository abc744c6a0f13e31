import { setFlagsFromString } from 'node:v8';

/**
 * Two of V8's habits suit programs that rest, not a gateway:
 *
 * - It lets the heap grow less and less in a process that was idle. What passes through lies outside of the heap and is
 *   short-lived, but counts: a megabyte passed on after half a minute of rest cost two to four times as much, in one full
 *   collection after the other. So it may grow to four times what was in use, V8's own highest factor. Near its limit it
 *   grows as little as before.
 * - Its memory reducer takes quiet for idleness, and moves the whole heap together: with ten thousand open streams that
 *   stopped the calls beside them for 30 to 60 ms. Once Node runs it cannot be switched off, but be put off for weeks.
 *   Garbage is collected as it comes, and near the limits (`runtime/pressure.ts`).
 */
const flags = ['--heap-growing-percent=300', '--gc-memory-reducer-start-delay-ms=2147483647'];

/** Sets them, where Node was not started with another value; first of all that `bin/agentgateway.mjs` does. */
export function setHeapFlags(): void {
	const chosen = new Set(process.execArgv.map(nameOf));
	for (const flag of flags) if (!chosen.has(nameOf(flag))) setFlagsFromString(flag);
}

/** `--heap_growing_percent=300` → `--heap-growing-percent` */
function nameOf(flag: string): string {
	return (flag.split('=')[0] ?? '').replaceAll('_', '-');
}
