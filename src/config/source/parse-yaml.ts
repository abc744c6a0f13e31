import {
	type Document,
	isAlias,
	isCollection,
	isMap,
	isScalar,
	Lexer,
	type Node,
	type Pair,
	parseDocument,
	visit,
	type YAMLError,
} from 'yaml';

/** A fault of the text itself, with its offset. */
export interface SyntaxFault {
	offset: number;
	message: string;
	remedy: string;
}

/** The document with its nodes (for places) and its plain value, or why there is none. */
export type ParsedYaml = { ok: true; document: Document.Parsed; value: unknown } | { ok: false; faults: SyntaxFault[] };

/** What the lexer puts between tokens for document, flow end and scalar; they do not stand in the text. */
const CONTROL_TOKENS = new Set(['\u0002', '\u0018', '\u001f']);
const MAX_DEPTH = 200;
const MAX_ALIASES = 1000;
/** The `yaml` package compares every anchor with all before it. */
const MAX_ANCHORS = 1000;
const MAX_FAULTS = 10;
/** A file of 30,000 routes has about a million. */
const MAX_TOKENS = 2_000_000;

/**
 * Reads one YAML 1.2 (or JSON) document with merge keys. Refuses several documents, duplicate keys, unknown tags,
 * unresolved aliases, alias bombs and absurd nesting; every refusal is a value.
 */
export function parseYaml(text: string): ParsedYaml {
	// The parser of the `yaml` package aborts the whole process on about 100,000 open brackets, so depth is counted first.
	const excess = findExcess(text);
	if (excess !== null) {
		return refuse(excess.offset, excess.message, 'no configuration needs that');
	}
	try {
		const document = parseDocument(text, { merge: true, prettyErrors: false, uniqueKeys: false });
		const errors = [...document.errors, ...document.warnings].filter(
			(error, index, all) => all.findIndex((other) => other.pos[0] === error.pos[0]) === index,
		);
		const faults = errors.slice(0, MAX_FAULTS).map((error) => faultOf(error, document, text));
		if (faults.length === 0) {
			faults.push(...nodeFaults(document));
		}
		if (faults.length > 0) {
			return { ok: false, faults };
		}
		return { ok: true, document, value: document.toJS() };
	} catch (error) {
		return refuse(0, ...thrownFault(error));
	}
}

function refuse(offset: number, message: string, remedy: string): ParsedYaml {
	return { ok: false, faults: [{ offset, message, remedy }] };
}

function findExcess(text: string): { offset: number; message: string } | null {
	let flow = 0;
	let compact = 0;
	let offset = 0;
	let tokens = 0;
	let anchors = 0;
	for (const token of new Lexer().lex(text)) {
		if (token === '[' || token === '{') {
			flow++;
		} else if (token === ']' || token === '}') {
			flow--;
		} else if (token === '-' || token === '?') {
			compact++;
		} else if (token.startsWith('\n') || token.startsWith('\r')) {
			compact = 0;
		}
		if (flow + compact > MAX_DEPTH) {
			return { offset, message: `nested more than ${MAX_DEPTH} levels deep` };
		}
		if (token.startsWith('&') && ++anchors > MAX_ANCHORS) {
			return { offset, message: `more than ${MAX_ANCHORS} anchors` };
		}
		if (++tokens > MAX_TOKENS) {
			return { offset, message: 'too many values' };
		}
		if (!CONTROL_TOKENS.has(token)) {
			offset += token.length;
		}
	}
	return null;
}

function faultOf(error: YAMLError, document: Document.Parsed, text: string): SyntaxFault {
	const offset = error.pos[0];
	if (error.code === 'MISSING_CHAR' || error.code === 'BAD_INDENT') {
		return unclosedFault(document, text) ?? unnamedFault(error);
	}
	if (error.code === 'TAG_RESOLVE_FAILED') {
		return { offset, message: `unknown tag "${wordAt(text, offset)}"`, remedy: 'remove it, or quote the value' };
	}
	const wording = WORDING[error.code];
	return wording === undefined ? unnamedFault(error) : { offset, message: wording[0], remedy: wording[1] };
}

