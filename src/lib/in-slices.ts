/** Milliseconds of work after which others are served. What is written meanwhile leaves only afterwards, and costs more. */
const sliceMs = 2;
/** So many are visited between two looks at the clock. */
const atOnce = 8;

/**
 * Visits each of many, and lets the loop serve others whenever that has taken two milliseconds: ten thousand streams
 * that end take half a second. A few are visited before it returns. Throws what `visit` throws.
 */
export async function inSlices<T>(many: Iterable<T>, visit: (one: T) => void): Promise<void> {
	let began = performance.now();
	let left = atOnce;
	for (const one of many) {
		if (left-- === 0) {
			left = atOnce - 1;
			if (performance.now() - began >= sliceMs) {
				await new Promise<void>((resolve) => setImmediate(resolve));
				began = performance.now();
			}
		}
		visit(one);
	}
}
