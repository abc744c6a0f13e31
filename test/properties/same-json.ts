/**
 * Whether two values of `JSON.parse` are equal, -0 and infinite numbers included. They are compared as written, since
 * `isDeepStrictEqual` of Node 24 was once seen to find a difference, in objects with a member named `constructor`,
 * that nobody could find again.
 */
export function sameJson(one: unknown, other: unknown): boolean {
	return written(one) === written(other);
}

function written(value: unknown): string {
	return JSON.stringify(value, (_, part: unknown) => {
		if (typeof part !== 'number') return part;
		return { number: Object.is(part, -0) ? '-0' : String(part) };
	});
}
