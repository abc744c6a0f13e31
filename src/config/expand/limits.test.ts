import { expect, test } from 'vitest';
import { configJsonSchema, type JsonSchema } from '../json-schema.ts';
import { LIMITS, type WrittenLimits } from '../schema/limits.ts';
import { defaultLimits, expandLimits } from './limits.ts';

test('the defaults that the schema shows are those that hold', () => {
	const definitions = configJsonSchema().definitions as Record<string, JsonSchema>;
	const shown = Object.entries(definitions.mcpLimits?.properties ?? {}).map(([key, { default: value }]) => [
		key,
		value,
	]);
	const written = LIMITS.parse(Object.fromEntries(shown)) as WrittenLimits;
	expect(Object.keys(written).sort()).toEqual(Object.keys(defaultLimits).sort());
	expect(expandLimits(written)).toEqual(defaultLimits);
	expect(expandLimits({})).toEqual(defaultLimits);
});
