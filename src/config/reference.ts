import * as z from 'zod';
import { configJsonSchema, type JsonSchema } from './json-schema.ts';
import { ROOT } from './schema/root.ts';
import { viewSection } from './schema/section.ts';

const INTRO = `# Configuration

Generated from the schema by \`node scripts/docs.mjs\`; do not edit. \`agentgateway schema\` prints the same as JSON Schema.

The file is YAML or JSON. Keys are exact; unknown ones are refused. Values are not converted: a port is \`3000\`, not
\`"3000"\`. Durations carry a unit: \`500ms\`, \`5s\`, \`1m30s\`; where zero has a meaning, \`0\` needs none. Before the file is parsed, \`$V\`, \`\${V}\` and
\`\${V:-default}\` are replaced by environment variables, in comments too; \`$$\` is a dollar sign.

For completion in an editor: \`agentgateway schema > schema.json\`, then begin the file with
\`# yaml-language-server: $schema=schema.json\`.
`;

/** The configuration reference as Markdown: one table per section, made from the JSON Schema. */
export function configReference(): string {
	const schema = configJsonSchema();
	const definitions = schema.definitions as Record<string, JsonSchema>;
	const parts = [INTRO, sectionText('The file', schema)];
	for (const name of orderOf(schema, definitions)) {
		parts.push(sectionText(name, definitions[name] ?? {}));
	}
	parts.push(refusedText());
	return parts.join('\n');
}

/** Definitions in the order in which a reader meets them. */
function orderOf(root: JsonSchema, definitions: Record<string, JsonSchema>): string[] {
	const order = new Set<string>();
	const visit = (schema: JsonSchema): void => {
		const names = Object.values(schema.properties ?? {}).flatMap(referencesOf);
		const fresh = names.filter((name) => !order.has(name) && name in definitions);
		for (const name of fresh) {
			order.add(name);
		}
		for (const name of fresh) {
			visit(definitions[name] ?? {});
		}
	};
	visit(root);
	return [...order];
}

function referencesOf(schema: JsonSchema): string[] {
	const text = JSON.stringify(schema) ?? '';
	return [...text.matchAll(/"\$ref":"#\/definitions\/(\w+)"/g)].map((found) => found[1] ?? '');
}

function sectionText(name: string, schema: JsonSchema): string {
	const properties = Object.entries(schema.properties ?? {});
	const idle = properties.filter(([, property]) => property.deprecated === true).map(([key]) => `\`${key}\``);
	const effective = properties.filter(([, property]) => property.deprecated !== true);
	const rows = effective.map(([key, property]) => {
		const required = schema.required?.includes(key) === true ? ' (required)' : '';
		const default_ = property.default === undefined ? '' : code(property.default);
		return `| \`${key}\`${required} | ${typeOf(property)} | ${default_} | ${cell(property.description ?? '')} |\n`;
	});
	const oneOf = schema.oneOf as { required: string[] }[] | undefined;
	const rule =
		oneOf === undefined ? '' : `\nExactly one of ${oneOf.map(({ required }) => `\`${required[0]}\``).join(', ')}.\n`;
	const table = rows.length === 0 ? '' : `\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n${rows.join('')}`;
	const without =
		idle.length === 0 ? '' : `\nAccepted with a warning, without effect in this version: ${idle.join(', ')}.\n`;
	return `## ${name}\n\n${schema.description ?? ''}\n${rule}${table}${without}`;
}

function typeOf(schema: JsonSchema): string {
	const reference = referencesOf({ $ref: schema.$ref ?? (schema.allOf as JsonSchema[] | undefined)?.[0]?.$ref })[0];
	if (reference !== undefined) {
		return `[${reference}](#${reference.toLowerCase()})`;
	}
	if (Array.isArray(schema.enum)) {
		return schema.enum.map((value) => `\`${value}\``).join(', ');
	}
	if (schema.const !== undefined) {
		return code(schema.const);
	}
	if (Array.isArray(schema.anyOf)) {
		return schema.anyOf.map((branch) => typeOf(branch as JsonSchema)).join(' or ');
	}
	if (schema.type === 'array') {
		return `list of ${typeOf(schema.items as JsonSchema)}`;
	}
	if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
		return `map of ${typeOf(schema.additionalProperties as JsonSchema)}`;
	}
	const names: Record<string, string> = {
		string: 'text',
		integer: 'whole number',
		boolean: '`true`, `false`',
		object: 'mapping',
	};
	return names[String(schema.type)] ?? 'any';
}

function code(value: unknown): string {
	return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function cell(text: string): string {
	return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** The keys of agentgateway that this version refuses, section by section. */
function refusedText(): string {
	const lines = new Set<string>();
	collectRefused(ROOT, 'The file', lines);
	const intro = 'Known to agentgateway, and refused here because ignoring them would change traffic or security:';
	return `## Refused keys\n\n${intro}\n\n${[...lines].join('\n')}\n`;
}

function collectRefused(schema: z.core.$ZodType, name: string, lines: Set<string>): void {
	if (!(schema instanceof z.ZodObject)) {
		for (const part of partsOf(schema)) {
			collectRefused(part, name, lines);
		}
		return;
	}
	const { shape, known } = viewSection(schema);
	const keys = Object.keys(known).filter((key) => known[key]?.rule === 'refuse');
	const own = String(schema.meta()?.id ?? name);
	if (keys.length > 0) {
		lines.add(`- ${own}: ${keys.map((key) => `\`${key}\``).join(', ')}`);
	}
	for (const [key, child] of Object.entries(shape)) {
		collectRefused(child, key, lines);
	}
}

function partsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
	if (schema instanceof z.ZodOptional) {
		return [schema.unwrap()];
	}
	if (schema instanceof z.ZodArray) {
		return [schema.element];
	}
	if (schema instanceof z.ZodRecord) {
		return [schema.valueType];
	}
	return schema instanceof z.ZodUnion ? schema.options : [];
}
