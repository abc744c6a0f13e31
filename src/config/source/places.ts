import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Path } from '../path.ts';

/**
 * Finds where a path stands in a document, as an offset into the parsed text. Follows aliases and merge keys; a path that
 * does not exist gives the place of its nearest existing ancestor.
 */
export function offsetOf(document: Document.Parsed, path: Path, point: 'key' | 'value'): number {
	let node: Node | null = document.contents;
	let offset = startOf(node) ?? 0;
	for (const [index, step] of path.entries()) {
		const last = index === path.length - 1;
		const next: Step | null = child(document, node, step);
		if (next === null) {
			break;
		}
		offset = (last && point === 'key' ? startOf(next.key) : startOf(next.value)) ?? startOf(next.key) ?? offset;
		node = next.value;
	}
	return offset;
}

interface Step {
	key: Node | null;
	value: Node | null;
}

function child(document: Document.Parsed, holder: Node | null, step: string | number): Step | null {
	const node = isAlias(holder) ? (holder.resolve(document) ?? null) : holder;
	if (isSeq(node) && typeof step === 'number') {
		const value = (node.items[step] ?? null) as Node | null;
		return value === null ? null : { key: value, value };
	}
	if (isMap(node)) {
		return pairOf(document, node, String(step));
	}
	return null;
}

function pairOf(document: Document.Parsed, map: YAMLMap, key: string): Step | null {
	for (const pair of map.items as Pair<Node, Node | null>[]) {
		if (isScalar(pair.key) && String(pair.key.value) === key) {
			return { key: pair.key, value: pair.value };
		}
	}
	for (const pair of map.items as Pair<Node, Node | null>[]) {
		if (!isScalar(pair.key) || (pair.key.value !== '<<' && typeof pair.key.value !== 'symbol')) {
			continue;
		}
		const sources = isSeq(pair.value) ? (pair.value.items as Node[]) : [pair.value];
		for (const source of sources) {
			const found = child(document, source, key);
			if (found !== null) {
				return found;
			}
		}
	}
	return null;
}

function startOf(node: Node | null): number | undefined {
	return node?.range?.[0];
}
