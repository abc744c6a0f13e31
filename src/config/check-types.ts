import * as z from 'zod';
import { formatPath, isSecretPath, type Path } from './path.ts';
import type { Report } from './report.ts';
import { isMapping, unwrap, viewSection } from './schema/section.ts';
import { suggest } from '../lib/suggest.ts';

/**
 * Checks every value against its type, without coercion, and reports each fault with what to write instead. Faulty parts
 * are then cut out of `value` (the nearest list item, map entry or optional key; a faulty number becomes 0), so that what
 * remains has the schema's types and the later checks can still run; returns null when nothing usable remains.
 */
export function checkTypes<Schema extends z.ZodObject>(
	schema: Schema,
	value: unknown,
	report: Report,
): z.infer<Schema> | null {
	const parsed = schema.safeParse(value);
	if (parsed.success) {
		return value as z.infer<Schema>;
	}
	for (const issue of parsed.error.issues) {
		reportIssue(issue, value, report);
	}
	const cuts = parsed.error.issues
		.filter((issue) => !mend(value, issue))
		.map((issue) => cutOf(schema, value, issuePath(issue)));
	if (cuts.includes(null)) {
		return null;
	}
	cut(value, cuts as Path[]);
	return value as z.infer<Schema>;
}

function reportIssue(issue: z.core.$ZodIssue, root: unknown, report: Report): void {
	const path = issuePath(issue);
	const value = valueAt(root, path);
	const secret = isSecretPath(formatPath(path));
	if (issue.code === 'invalid_type' && value === undefined) {
		const key = String(path.at(-1) ?? '');
		// A misspelt key is reported already; that the right one is missing then says nothing new.
		const [holder, remedy] = [formatPath(path.slice(0, -1)), `did you mean "${key}"?`];
		if (!report.problems.some((one) => one.remedy === remedy && one.path === holder)) {
			report.problem(path.slice(0, -1), missingMessage(path, key));
		}
	} else if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
		report.problem(
			path,
			`expected ${nameOfType(issue.expected)}, got ${describe(value, secret)}`,
			remedyFor(issue.expected, value, secret),
		);
	} else if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid ')) {
		const words = issue.values.map(String);
		const list = words.join(' or ').replaceAll(/ or (?=.* or )/g, ', ');
		const meant = typeof value === 'string' ? suggest(value, words) : null;
		const remedy = meant === null ? '' : `did you mean "${meant}"?`;
		report.problem(path, `expected ${list}, got ${describe(value, secret)}`, remedy);
	} else {
		report.problem(path, issue.message);
	}
}

function missingMessage(path: Path, key: string): string {
	// agentgateway's own words for this case, which people search for.
	return path.length === 3 && path[0] === 'gateways' && key === 'port'
		? `gateways.${path[1]}.port is required`
		: `"${key}" is missing`;
}

function issuePath(issue: z.core.$ZodIssue): Path {
	return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function valueAt(root: unknown, path: Path): unknown {
	let value = root;
	for (const step of path) {
		value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined;
	}
	return value;
}

const TYPE_NAMES: Record<string, string> = {
	string: 'text',
	number: 'a number',
	int: 'a whole number',
	boolean: 'true or false',
	array: 'a list',
	object: 'a mapping',
	record: 'a mapping',
};

function nameOfType(expected: string): string {
	return TYPE_NAMES[expected] ?? expected;
}

function describe(value: unknown, secret: boolean): string {
	if (value === null) {
		return 'nothing';
	}
	if (Array.isArray(value)) {
		return 'a list';
	}
	if (typeof value === 'object') {
		return 'a mapping';
	}
	const kind = typeof value === 'string' ? 'the text' : typeof value === 'boolean' ? 'the truth value' : 'the number';
	if (secret) {
		return kind.replace(/^the /, 'a ');
	}
	const shown = typeof value === 'string' ? value : JSON.stringify(value);
	const short = shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
	return typeof value === 'string' ? `${kind} ${JSON.stringify(short)}` : `${kind} ${short}`;
}

function remedyFor(expected: string, value: unknown, secret: boolean): string {
	if ((expected === 'number' || expected === 'int') && typeof value === 'string' && /^\d+$/.test(value.trim())) {
		return `write ${value.trim()} without quotes`;
	}
	if (expected === 'boolean' && typeof value === 'string') {
		const word = value.toLowerCase();
		if (['true', 'yes', 'on', 'y'].includes(word)) {
			return 'write true';
		}
		return ['false', 'no', 'off', 'n'].includes(word) ? 'write false' : '';
	}
	if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
		return secret ? 'put it in quotes' : `write "${String(value)}" in quotes`;
	}
	if (expected === 'array' && value !== null && value !== undefined) {
		return isMapping(value)
			? 'begin each item with "- "'
			: `write ${secret ? 'it in brackets' : `[${JSON.stringify(value)}]`}`;
	}
	if (expected === 'object' && Array.isArray(value)) {
		return 'remove the "- "';
	}
	return '';
}

/** Whether a value can stay, because its type is right or because it could be replaced without consequence. */
function mend(root: unknown, issue: z.core.$ZodIssue): boolean {
	if (issue.code !== 'invalid_type') {
		return issue.code === 'custom' || issue.code === 'too_big' || issue.code === 'too_small';
	}
	const path = issuePath(issue);
	const holder = valueAt(root, path.slice(0, -1));
	const step = path.at(-1);
	if ((issue.expected !== 'number' && issue.expected !== 'int') || !isMapping(holder) || step === undefined) {
		return false;
	}
	holder[step] = 0;
	return true;
}

/** The path of the smallest part around a fault that may be absent, or null when that is the whole document. */
function cutOf(schema: z.ZodObject, root: unknown, path: Path): Path | null {
	let type: z.core.$ZodType | undefined = schema;
	let value: unknown = root;
	let removable: Path | null = null;
	for (const [index, step] of path.entries()) {
		const holder: z.core.$ZodType | undefined = type === undefined ? undefined : unwrap(type, value);
		const here = path.slice(0, index + 1);
		if (holder instanceof z.ZodArray) {
			type = holder.element;
			removable = here;
		} else if (holder instanceof z.ZodRecord) {
			type = holder.valueType;
			removable = here;
		} else if (holder instanceof z.ZodObject) {
			type = viewSection(holder).shape[String(step)];
			removable = type?._zod.optin === 'optional' ? here : removable;
		}
		value = valueAt(value, [step]);
	}
	return removable;
}

function cut(root: unknown, cuts: readonly Path[]): void {
	// Later list items first, so that earlier indexes stay right; a part inside another cut part is gone already.
	const ordered = [...new Map(cuts.map((path) => [JSON.stringify(path), path])).values()].sort(lastFirst);
	for (const path of ordered) {
		const holder = valueAt(root, path.slice(0, -1));
		const step = path.at(-1);
		if (Array.isArray(holder) && typeof step === 'number') {
			holder.splice(step, 1);
		} else if (isMapping(holder) && step !== undefined) {
			delete holder[step];
		}
	}
}

function lastFirst(one: Path, other: Path): number {
	for (let index = 0; index < Math.max(one.length, other.length); index++) {
		const a = one[index];
		const b = other[index];
		if (a === b) {
			continue;
		}
		if (a === undefined || b === undefined) {
			// The longer path first: its holder is still where the path says.
			return a === undefined ? 1 : -1;
		}
		return typeof a === 'number' && typeof b === 'number' ? b - a : String(a) < String(b) ? -1 : 1;
	}
	return 0;
}
