import { setFlagsFromString } from 'node:v8';

/**
 * Three of V8's habits suit programs that rest or hold much, not a gateway:
 *
 * - It lets the heap grow less and less in a process that was idle. What passes through lies outside of the heap and is
 *   short-lived, but counts: a megabyte passed on after half a minute of rest cost two to four times as much, in one full
 *   collection after the other. So it may grow to four times what was in use, V8's own highest factor. Near its limit it
 *   grows as little as before.
 * - Its memory reducer takes quiet for idleness, and moves the whole heap together: with ten thousand open streams that
 *   stopped the calls beside them for 30 to 60 ms. Once Node runs it cannot be switched off, but be put off for weeks.
 *   Garbage is collected as it comes, and near the limits (`runtime/pressure-watch.ts`).
 * - From Node 24 on it looks for young buffers to free after 128 MB of them, and starts a full collection after 64 MB: so
 *   each fifty results of a megabyte cost a full one. With 8, as in Node 22, it looks after 32 MB, as in Node 20.
 */
const flags = [
	{ flag: '--heap-growing-percent=300', since: 0 },
	{ flag: '--gc-memory-reducer-start-delay-ms=2147483647', since: 0 },
	{ flag: '--scavenger-max-new-space-capacity-mb=8', since: 22 },
];

/**
 * Sets them, where Node was not started with another value; first of all that `bin/agentgateway.mjs` does. V8 complains on
 * stderr of a flag that it does not know, so none is set before the Node that has it.
 */
export function setHeapFlags(node = process.versions.node): void {
	const chosen = new Set(process.execArgv.map(nameOf));
	const major = Number.parseInt(node, 10);
	for (const { flag, since } of flags) if (major >= since && !chosen.has(nameOf(flag))) setFlagsFromString(flag);
}

/** `--heap_growing_percent=300` → `--heap-growing-percent` */
function nameOf(flag: string): string {
	return (flag.split('=')[0] ?? '').replaceAll('_', '-');
}
