import { decodeString, everywhere, isScanFault, type Look, type Member, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import { withoutMembers } from '../../lib/without-members.ts';
import { mapKeywords } from '../params/subschemas.ts';

/**
 * Rewrites a `tools/list` result for clients before 2026-07-28, which refuse the whole list when the `outputSchema`
 * of one tool is not of `type: "object"` (SEP-2106 allowed the others). Such a schema becomes that of an object with
 * the one member `result`; `projectResult` wraps what the tool returns. They refuse `true` and `false` as the schema
 * of a property as well: these are written as objects. All other bytes stay.
 *
 * `wrapped` names the tools whose schema was wrapped, as the list does.
 */
export function projectTools(result: Buffer): { readonly text: Buffer; readonly wrapped: readonly string[] } {
	const wrapped: string[] = [];
	const scanned = scanJson(result, tools, maximumListed);
	if (isScanFault(scanned)) return { text: result, wrapped };
	const { text } = scanned;
	const edits: Edit[] = [];
	for (const tool of scanned.members?.find(({ key }) => key === 'tools')?.members ?? []) {
		for (const { key, start, end } of tool.members ?? []) {
			if (key !== 'inputSchema' && key !== 'outputSchema') continue;
			const schema = text.subarray(start, end);
			if (key === 'inputSchema' || !isSchema(schema) || isObjectSchema(schema)) {
				for (const edit of booleanProperties(schema)) {
					edits.push({ start: edit.start + start, end: edit.end + start, text: edit.text });
				}
				continue;
			}
			edits.push({ start, end, text: wrapSchema(schema) });
			const name = stringMember(tool, 'name', text);
			if (name !== null) wrapped.push(name);
		}
	}
	return { text: splice(text, edits), wrapped };
}

/**
 * Rewrites a `tools/call` result for the same clients: `structuredContent` becomes `{"result": …}` when the schema of
 * the tool was wrapped, and also when it is no object, which these clients would refuse. All other bytes stay.
 */
export function projectResult(result: Buffer, wrapped: boolean): Buffer {
	if (!result.includes('"structuredContent"')) return result;
	const scanned = scanJson(result, {});
	if (isScanFault(scanned) || scanned.text[scanned.start] !== 0x7b) return result;
	const edits = contentEdits(scanned.members, wrapped, ({ start }) => scanned.text[start]);
	return edits.length === 0 ? result : splice(scanned.text, edits);
}

type Part = Pick<Member, 'key' | 'start' | 'end'>;

/** The edits of `projectResult`, for results in which there is more to change. */
export function contentEdits<M extends Part>(
	members: readonly M[] | null,
	wrapped: boolean,
	firstByte: (member: M) => number | undefined,
): Edit[] {
	const content = members?.find(({ key }) => key === 'structuredContent');
	if (content === undefined || (!wrapped && firstByte(content) === 0x7b)) return [];
	return [
		{ start: content.start, end: content.start, text: '{"result":' },
		{ start: content.end, end: content.end, text: '}' },
	];
}

const tools: Look = { tools: { '[]': {} } };
/** Lists with more tools and members of tools are passed on as they are: reading them would hold up everybody else. */
const maximumListed = 60_000;
/** The same for what stands in one schema. */
const maximumInSchema = 20_000;

/** Null, for instance, is none; wrapping would not mend it. */
function isSchema(schema: Buffer): boolean {
	return schema[0] === 0x7b || schema[0] === 0x74 || schema[0] === 0x66;
}

function isObjectSchema(schema: Buffer): boolean {
	const scanned = scanJson(schema, {});
	if (isScanFault(scanned) || schema[scanned.start] !== 0x7b) return false;
	return stringMember(scanned, 'type', schema) === 'object';
}

function booleanProperties(schema: Buffer): Edit[] {
	const scanned = scanJson(schema, { properties: {} }, maximumInSchema);
	const edits: Edit[] = [];
	if (isScanFault(scanned)) return edits;
	const properties = scanned.members?.find(({ key }) => key === 'properties');
	if (properties === undefined || schema[properties.start] !== 0x7b) return edits;
	for (const { start, end } of properties.members ?? []) {
		if (schema[start] === 0x74 || schema[start] === 0x66)
			edits.push({ start, end, text: booleanSchema(schema, start) });
	}
	return edits;
}

/** What `true` or `false` says, as an object. */
function booleanSchema(text: Buffer, start: number): string {
	return text[start] === 0x74 ? '{}' : '{"not":{}}';
}

function wrapSchema(schema: Buffer): Buffer {
	const scanned = scanJson(schema, everywhere, maximumInSchema);
	// Equal keys somewhere inside: which of them counts is for the client to say, as it was before.
	if (isScanFault(scanned)) return wrapper('', schema);
	const { text, start, end, members } = scanned;
	if (members === null) return wrapper('', Buffer.from(booleanSchema(text, start)));
	const moved = members.filter(({ key }) => key === '$schema' || (key === '$id' && isResource(scanned, text)));
	const head = moved.map((member) => `${text.toString('utf8', member.keyStart, member.end)},`).join('');
	const edits: Edit[] = [];
	const id = isResource(scanned, text) ? stringMember(scanned, '$id', text) : null;
	rebase(scanned, text, id?.replace(/#$/, '') ?? null, edits);
	const inner = splice(text, edits, start, end);
	return wrapper(head, withoutMembers(inner, new Set(moved.map(({ key }) => key))));
}

function wrapper(head: string, schema: Buffer): Buffer {
	const before = Buffer.from(`{${head}"type":"object","properties":{"result":`);
	return Buffer.concat([before, schema, Buffer.from('},"required":["result"]}')]);
}

/** Keywords whose values are data, even where they look like schemas. */
const dataKeywords: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'example', 'examples']);

/**
 * JSON pointers count from the root of the document, which now is one object further out. Keywords that nobody
 * defined are walked too: references may lead into them. Inside a schema with an address of its own nothing changes.
 */
function rebase(schema: Span, text: Buffer, id: string | null, edits: Edit[]): void {
	const isList = text[schema.start] === 0x5b;
	for (const member of schema.members ?? []) {
		if (!isList && text[member.start] === 0x22) {
			if (member.key !== '$ref' && member.key !== '$dynamicRef') continue;
			const pointer = pointerOf(decodeString(text, member.start, member.end), id);
			if (pointer === null) continue;
			edits.push({ start: member.start, end: member.end, text: JSON.stringify(`#/properties/result${pointer}`) });
		} else if (!isList && mapKeywords.has(member.key)) {
			for (const inner of member.members ?? []) if (!isResource(inner, text)) rebase(inner, text, id, edits);
		} else if ((isList || !dataKeywords.has(member.key)) && !isResource(member, text)) rebase(member, text, id, edits);
	}
}

/** The JSON pointer of a reference into its own document; null for anchors, which are found wherever they stand. */
function pointerOf(reference: string, id: string | null): string | null {
	const own = id !== null && reference.startsWith(id) ? reference.slice(id.length) : reference;
	return /^#?$|^#\//.test(own) ? own.slice(1) : null;
}

type Span = Pick<Member, 'start' | 'members'>;

/** Whether a schema has an address of its own, from which its references count. `#name` is an anchor of old drafts. */
function isResource(schema: Span, text: Buffer): boolean {
	if (text[schema.start] !== 0x7b) return false;
	const id = stringMember(schema, '$id', text);
	return id !== null && id !== '' && !id.startsWith('#');
}

function stringMember(schema: Pick<Member, 'members'>, key: string, text: Buffer): string | null {
	const member = schema.members?.find((one) => one.key === key);
	return member !== undefined && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}
