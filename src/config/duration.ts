const UNITS: Record<string, number> = {
	ns: 1e-6,
	us: 1e-3,
	µs: 1e-3,
	μs: 1e-3,
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Reads a Go-style duration such as `500ms`, `5s`, `1m30s`, or zero without a unit. Returns milliseconds, or null for
 * anything else: other bare numbers, negatives, unknown units.
 */
export function parseDuration(text: string | 0): number | null {
	if (text === 0 || text === '0') {
		return 0;
	}
	let total = 0;
	let at = 0;
	while (at < text.length) {
		PART.lastIndex = at;
		const part = PART.exec(text);
		if (part === null) {
			return null;
		}
		total += Number(part[1]) * (UNITS[part[2] ?? ''] ?? 0);
		at = PART.lastIndex;
	}
	return text === '' || !Number.isSafeInteger(Math.round(total)) ? null : total;
}
