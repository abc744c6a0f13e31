import type { McpBackendConfig } from '../ir.ts';
import { formatPath } from '../path.ts';
import { isMapping } from '../schema/section.ts';
import type { WrittenConfig } from '../schema/root.ts';
import { expandMcpBackend } from './mcp-backend.ts';
import type { Scope } from './scope.ts';

/**
 * Fills `scope.backends` with the top-level backends. Names are taken from the raw value first, so that a reference to a
 * backend with faults of its own is not reported as unknown.
 */
export function expandBackends(config: WrittenConfig, raw: unknown, scope: Scope): void {
	for (const name of rawNames(raw)) {
		scope.backends.set(name, null);
	}
	const seen = new Map<string, string>();
	for (const written of config.backends ?? []) {
		const path = scope.pathOf(written);
		const name = written.name.replace(/^\//, '');
		const first = seen.get(name);
		if (first !== undefined) {
			const remedy = 'give each backend its own name';
			scope.report.problem([...path, 'name'], `the backend name "${name}" is used twice (also by ${first})`, remedy);
			continue;
		}
		seen.set(name, formatPath(path));
		if (written.mcp !== undefined) {
			const backend: McpBackendConfig = expandMcpBackend(written.mcp, `/${name}`, scope);
			scope.backends.set(name, backend);
		}
	}
}

function rawNames(raw: unknown): string[] {
	const list = isMapping(raw) ? raw.backends : undefined;
	const names = (Array.isArray(list) ? list : []).map((entry) => (isMapping(entry) ? entry.name : undefined));
	return names.filter((name) => typeof name === 'string').map((name) => name.replace(/^\//, ''));
}
