/** JSON in a form that is the same for all who say the same, whatever the order of their keys. */
export function canonical(text: Buffer): string {
	return JSON.stringify(inOrder(JSON.parse(text.toString())));
}

function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder);
	if (typeof value !== 'object' || value === null) return value;
	return Object.entries(value)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, inner]) => [key, inOrder(inner)]);
}
