import * as z from 'zod';

/**
 * A key that agentgateway knows and this version does not: `refuse` where it would change traffic or security, `warn`
 * where it only tunes or stores something, `moved` where agentgateway itself dropped it; the note says what to do.
 */
export interface KnownKey {
	rule: 'refuse' | 'warn' | 'moved';
	note: string;
}

/** What a section carries beside its keys, kept as zod metadata. */
export interface SectionOptions {
	/** Name in the JSON Schema's definitions and heading in the reference; absent for small inline sections. */
	id?: string;
	description: string;
	known?: Record<string, KnownKey>;
	/** Exactly one of these keys must be there. */
	oneOf?: readonly string[];
}

/** A mapping with fixed keys: a strict zod object with its description, its known-but-absent keys and its one-of rule. */
export function section<Shape extends z.ZodRawShape>(
	shape: Shape,
	options: SectionOptions,
): z.ZodObject<Shape, z.core.$strict> {
	const { oneOf, ...meta } = options;
	return z.strictObject(shape).meta(oneOf === undefined ? meta : { ...meta, exactlyOne: oneOf });
}

/** Known keys under one rule, for the `known` table of a section. */
export function known(rule: KnownKey['rule'], keys: string, note = ''): Record<string, KnownKey> {
	return Object.fromEntries(keys.split(/\s+/).map((key) => [key, { rule, note }]));
}

/** The section behind a schema, with its tables, when there is one below `optional` and the object branch of a choice. */
export interface SectionView {
	shape: Readonly<Record<string, z.core.$ZodType>>;
	known: Readonly<Record<string, KnownKey>>;
	exactlyOne: readonly string[];
}

/** Reads the tables of a section back from its schema. */
export function viewSection(schema: z.ZodObject): SectionView {
	const meta = schema.meta();
	return {
		shape: schema.def.shape,
		known: (meta?.known ?? {}) as Record<string, KnownKey>,
		exactlyOne: (meta?.exactlyOne ?? []) as string[],
	};
}

/** Strips `optional` and picks the branch of a choice that fits the value's own kind (text, list, mapping). */
export function unwrap(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
	if (schema instanceof z.ZodOptional) {
		return unwrap(schema.unwrap(), value);
	}
	if (schema instanceof z.ZodUnion) {
		const branch = schema.options.find(
			(option) =>
				(Array.isArray(value) && option instanceof z.ZodArray) || (isMapping(value) && option instanceof z.ZodObject),
		);
		return branch === undefined ? schema : unwrap(branch, value);
	}
	return schema;
}

/** Whether a value is a mapping: an object, no list, not null. */
export function isMapping(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
