import * as z from 'zod';
import { ROOT } from './schema/root.ts';
import type { KnownKey } from './schema/section.ts';

/** A JSON Schema, or a part of one. */
export interface JsonSchema {
	[keyword: string]: unknown;
	description?: string;
	properties?: Record<string, JsonSchema>;
	required?: string[];
}

/**
 * The JSON Schema (draft 7, which YAML editors understand) of a configuration file, with a description on every key. Keys
 * that are accepted without effect are in it, marked as deprecated; refused ones are not.
 */
export function configJsonSchema(): JsonSchema {
	const made = z.toJSONSchema(ROOT, {
		target: 'draft-7',
		io: 'input',
		override: ({ jsonSchema }) => adapt(jsonSchema as JsonSchema),
	}) as JsonSchema;
	describeReferences(made, made.definitions as Record<string, JsonSchema>);
	const { $schema, ...rest } = made;
	return { $schema, title: 'agentgateway configuration', ...rest };
}

function adapt(schema: JsonSchema): void {
	const known = schema.known as Record<string, KnownKey> | undefined;
	const exactlyOne = schema.exactlyOne as string[] | undefined;
	delete schema.known;
	delete schema.exactlyOne;
	// The id only names the definition; as a keyword it would change the base of every reference below it.
	delete schema.id;
	if (schema.type === 'integer' && schema.maximum === Number.MAX_SAFE_INTEGER) {
		delete schema.maximum;
	}
	if (schema.properties !== undefined) {
		for (const [key, entry] of Object.entries(known ?? {})) {
			if (entry.rule === 'warn') {
				schema.properties[key] = {
					description: 'Accepted for agentgateway; no effect in this version.',
					deprecated: true,
				};
			}
		}
	}
	if (exactlyOne !== undefined && schema.properties !== undefined) {
		const supported = exactlyOne.filter((key) => key in (schema.properties ?? {}));
		if (supported.length === 1) {
			schema.required = [...(schema.required ?? []), ...supported];
		} else {
			schema.oneOf = supported.map((key) => ({ required: [key] }));
		}
	}
}

/** Gives keys that only refer to a definition its description, because editors show what stands at the key. */
function describeReferences(schema: JsonSchema, definitions: Record<string, JsonSchema>): void {
	for (const part of [schema, ...Object.values(definitions)]) {
		for (const property of Object.values(part.properties ?? {})) {
			if (typeof property.$ref === 'string') {
				// In draft 7 nothing beside a bare $ref counts.
				property.allOf = [{ $ref: property.$ref }];
				delete property.$ref;
			}
			const reference = (property.allOf as { $ref?: string }[] | undefined)?.[0]?.$ref;
			const name = reference?.replace('#/definitions/', '');
			property.description ??= name === undefined ? undefined : definitions[name]?.description;
		}
	}
}
