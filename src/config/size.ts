const UNITS: Record<string, number> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** No buffer is meant to hold more, 1 GiB. */
export const MAX_SIZE = 1024 ** 3;

/**
 * Reads a size: bytes as a whole number, or text such as `512KiB` or `4MiB`. Returns bytes, or null for anything else:
 * nothing, fractions, other units, more than 1 GiB.
 */
export function parseSize(value: number | string): number | null {
	const size = typeof value === 'number' ? value : parseText(value);
	return Number.isInteger(size) && size >= 1 && size <= MAX_SIZE ? size : null;
}

function parseText(text: string): number {
	const [, digits, unit = ''] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
	return Number(digits) * (UNITS[unit] ?? Number.NaN);
}
