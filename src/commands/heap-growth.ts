import { setFlagsFromString } from 'node:v8';

const flag = '--heap-growing-percent';

/**
 * Lets the heap grow to four times what was in use (V8's own highest factor, which it lowers to nearly one in a process
 * that was idle), before all of it is collected. What passes through lies outside of the heap and is short-lived, but
 * counts: a megabyte passed on after half a minute of rest cost two to four times as much, in one full collection after
 * the other. Near its limit the heap grows as little as before. Who started Node with the flag has chosen.
 */
export function letHeapGrow(): void {
	if (!process.execArgv.some((one) => one.replaceAll('_', '-').startsWith(flag))) setFlagsFromString(`${flag}=300`);
}
