/** The value below which `share` of all lie; 0 without any. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function median(values: readonly number[]): number {
	return percentile(values, 0.5);
}

/** The slope of the line through equally spaced values, as a share of their mean: 0.01 is 1 % a step. */
export function relativeSlope(values: readonly number[]): number {
	const middle = (values.length - 1) / 2;
	const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
	let [up, across] = [0, 0];
	for (const [index, value] of values.entries()) {
		up += (index - middle) * (value - mean);
		across += (index - middle) ** 2;
	}
	return up / across / mean;
}
