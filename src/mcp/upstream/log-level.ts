import { logLevels } from '../dispatch.ts';

/** The level under which most is logged; null where nobody has named one. */
export function mostVerbose(levels: readonly (string | null)[]): string | null {
	let found: string | null = null;
	for (const level of levels) {
		if (level !== null && (found === null || logLevels.indexOf(level) < logLevels.indexOf(found))) found = level;
	}
	return found;
}
