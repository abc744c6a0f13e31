import {
	decodeString,
	everywhere,
	isScanFault,
	type Look,
	type Member,
	type Scanned,
	scanJson,
} from '../../lib/json-scan.ts';
import { subschemas } from './subschemas.ts';

/** One argument of a tool that travels in an HTTP header as well. */
export interface ParamHeader {
	/** Name of the header as the tool declares it: `Mcp-Param-Region`. */
	readonly label: string;
	/** The same in lowercase, as headers are kept. */
	readonly header: string;
	/** Names of the properties that lead from the arguments to the value. */
	readonly path: readonly string[];
	readonly type: 'string' | 'integer' | 'boolean';
}

/** What a tool declares; made once for a tool, used for each of its calls. */
export interface DeclaredHeaders {
	readonly kind: 'declared';
	readonly headers: readonly ParamHeader[];
	/** The objects of the arguments that must be looked into. */
	readonly look: Look;
}

/** A tool that breaks the rules of `x-mcp-header`: clients must not be shown it. */
export interface InvalidHeaders {
	readonly kind: 'invalid';
	/** For a person: the place in the schema and what is wrong there. */
	readonly reason: string;
}

/** A schema that was not read: the tool is treated as one without annotations, and the log should say so. */
export interface UnreadHeaders {
	readonly kind: 'unread';
	readonly reason: string;
}

/** Larger schemas are not walked: a record of each of their members would hold up everybody else. */
export const maximumSchemaBytes = 1024 * 1024;

/**
 * Reads the `x-mcp-header` annotations of a tool (MCP, "Custom Headers from Tool Parameters"). `inputSchema` is the
 * span of the schema in `text`, which was scanned before. Tools without annotations cost one search through the span.
 */
export function readParamHeaders(
	text: Buffer,
	inputSchema: Pick<Member, 'start' | 'end'>,
): DeclaredHeaders | InvalidHeaders | UnreadHeaders {
	const schema = text.subarray(inputSchema.start, inputSchema.end);
	// A key written with escapes is no annotation for us, but then for few others: nobody writes it so by accident.
	if (!schema.includes(annotation)) return none;
	if (schema.length > maximumSchemaBytes) {
		return { kind: 'unread', reason: `its inputSchema is larger than ${maximumSchemaBytes} bytes` };
	}
	const scanned = scanJson(schema, everywhere);
	if (isScanFault(scanned)) return { kind: 'unread', reason: `its inputSchema is ambiguous: ${scanned.fault}` };
	return new SchemaWalk(scanned).run();
}

const annotation = 'x-mcp-header';

const none: DeclaredHeaders = { kind: 'declared', headers: [], look: {} };

/** RFC 9110, section 5.1. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Collects the annotations of one schema, and stops at the first that breaks a rule. */
class SchemaWalk {
	private readonly scanned: Scanned;
	private readonly headers: ParamHeader[] = [];
	private readonly seen = new Set<string>();
	private fault: string | null = null;

	constructor(scanned: Scanned) {
		this.scanned = scanned;
	}

	run(): DeclaredHeaders | InvalidHeaders {
		const { start, end, members } = this.scanned;
		this.visit({ key: '', keyStart: start, start, end, members }, 'inputSchema', []);
		if (this.fault !== null) return { kind: 'invalid', reason: this.fault };
		if (this.headers.length === 0) return none;
		return { kind: 'declared', headers: this.headers, look: lookAlong(this.headers) };
	}

	/** `path`: the properties that lead here from the root, null when other keywords lie between. */
	private visit(schema: Member, place: string, path: readonly string[] | null): void {
		if (this.fault !== null) return;
		const text = this.scanned.text;
		if (text[schema.start] !== 0x7b) return;
		const annotated = schema.members?.find((member) => member.key === annotation);
		if (annotated !== undefined) {
			this.fault = this.declare(schema, annotated, path);
			if (this.fault !== null) this.fault = `${place}: ${this.fault}`;
		}
		for (const { property, keyword, schema: inner } of subschemas(schema, text)) {
			if (property === null) this.visit(inner, `${place}.${keyword}`, null);
			else this.visit(inner, `${place}.${property}`, path === null ? null : [...path, property]);
		}
	}

	/** What is wrong with an annotation; null when nothing is, and then it is taken. */
	private declare(schema: Member, annotated: Member, path: readonly string[] | null): string | null {
		const name = stringOf(this.scanned.text, annotated);
		if (name === null || name === '') return `${annotation} must be a string that is not empty`;
		if (!token.test(name)) return `${annotation} ${JSON.stringify(name)} cannot be part of a header name`;
		if (path === null || path.length === 0)
			return `${annotation} may stand only on properties of the root and of its objects`;
		const type = typeOf(schema, this.scanned.text);
		if (type === null) return `${annotation} needs the type string, integer or boolean`;
		const header = `mcp-param-${name.toLowerCase()}`;
		if (this.seen.has(header)) return `${annotation} ${JSON.stringify(name)} is there twice`;
		this.seen.add(header);
		this.headers.push({ label: `Mcp-Param-${name}`, header, path, type });
		return null;
	}
}

/** The type that an annotation may have. `["string", "null"]` is one: the header of null is left out. */
function typeOf(schema: Member, text: Buffer): ParamHeader['type'] | null {
	const type = schema.members?.find((member) => member.key === 'type');
	if (type === undefined) return null;
	const all = text[type.start] === 0x5b ? (type.members ?? []) : [type];
	const named = all.map((member) => stringOf(text, member)).filter((name) => all.length === 1 || name !== 'null');
	const [only = null] = named;
	return named.length === 1 && isParamType(only) ? only : null;
}

function isParamType(type: string | null): type is ParamHeader['type'] {
	return type === 'string' || type === 'integer' || type === 'boolean';
}

function stringOf(text: Buffer, member: Member): string | null {
	return text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}

/** Objects without prototype: a property may be called `__proto__`. */
function lookAlong(headers: readonly ParamHeader[]): Look {
	const root = Object.create(null) as Record<string, Look>;
	for (const { path } of headers) {
		let look = root;
		for (const property of path.slice(0, -1)) {
			look[property] ??= Object.create(null) as Record<string, Look>;
			look = look[property] as Record<string, Look>;
		}
	}
	return root;
}
