import { isDeepStrictEqual } from 'node:util';
import {
	Document,
	isMap,
	isScalar,
	isSeq,
	type Node,
	type Pair,
	parseDocument,
	visit,
	type YAMLMap,
	type YAMLSeq,
} from 'yaml';
import { parseYaml } from './source/parse-yaml.ts';

/**
 * Writes a value into a configuration text. What is the same stays as it is written, with its comments, order, quotes and
 * anchors; entries of lists are known by their `name`, or by being equal. A text in JSON stays JSON. Where the text does
 * not allow that (an anchor would be lost), the value is written anew. null: the text is no YAML as it is written, and
 * nobody can tell what of it should stay.
 */
export function editConfig(text: string, value: unknown): string | null {
	// Lines are compared and laid out as if they ended as on Unix.
	const lines = text.replaceAll('\r\n', '\n');
	const written = editLines(lines, value);
	const windows = text.length - lines.length > text.split('\n').length / 2;
	return windows && written !== null ? written.replaceAll('\n', '\r\n') : written;
}

function editLines(text: string, value: unknown): string | null {
	if (isJson(text)) return `${JSON.stringify(value, null, 2)}\n`;
	if (!parseYaml(text).ok) return null;
	const layout = layoutOf(text);
	return edited(text, value, layout) ?? edited(text, value, layout, writeOut) ?? new Document(value).toString(layout);
}

type Layout = NonNullable<Parameters<Document['toString']>[0]>;

/** null: the edited text would not say what the value says. `prepare` may change how it is written before. */
function edited(
	text: string,
	value: unknown,
	layout: Layout,
	prepare: (document: Document) => void = () => {},
): string | null {
	try {
		const document = parseDocument(text, { merge: true, uniqueKeys: false });
		prepare(document);
		visit(document, { Seq: (_key, list) => hangOnFirst(list, text) });
		document.contents = merge(document, document.contents, value) as typeof document.contents;
		const written = document.toString(layout);
		return [respaced(written, text), written].find((one) => says(one, value)) ?? null;
	} catch {
		// An alias whose anchor has gone.
		return null;
	}
}

/** Writes what aliases stand for in their places: with an anchor that goes, they would stand for nothing. */
function writeOut(document: Document): void {
	visit(document, {
		Alias(_key, alias) {
			const node = alias.resolve(document)?.clone();
			if (!isNode(node)) return undefined;
			visit(node, {
				Value(_inner, one) {
					delete one.anchor;
				},
			});
			const comments = [alias.commentBefore, node.commentBefore, alias.comment];
			node.commentBefore = comments.filter((one) => typeof one === 'string').join('\n') || null;
			return node;
		},
	});
}

/** The comment above the first entry of a list is that of the list to the parser; it is to go where the entry goes. */
function hangOnFirst(list: YAMLSeq, text: string): void {
	const [first] = list.items;
	if (list.flow === true || !isNode(first) || typeof list.commentBefore !== 'string' || !list.range) return;
	// Only lines directly above it: what stands beside the key, or above a blank line, is about all of them.
	const above = text.slice(0, list.range[0]).split('\n').slice(0, -1);
	const other = above.findLastIndex((line) => !/^[ \t]*#/.test(line));
	const lines = list.commentBefore.split('\n');
	const left = lines.slice(0, Math.max(0, lines.length - (above.length - 1 - other)));
	first.commentBefore = [...lines.slice(left.length), ...(first.commentBefore?.split('\n') ?? [])].join('\n') || null;
	list.commentBefore = left.length === 0 ? null : left.join('\n');
}

function says(text: string, value: unknown): boolean {
	const parsed = parseYaml(text);
	return parsed.ok && isDeepStrictEqual(parsed.value, value);
}

/** Lines that differ from one of the file only in the spaces within them, as it was written. */
function respaced(written: string, text: string): string {
	const bare = (line: string) => `${/^ */.exec(line)?.[0].length} ${line.replace(/\s+/g, '')}`;
	const lines = text.split('\n');
	const known = new Map([
		...lines.map((line) => [bare(line), line] as const),
		...lines.map((line) => [line, line] as const),
	]);
	return written
		.split('\n')
		.map((line) => known.get(line) ?? known.get(bare(line)) ?? line)
		.join('\n');
}

/** The node for a value: the one that is there, changed where it must be, or a new one. */
function merge(document: Document, node: unknown, value: unknown): unknown {
	if (isDeepStrictEqual(valueOf(document, node), value)) return node;
	if (isMap(node) && isObject(value) && !mergesOthers(node)) return mergeMap(document, node, value);
	if (isSeq(node) && Array.isArray(value)) return mergeList(document, node, value);
	if (isScalar(node) && !isObject(value) && !Array.isArray(value)) {
		node.value = value;
		delete node.source;
		return node;
	}
	const made = document.createNode(value);
	if (isNode(node)) made.commentBefore = node.commentBefore ?? null;
	return made;
}

function mergeMap(document: Document, map: YAMLMap, value: Record<string, unknown>): YAMLMap {
	const left = new Map(Object.entries(value));
	map.items = (map.items as Pair[]).filter((pair) => {
		const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
		if (!left.has(key)) return false;
		pair.value = merge(document, pair.value, left.get(key));
		left.delete(key);
		return true;
	});
	for (const [key, one] of left) map.items.push(document.createPair(key, one));
	return map;
}

function mergeList(document: Document, list: YAMLSeq, values: readonly unknown[]): YAMLSeq {
	const old = list.items.map((node) => ({ node, value: valueOf(document, node), taken: false }));
	const take = (fits: (one: unknown, at: number) => boolean) => {
		const found = old.find(({ value, taken }, at) => !taken && fits(value, at));
		if (found !== undefined) found.taken = true;
		return found?.node;
	};
	// What is equal goes first: an entry that only moved must not be taken for another.
	const same = values.map((value) => take((one) => isDeepStrictEqual(one, value)));
	const named = values.map((value, at) => {
		const name = nameOf(value);
		return same[at] ?? (name === null ? undefined : take((one) => nameOf(one) === name));
	});
	list.items = values.map((value, at) => {
		const node = named[at] ?? take((one, place) => place === at && nameOf(one) === null && nameOf(value) === null);
		return node === undefined ? document.createNode(value) : merge(document, node, value);
	});
	return list;
}

function valueOf(document: Document, node: unknown): unknown {
	return isNode(node) ? node.toJS(document) : node;
}

function nameOf(value: unknown): string | null {
	return isObject(value) && typeof value['name'] === 'string' ? value['name'] : null;
}

/** A mapping that takes in others by `<<` has members that do not stand in it. */
function mergesOthers(map: YAMLMap): boolean {
	return (map.items as Pair[]).some(
		({ key }) => isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol'),
	);
}

function isNode(node: unknown): node is Node {
	return typeof node === 'object' && node !== null && 'toJS' in node;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJson(text: string): boolean {
	if (!/^\s*[{[]/.test(text)) return false;
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

/** How the file is laid out, so that an edit changes no other line. */
function layoutOf(text: string): Layout {
	const listInKey = /^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*\1- /m.test(text);
	const indent = /^(?:[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n)(?:[ \t]*(?:#[^\n]*)?\n)*( {2,8})[^\s#-]/m.exec(text)?.[1]
		?.length;
	return {
		indent: indent ?? 2,
		indentSeq: !listInKey,
		lineWidth: 0,
	};
}
