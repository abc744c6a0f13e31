import { isDeepStrictEqual } from 'node:util';
import { maskSecrets } from '../admin/mask.ts';
import { referencesIn } from '../config/source/expand-env.ts';
import { parseYaml } from '../config/source/parse-yaml.ts';

/**
 * Where a new text of the configuration uses a variable or a secret elsewhere than the present one does; empty: nowhere.
 * Whoever could do that would be told them: by the error that quotes an ill-fitting value, by a target that leads to
 * his own server. `asText`: the new text was written by somebody, not made from a document.
 */
export function movedSecrets(next: string, now: string, asText: boolean): string[] {
	if (next === now) return [];
	const strange = asText ? strangeReferences(next, now) : [];
	if (strange.length > 0) return strange;
	const [after, before] = [parseYaml(next), parseYaml(now)];
	if (!after.ok) return [...referencesIn(next)].length === 0 ? [] : ['the text'];
	const old = before.ok ? before.value : null;
	const secrets = new Set<string>();
	collectMasked(old, maskSecrets(old), secrets);
	const known = new Map<string, Mapping[]>();
	walk(old, '', (mapping, path) => known.set(path, [...(known.get(path) ?? []), mapping]));
	const moved: string[] = [];
	walk(after.value, '', (mapping, path) => {
		const keys = Object.keys(mapping).filter((key) => refers(key) || isSecret(mapping[key], secrets));
		if (keys.length === 0) return;
		const same = [...keys, ...placeKeys];
		const stays = known.get(path)?.some((one) => same.every((key) => isDeepStrictEqual(one[key], mapping[key])));
		if (stays !== true) moved.push(...keys.map((key) => (path === '' ? key : `${path}.${key}`)));
	});
	return moved;
}

type Mapping = Record<string, unknown>;

/** Where a target is: a credential beside it must not go elsewhere. What a command gets is compared with its command. */
const placeKeys = ['host', 'port', 'path', 'backend'];

/** References in lines that the text did not have; they may stand in comments, tags and anchors, too. */
function strangeReferences(next: string, now: string): string[] {
	const lines = new Set(now.split('\n').map((line) => line.trim()));
	const strange: string[] = [];
	for (const { 0: reference, index } of referencesIn(next)) {
		if (reference === '$$') continue;
		const end = next.indexOf('\n', index);
		const line = next.slice(next.lastIndexOf('\n', index) + 1, end < 0 ? undefined : end);
		if (reference.includes('\n') || !lines.has(line.trim())) strange.push(reference);
	}
	return strange;
}

/** Calls `visit` with each mapping and its path, in which entries of lists have no place. */
function walk(value: unknown, path: string, visit: (mapping: Mapping, path: string) => void): void {
	if (Array.isArray(value)) for (const one of value) walk(one, path, visit);
	if (!isMapping(value)) return;
	visit(value, path);
	for (const [key, member] of Object.entries(value)) walk(member, path === '' ? key : `${path}.${key}`, visit);
}

function isSecret(value: unknown, secrets: ReadonlySet<string>): boolean {
	if (typeof value === 'string') return refers(value) || secrets.has(value);
	return Array.isArray(value) && value.some((one) => isSecret(one, secrets));
}

/** Also for what only begins one: its end may stand in another value. */
function refers(text: string): boolean {
	return /\$[A-Za-z0-9_{]/.test(text.replaceAll('$$', ''));
}

/** The texts that are shown masked. */
function collectMasked(value: unknown, shown: unknown, into: Set<string>): void {
	if (typeof value === 'string') {
		if (value !== shown) into.add(value);
		return;
	}
	if (typeof value !== 'object' || value === null) return;
	for (const [key, member] of Object.entries(value)) {
		collectMasked(member, (shown as Mapping | undefined)?.[key], into);
	}
}

function isMapping(value: unknown): value is Mapping {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
