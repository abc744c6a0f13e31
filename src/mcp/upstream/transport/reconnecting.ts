const usualPauseMs = 1000;
/** A server that wants to be asked again at once would be asked in a circle. */
const shortestPauseMs = 100;
/** No pause is longer than this. */
export const longestPauseMs = 30_000;

/** How long to wait before a stream is opened again, from what it said in `retry`. */
export function pauseOf(retryMs: number | null): number {
	return Math.min(Math.max(retryMs ?? usualPauseMs, shortestPauseMs), longestPauseMs);
}

/** Whether an HTTP status says that it may be otherwise in a while. */
export function isPassing(status: number): boolean {
	return status === 429 || status >= 500;
}
