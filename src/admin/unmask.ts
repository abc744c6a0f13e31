import { masked } from './mask.ts';

/** A value whose secrets are back, or the paths of those that could not be found. */
export type Unmasked = { readonly value: unknown } | { readonly unknown: readonly string[] };

/**
 * Puts secrets back where a client returns what it was shown: `shown` is `current` without its secrets. Entries of lists are
 * found again by their `name`, or by what stands beside them. A mask that stands where none was is no secret of ours.
 */
export function unmask(value: unknown, shown: unknown, current: unknown): Unmasked {
	const unknown: string[] = [];
	const restored = restore(value, shown, current, '', unknown);
	return unknown.length === 0 ? { value: restored } : { unknown };
}

function restore(value: unknown, shown: unknown, current: unknown, path: string, unknown: string[]): unknown {
	if (typeof value === 'string') {
		if (!value.includes(masked) || value === current) return value;
		if (value === shown) return current;
		unknown.push(path);
		return value;
	}
	if (Array.isArray(value)) {
		const [old, was] = [listOf(shown), listOf(current)];
		return value.map((one: unknown, index) => {
			const at = partner(value, index, old, was);
			return restore(one, old[at], was[at], `${path}[${index}]`, unknown);
		});
	}
	if (!isObject(value)) return value;
	const [old, was] = [isObject(shown) ? shown : {}, isObject(current) ? current : {}];
	return Object.fromEntries(
		Object.entries(value).map(([key, one]) => {
			const known = Object.hasOwn(old, key);
			const inner = path === '' ? key : `${path}.${key}`;
			return [key, restore(one, known ? old[key] : undefined, known ? was[key] : undefined, inner, unknown)];
		}),
	);
}

/** Where an entry of a list stood before; -1: nowhere. */
function partner(
	list: readonly unknown[],
	index: number,
	shown: readonly unknown[],
	current: readonly unknown[],
): number {
	const one = list[index];
	if (isObject(one)) {
		const name = one['name'];
		const named = shown.findIndex((other) => typeof name === 'string' && isObject(other) && other['name'] === name);
		if (named >= 0) return named;
		const there = shown[index];
		return isObject(there) && (there['name'] === undefined || name === undefined) ? index : -1;
	}
	if (shown[index] === one && (index === 0 || shown[index - 1] === list[index - 1])) return index;
	const same = shown.flatMap((other, at) => (other === one ? [at] : []));
	const after = same.filter((at) => index > 0 && shown[at - 1] === list[index - 1]);
	for (const places of [after, same]) {
		if (new Set(places.map((at) => current[at])).size === 1) return places[0] ?? -1;
	}
	return Array.isArray(one) ? index : -1;
}

function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
