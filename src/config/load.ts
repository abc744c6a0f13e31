import { checkTypes } from './check-types.ts';
import { expandConfig } from './expand/config.ts';
import type { LoadContext, Scope } from './expand/scope.ts';
import { inspectKeys } from './inspect.ts';
import type { GatewayConfig, Problem, ProblemPlace } from './ir.ts';
import { formatPath, type Path } from './path.ts';
import { createReport, maximumProblems, type Report } from './report.ts';
import { ROOT } from './schema/root.ts';
import { isMapping } from './schema/section.ts';
import { type ExpandedText, expandEnv } from './source/expand-env.ts';
import { lineIndex } from './source/lines.ts';
import { type ParsedYaml, parseYaml } from './source/parse-yaml.ts';
import { offsetOf } from './source/places.ts';

export type { LoadContext } from './expand/scope.ts';

/** A configuration text and the name it has in messages. */
export interface ConfigSource {
	name: string;
	text: string;
}

/** The configuration, with the file as plain values before environment expansion; or everything that is wrong with it. */
export type LoadResult =
	| {
			ok: true;
			/** As it was given. */
			text: string;
			config: GatewayConfig;
			/** The file as it was written, variables unexpanded; null when it is YAML only once they are expanded. */
			document: unknown;
			/** Files that were read with it; when one of them changes, so does the configuration. */
			references: readonly string[];
			/** Where the port of a bind is written, by the bind's key, for problems that only show when it is opened. */
			ports: ReadonlyMap<string, ProblemPlace>;
	  }
	| { ok: false; problems: Problem[] };

/**
 * Turns configuration text into the gateway's configuration: environment expansion, YAML, keys, types, expansion.
 * Pure apart from `context`; reports all problems at once, by line. The result is plain data, which can go from one
 * thread to another.
 */
export function loadConfig(source: ConfigSource, context: LoadContext): LoadResult {
	const expanded = expandEnv(source.text, context.env);
	const lineOf = lineIndex(source.text);
	const parsed = parseYaml(expanded.text);
	const report = createReport(source.name, (path, point) =>
		parsed.ok ? lineOf(expanded.origin(offsetOf(parsed.document, path, point))) : { line: 0, column: 0 },
	);
	const tables = { portPaths: new Map<string, Path>(), references: new Set<string>() };
	const config = parsed.ok ? build(parsed.value, report, context, tables) : null;
	const place = { file: source.name, lineOf: (offset: number) => lineOf(expanded.origin(offset)) };
	const syntax = parsed.ok ? [] : syntaxProblems(parsed, place);
	const missing = missingVariables(expanded, source, lineOf);
	const missingLines = new Set(missing.map(({ line }) => line));
	// What a missing variable leaves behind on its line would only be reported as a follow-up.
	const rest = [...syntax, ...report.problems].filter(({ line }) => !missingLines.has(line));
	const problems = [...missing, ...rest].sort(byPlace);
	if (config === null || problems.length > 0) {
		return { ok: false, problems: withoutMost(problems, report.left, source.name) };
	}
	return {
		ok: true,
		text: source.text,
		config: { ...config, warnings: config.warnings.sort(byPlace) },
		document: writtenDocument(source.text, expanded, parsed),
		references: [...tables.references],
		ports: new Map(
			[...tables.portPaths].map(([key, path]) => [
				key,
				{ file: source.name, ...report.lineOf(path), path: formatPath(path) },
			]),
		),
	};
}

function build(
	value: unknown,
	report: Report,
	context: LoadContext,
	shared: Pick<Scope, 'portPaths' | 'references'>,
): GatewayConfig | null {
	if (value === null || value === undefined) {
		report.problem([], 'the file is empty', 'write at least one of binds, gateways or mcp');
		return null;
	}
	if (!isMapping(value)) {
		report.problem([], 'the file holds no mapping', 'begin with binds:, gateways: or mcp:');
		return null;
	}
	const inspected = inspectKeys(ROOT, value, report);
	const config = checkTypes(ROOT, inspected.value, report);
	if (config === null) {
		return null;
	}
	const tables = { backends: new Map(), backendKeys: new Map(), routesByKey: new WeakMap() };
	const scope: Scope = { report, context, pathOf: inspected.pathOf, ...tables, ...shared };
	return expandConfig(config, value, scope);
}

type LineOf = ReturnType<typeof lineIndex>;

function syntaxProblems(
	parsed: Extract<ParsedYaml, { ok: false }>,
	place: { file: string; lineOf: LineOf },
): Problem[] {
	return parsed.faults.map(({ offset, message, remedy }) => ({
		file: place.file,
		...place.lineOf(offset),
		path: '',
		message,
		remedy,
	}));
}

function missingVariables(expanded: ExpandedText, source: ConfigSource, lineOf: LineOf): Problem[] {
	return expanded.missing.map(({ name, offset }) => {
		const place = lineOf(offset);
		const lineStart = offset - place.column + 1;
		const inComment = /^[ \t]*#/.test(source.text.slice(lineStart, offset));
		const remedy = `set it, give a default with \${${name}:-value}, or write $$ for a plain dollar sign`;
		const message = `the environment variable ${name} is not set${inComment ? ' (comments are expanded too)' : ''}`;
		return { file: source.name, ...place, path: '', message, remedy };
	});
}

function writtenDocument(text: string, expanded: ExpandedText, parsed: ParsedYaml): unknown {
	const written = expanded.text === text ? parsed : parseYaml(text);
	return written.ok && isMapping(written.value) ? written.value : null;
}

/** The first of them, and how many there are beside these. */
function withoutMost(problems: Problem[], left: number, file: string): Problem[] {
	const more = left + Math.max(0, problems.length - maximumProblems);
	if (more === 0) return problems;
	const message = `and ${more} more`;
	return [...problems.slice(0, maximumProblems), { file, line: 0, column: 0, path: '', message, remedy: '' }];
}

function byPlace(one: Problem, other: Problem): number {
	return one.line - other.line || one.column - other.column;
}
