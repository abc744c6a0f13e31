import type { Member } from '../../lib/json-scan.ts';

/** A schema inside a schema. */
export interface Subschema {
	/** The property that it describes; null when it stands under another keyword. */
	readonly property: string | null;
	/** The keyword that holds it. */
	readonly keyword: string;
	/** Its span; `members` is null for `true` and `false`. */
	readonly schema: Member;
}

/**
 * The schemas that stand directly in a schema object, by the keywords of JSON Schema from draft 4 to 2020-12. What
 * only looks like a schema (`const`, `default`, `enum`, `examples`, unknown keywords) is data. The text must have been
 * scanned with the look `everywhere`.
 */
export function subschemas(schema: Member, text: Buffer): readonly Subschema[] {
	const found: Subschema[] = [];
	if (text[schema.start] !== 0x7b) return found;
	for (const member of schema.members ?? []) {
		const { key, members } = member;
		if (members === null) continue;
		const isArray = text[member.start] === 0x5b;
		if (mapKeywords.has(key)) {
			if (isArray) continue;
			for (const one of members) {
				found.push({ property: key === 'properties' ? one.key : null, keyword: key, schema: one });
			}
		} else if (keywords.has(key)) {
			if (isArray) for (const one of members) found.push({ property: null, keyword: key, schema: one });
			else found.push({ property: null, keyword: key, schema: member });
		}
	}
	return found;
}

/** Keywords that hold a schema, or a list of them. */
const keywords: ReadonlySet<string> = new Set([
	...['items', 'prefixItems', 'additionalItems', 'unevaluatedItems', 'contains', 'additionalProperties'],
	...['unevaluatedProperties', 'propertyNames', 'oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'],
	'contentSchema',
]);

/** Keywords that hold schemas by names, which are no keywords. */
export const mapKeywords: ReadonlySet<string> = new Set([
	...['properties', 'patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'],
]);
