import type { Match, McpBackendConfig, Route, ValueMatch, WeightedBackend } from '../ir.ts';
import { formatPath } from '../path.ts';
import type { WrittenMatch, WrittenRoute } from '../schema/route.ts';
import { suggest } from '../../lib/suggest.ts';
import { expandMcpBackend } from './mcp-backend.ts';
import { expandPolicies } from './policies.ts';
import type { Scope } from './scope.ts';

/** Every request; the match of a route without `matches`. */
export const EVERY_PATH: Match = { path: { kind: 'pathPrefix', value: '/' }, method: null, headers: [], query: [] };

/**
 * A written route in full. `owner` is put before the keys of its inline backends where another listener has a route of the
 * same name already, because backend keys are unique in a configuration.
 */
export function expandRoute(written: WrittenRoute, owner: string, scope: Scope): Route {
	const path = scope.pathOf(written);
	const name = written.name ?? `route${Number(path.at(-1) ?? 0)}`;
	const key = `${written.namespace ?? 'default'}/${name}`;
	const backends: WeightedBackend[] = [];
	for (const entry of written.backends ?? []) {
		const index = Number(scope.pathOf(entry).at(-1) ?? 0);
		const backend =
			entry.mcp === undefined
				? namedBackend(entry.backend, entry, scope)
				: expandMcpBackend(entry.mcp, freeKey(`${key}/backend${index}`, owner, scope), scope);
		if (backend !== null) {
			backends.push({ weight: entry.weight ?? 1, backend });
		}
	}
	warnWithoutBackends(written, scope);
	return {
		key,
		name,
		ruleName: written.ruleName ?? null,
		hostnames: written.hostnames ?? [],
		matches:
			written.matches === undefined || written.matches.length === 0 ? [EVERY_PATH] : written.matches.map(expandMatch),
		policies: expandPolicies(written.policies, scope),
		backends,
		place: formatPath(path),
	};
}

/** A key for an inline backend that no other one has. */
export function freeKey(key: string, owner: string, scope: Scope): string {
	if (!scope.backendKeys.has(key)) {
		scope.backendKeys.set(key, 1);
		return key;
	}
	const longer = `${owner}/${key}`;
	const count = (scope.backendKeys.get(longer) ?? 0) + 1;
	scope.backendKeys.set(longer, count);
	return count === 1 ? longer : `${longer}#${count}`;
}

function namedBackend(reference: string | undefined, entry: object, scope: Scope): McpBackendConfig | null {
	if (reference === undefined) {
		return null;
	}
	// agentgateway stores backends under "/name": there only "/foo" works, so both forms are in people's files.
	const name = reference.replace(/^\//, '');
	const found = scope.backends.get(name);
	if (found === undefined) {
		const names = [...scope.backends.keys()];
		const meant = suggest(name, names);
		const list = names.length === 0 ? 'there are no top-level backends' : `there are ${names.join(', ')}`;
		const remedy = meant === null ? list : `did you mean "${meant}"?`;
		scope.report.problem([...scope.pathOf(entry), 'backend'], `unknown backend "${reference}"`, remedy);
	}
	return found ?? null;
}

function warnWithoutBackends(written: WrittenRoute, scope: Scope): void {
	const { backends = [] } = written;
	if (backends.length === 0) {
		scope.report.warning(scope.pathOf(written), 'the route has no backends; its requests get status 500');
	} else if (backends.every((entry) => entry.weight === 0)) {
		scope.report.warning(scope.pathOf(written), 'all backends have weight 0; requests get status 500');
	}
}

function expandMatch(written: WrittenMatch): Match {
	const { path } = written;
	return {
		path: pathMatch(path),
		method: written.method ?? null,
		headers: (written.headers ?? []).map(valueMatch),
		query: (written.query ?? []).map(valueMatch),
	};
}

function pathMatch(path: WrittenMatch['path']): Match['path'] {
	if (path?.exact !== undefined) {
		return { kind: 'exact', value: path.exact };
	}
	return path?.regex === undefined
		? { kind: 'pathPrefix', value: path?.pathPrefix ?? '/' }
		: { kind: 'regex', value: path.regex };
}

function valueMatch({ name, value }: { name: string; value: { exact?: string; regex?: string } }): ValueMatch {
	return value.regex === undefined
		? { name, kind: 'exact', value: value.exact ?? '' }
		: { name, kind: 'regex', value: value.regex };
}
