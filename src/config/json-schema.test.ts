import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configJsonSchema, type JsonSchema } from './json-schema.ts';
import { configReference } from './reference.ts';

const root = join(import.meta.dirname, '..', '..');
const schema = configJsonSchema();
const sections = [schema, ...Object.values(schema.definitions as Record<string, JsonSchema>)];

describe('the JSON Schema', () => {
	test('describes every key', () => {
		const bare = sections.flatMap((part) =>
			Object.entries(part.properties ?? {})
				.filter(([, property]) => !property.description)
				.map(([key]) => key),
		);
		expect(bare).toEqual([]);
	});

	test('refuses unknown keys in every section', () => {
		expect(sections.filter((part) => part.properties !== undefined && part.additionalProperties !== false)).toEqual([]);
	});

	test('has no words of ours in it', () => {
		const text = JSON.stringify(schema);
		expect(text).not.toMatch(/"(?:known|exactlyOne|id)":/);
	});

	test('says what must stand alone, and what has no effect', () => {
		const definitions = schema.definitions as Record<string, JsonSchema>;
		expect(definitions.target?.oneOf).toHaveLength(4);
		expect(definitions.settings?.properties?.workerThreads).toMatchObject({ deprecated: true });
		expect(definitions.routePolicies?.properties).not.toHaveProperty('jwtAuth');
	});
});

describe('generated files are current (node scripts/docs.mjs writes them)', () => {
	test('schema/config.json', () => {
		expect(`${JSON.stringify(schema, null, '\t')}\n`).toBe(readFileSync(join(root, 'schema/config.json'), 'utf8'));
	});

	test('docs/configuration.md', () => {
		expect(configReference()).toBe(readFileSync(join(root, 'docs/configuration.md'), 'utf8'));
	});

	test('the generator writes the same', () => {
		expect(() =>
			execFileSync(process.execPath, ['scripts/docs.mjs', '--check'], { cwd: root, stdio: 'pipe' }),
		).not.toThrow();
	});
});
