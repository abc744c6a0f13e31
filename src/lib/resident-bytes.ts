/**
 * Memory of this process that is resident. The system tells it in a file; where no descriptor is left to open that one,
 * it is the most that it ever was.
 */
export function residentBytes(): number {
	try {
		return process.memoryUsage.rss();
	} catch {
		return process.resourceUsage().maxRSS * 1024;
	}
}
