import {
	type Document,
	isAlias,
	isCollection,
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

const MAX_DEPTH = 200;
const MAX_ALIASES = 1000;
const MAX_FAULTS = 10;

/**
 * Reads one YAML 1.2 (or JSON) document with merge keys. Refuses several documents, duplicate keys, unknown tags,
 * unresolved aliases, alias bombs and absurd nesting; every refusal is a value.
 */
export function parseYaml(text: string): ParsedYaml {
	// The parser of the `yaml` package aborts the whole process on about 100,000 open brackets, so depth is counted first.
	const deep = tooDeep(text);
	if (deep !== null) {
		return refuse(deep, `nested more than ${MAX_DEPTH} levels deep`, 'no configuration needs that');
	}
	try {
		const document = parseDocument(text, { merge: true, prettyErrors: false });
		const errors = [...document.errors, ...document.warnings].filter(
			(error, index, all) => all.findIndex((other) => other.pos[0] === error.pos[0]) === index,
		);
		const faults = errors.slice(0, MAX_FAULTS).map((error) => faultOf(error, document, text));
		if (faults.length === 0) {
			faults.push(...aliasFaults(document));
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

function tooDeep(text: string): number | null {
	let flow = 0;
	let compact = 0;
	let offset = 0;
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
			return Math.min(offset, text.length);
		}
		// Lexer control tokens (byte order mark aside) are single characters that do not stand in the text.
		if (!/^[\u0002\u0018\u001f]$/.test(token)) {
			offset += token.length;
		}
	}
	return null;
}

function faultOf(error: YAMLError, document: Document.Parsed, text: string): SyntaxFault {
	const offset = error.pos[0];
	switch (error.code) {
		case 'DUPLICATE_KEY':
			return { offset, message: `the key "${wordAt(text, offset)}" is written twice`, remedy: 'keep one of them' };
		case 'MULTIPLE_DOCS':
			return { offset, message: 'a second document begins here', remedy: 'keep one document and remove the "---"' };
		case 'TAB_AS_INDENT':
			return { offset, message: 'a tab is used for indentation', remedy: 'YAML wants spaces' };
		case 'TAG_RESOLVE_FAILED':
			return { offset, message: `unknown tag "${wordAt(text, offset)}"`, remedy: 'remove it, or quote the value' };
		case 'BLOCK_AS_IMPLICIT_KEY':
			return {
				offset,
				message: 'a value with ": " in it, or a line indented too far',
				remedy: 'quote the value, or align the line',
			};
		case 'MISSING_CHAR':
		case 'BAD_INDENT':
			return unclosedFault(document, text) ?? unnamedFault(error);
		default:
			return unnamedFault(error);
	}
}

function unnamedFault(error: YAMLError): SyntaxFault {
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

function aliasFaults(document: Document.Parsed): SyntaxFault[] {
	const anchors = new Set<string>();
	const faults: SyntaxFault[] = [];
	let aliases = 0;
	visit(document, {
		Pair(_, pair) {
			const { key, value } = pair as Pair<Node, Node | null>;
			if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN' && isScalar(value)) {
				const remedy = 'merge an alias of a mapping, such as "<<: *base"';
				faults.push({ offset: key.range?.[0] ?? 0, message: '"<<" merges something that is no mapping', remedy });
			}
		},
		Node(_, node) {
			const offset = node.range?.[0] ?? 0;
			if (!isAlias(node)) {
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
