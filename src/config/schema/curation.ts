import * as z from 'zod';
import { section } from './section.ts';

const longestPattern = 256;

function patterns(description: string): z.ZodOptional<z.ZodArray<z.ZodString>> {
	const pattern = z
		.string()
		.min(1, { error: 'must not be empty' })
		.max(longestPattern, { error: `a pattern has at most ${longestPattern} characters` });
	return z
		.array(pattern)
		.min(1, { error: 'needs at least one pattern; leave the key out otherwise' })
		.describe(description)
		.optional();
}

const newNames = z
	.record(z.string(), z.string().min(1, { error: 'must not be empty' }))
	.meta({ description: 'New names: `{from: to}`, from the server’s name. Clients see only the new one.', default: {} })
	.optional();

function descriptions(of: string): z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodString>> {
	return z
		.record(z.string(), z.string())
		.meta({ description: `Descriptions that clients read instead of the server’s, by ${of}.`, default: {} })
		.optional();
}

const include = 'Patterns (`*`, `?`) of what clients see; everything when not written.';
const exclude = 'Patterns of what clients do not see, nor can use, although `include` names it.';

const NAMED = {
	include: patterns(include),
	exclude: patterns(exclude),
	rename: newNames,
	describe: descriptions('the server’s name'),
};

/** The keys of a target that curate its lists. */
export const CURATION_FIELDS = {
	tools: section(NAMED, {
		id: 'curatedTools',
		description: 'Which tools of the target clients see, under which names and descriptions.',
	}).optional(),
	prompts: section(NAMED, {
		id: 'curatedPrompts',
		description: 'Which prompts of the target clients see, under which names and descriptions.',
	}).optional(),
	resources: section(
		{
			include: patterns(include),
			exclude: patterns(exclude),
			describe: descriptions('the server’s URI or URI template'),
		},
		{
			id: 'curatedResources',
			description: 'Which resources and templates of the target clients see, by the server’s URI or URI template.',
		},
	).optional(),
};
