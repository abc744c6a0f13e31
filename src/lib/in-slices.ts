import { Slice } from './slice.ts';

/**
 * Visits each of many, and lets the loop serve others whenever that has taken a while (`Slice`): ten thousand streams
 * that end take half a second. A few are visited before it returns. Throws what `visit` throws.
 */
export async function inSlices<T>(many: Iterable<T>, visit: (one: T) => void): Promise<void> {
	let slice = new Slice();
	for (const one of many) {
		if (slice.over) {
			await new Promise<void>((resolve) => setImmediate(resolve));
			slice = new Slice();
		}
		visit(one);
	}
}