/** Message and remedy for the faults that people make; the parser's own words stand for the others. */
const WORDING: Partial<Record<YAMLError['code'], [message: string, remedy: string]>> = {
	MULTIPLE_DOCS: ['a second document begins here', 'keep one document and remove the "---"'],
	TAB_AS_INDENT: ['a tab is used for indentation', 'YAML wants spaces'],
	BLOCK_AS_IMPLICIT_KEY: ['a value with ": " in it, or a line indented too far', 'quote the value, or align the line'],
};

function unnamedFault(error: YAMLError): SyntaxFault {
	if (error.message.includes('call stack')) {
		return { offset: error.pos[0], message: 'nested too deeply', remedy: 'no configuration needs that' };
	}
	return { offset: error.pos[0], message: `not valid YAML: ${lowerFirst(error.message)}`, remedy: '' };
}

/** The parser reports a missing end where the text ends; people look for the beginning. */
function unclosedFault(document: Document.Parsed, text: string): SyntaxFault | null {
	let offset: number | null = null;
	visit(document, {
		Node(_, node) {
			const [start = 0, end = 0] = node.range ?? [];
			const opener = text[start];
			const closer = { '"': '"', "'": "'", '[': ']', '{': '}' }[opener ?? ''];
			const delimited = isScalar(node)
				? node.type?.startsWith('QUOTE') === true
				: isCollection(node) && node.flow === true;
			if (delimited && closer !== undefined && (end - start < 2 || text[end - 1] !== closer)) {
				offset = start;
				return visit.BREAK;
			}
			return undefined;
		},
	});
	return offset === null ? null : { offset, message: `${text[offset]} is opened here and never closed`, remedy: '' };
}

/** Faults of single nodes. Duplicate keys are sought here because the parser's own search is quadratic. */
function nodeFaults(document: Document.Parsed): SyntaxFault[] {
	const anchors = new Set<string>();
	const faults: SyntaxFault[] = [];
	let aliases = 0;
	visit(document, {
		Node(_, node) {
			const offset = node.range?.[0] ?? 0;
			if (!isAlias(node)) {
				if (isMap(node)) {
					faults.push(...pairFaults(node.items as Pair<Node, Node | null>[]));
				}
				if ('anchor' in node && typeof node.anchor === 'string') {
					anchors.add(node.anchor);
				}
				return undefined;
			}
			aliases++;
			if (!anchors.has(node.source)) {
				const remedy = `define it with "&${node.source}" above this line, or quote the value`;
				faults.push({ offset, message: `the alias "*${node.source}" has no anchor`, remedy });
			}
			if (aliases > MAX_ALIASES) {
				faults.push({ offset, message: `more than ${MAX_ALIASES} aliases`, remedy: 'write the values out' });
				return visit.BREAK;
			}
			return undefined;
		},
	});
	return faults.slice(0, MAX_FAULTS);
}

function pairFaults(pairs: readonly Pair<Node, Node | null>[]): SyntaxFault[] {
	const seen = new Set<string>();
	const faults: SyntaxFault[] = [];
	for (const { key, value } of pairs) {
		if (!isScalar(key)) {
			continue;
		}
		const offset = key.range?.[0] ?? 0;
		if (typeof key.value === 'symbol' && isScalar(value)) {
			const remedy = 'merge an alias of a mapping, such as "<<: *base"';
			faults.push({ offset, message: '"<<" merges something that is no mapping', remedy });
		}
		const name = String(key.value);
		if (typeof key.value !== 'symbol' && seen.has(name)) {
			faults.push({ offset, message: `the key "${name.slice(0, 64)}" is written twice`, remedy: 'keep one of them' });
		}
		seen.add(name);
	}
	return faults;
}

function thrownFault(error: unknown): [message: string, remedy: string] {
	const text = error instanceof Error ? error.message : String(error);
	if (text.includes('Excessive alias count')) {
		return ['the aliases multiply beyond measure', 'write the values out instead of nesting aliases'];
	}
	if (text.includes('Merge sources')) {
		return ['"<<" merges something that is no mapping', 'merge an alias of a mapping, such as "<<: *base"'];
	}
	if (error instanceof RangeError) {
		return ['nested too deeply', 'no configuration needs that'];
	}
	return [`not valid YAML: ${lowerFirst(text)}`, ''];
}

function wordAt(text: string, offset: number): string {
	return /^["']?([^\s"':,]+)/.exec(text.slice(offset, offset + 60))?.[1] ?? '';
}

function lowerFirst(text: string): string {
	return text.charAt(0).toLowerCase() + text.slice(1);
}
