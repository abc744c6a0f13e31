/** One number with its labels. */
export interface Sample {
	/** Added to the metric's name: `_bucket`, `_sum`, `_count`, or nothing. */
	readonly suffix?: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
}

/** A metric as it stands at the moment of a scrape. */
export interface Family {
	readonly name: string;
	readonly help: string;
	readonly type: 'counter' | 'gauge' | 'histogram';
	samples(): Iterable<Sample>;
}

/** Writes metrics in the Prometheus text format 0.0.4. */
export function exposition(families: readonly Family[]): string {
	const lines: string[] = [];
	for (const family of families) {
		lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`);
		for (const { suffix, labels, value } of family.samples()) {
			lines.push(`${family.name}${suffix ?? ''}${labelText(labels)} ${numberText(value)}`);
		}
	}
	return `${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
	const parts: string[] = [];
	for (const name in labels) parts.push(`${name}="${escapeLabel(labels[name] as string)}"`);
	return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(text: string): string {
	return text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
}

function escapeHelp(text: string): string {
	return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function numberText(value: number): string {
	if (value === Number.POSITIVE_INFINITY) return '+Inf';
	return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
