import type { Problem } from './ir.ts';
import { formatPath, type Path } from './path.ts';

/** Where a finding stands: the path it is shown under, and, when it is about a key inside, that key. */
export interface Where {
	path: Path;
	/** The finding points at this key of the mapping at `path`. */
	key?: string;
}

/** Collects what is wrong (problems) and what is only suspicious (warnings) in one source. */
export interface Report {
	problems: Problem[];
	warnings: Problem[];
	/** Problems that were not recorded, because there are 100 already. */
	readonly left: number;
	/** 1-based line and column of the value at a path. */
	lineOf(path: Path): { line: number; column: number };
	/** Whether a problem stands at this path or below it, so that its consequences need no report. */
	faultyWithin(path: Path): boolean;
	problem(where: Where | Path, message: string, remedy?: string): void;
	warning(where: Where | Path, message: string, remedy?: string): void;
	/** A wrong value of an environment variable. */
	environment(variable: string, message: string, remedy?: string): void;
}

/** Beyond so many, problems are only counted. */
export const maximumProblems = 100;

/** Makes a report for one file; `place` finds the line and column of a path. */
export function createReport(
	file: string,
	place: (path: Path, point: 'key' | 'value') => { line: number; column: number },
): Report {
	const problems: Problem[] = [];
	const warnings: Problem[] = [];
	let left = 0;
	const add = (problem: () => Problem) => {
		// To find the place of each of thousands takes minutes, and nobody reads them.
		if (problems.length < maximumProblems) problems.push(problem());
		else left++;
	};
	const at = (place_: Where | Path, message: string, remedy: string): Problem => {
		const where: Where = 'path' in place_ ? place_ : { path: place_ };
		const spot = where.key === undefined ? place(where.path, 'value') : place([...where.path, where.key], 'key');
		return { file, ...spot, path: formatPath(where.path), message, remedy };
	};
	return {
		problems,
		warnings,
		get left() {
			return left;
		},
		lineOf: (path) => place(path, 'value'),
		faultyWithin(path) {
			if (left > 0) return true;
			const prefix = formatPath(path);
			return problems.some((one) => one.path.startsWith(prefix) && /^(?:$|[.[])/.test(one.path.slice(prefix.length)));
		},
		problem: (where, message, remedy = '') => add(() => at(where, message, remedy)),
		warning: (where, message, remedy = '') => void warnings.push(at(where, message, remedy)),
		environment: (variable, message, remedy = '') =>
			add(() => ({ file: '<environment>', line: 0, column: 0, path: variable, message, remedy })),
	};
}
