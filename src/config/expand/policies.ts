import { parseDuration } from '../duration.ts';
import type { CorsPolicy, RoutePolicies } from '../ir.ts';
import type { WrittenPolicies } from '../schema/route.ts';
import type { Scope } from './scope.ts';

/** How each policy is expanded. What the schema takes and has no line here does not compile. */
const expansions: {
	readonly [K in keyof Required<WrittenPolicies>]: (
		written: NonNullable<WrittenPolicies[K]>,
		scope: Scope,
	) => NonNullable<RoutePolicies[K]>;
} = { cors: expandCors };

/** Written route policies in full. */
export function expandPolicies(written: WrittenPolicies | undefined, scope: Scope): RoutePolicies {
	const full: RoutePolicies = {};
	for (const key of Object.keys(expansions) as (keyof WrittenPolicies)[]) expandInto(full, key, written, scope);
	return full;
}

function expandInto<K extends keyof WrittenPolicies>(
	full: RoutePolicies,
	key: K,
	policies: WrittenPolicies | undefined,
	scope: Scope,
): void {
	const written = policies?.[key];
	if (written !== undefined) full[key] = expansions[key](written, scope);
}

function expandCors(cors: NonNullable<WrittenPolicies['cors']>, scope: Scope): CorsPolicy {
	const path = scope.pathOf(cors);
	for (const [index, origin] of (cors.allowOrigins ?? []).entries()) {
		if (origin !== '*' && origin !== 'null' && !/^[a-z][a-z0-9+.-]*:\/\/[^/]+$/i.test(origin)) {
			const remedy = 'write scheme, host and port only, such as http://localhost:5173';
			scope.report.warning([...path, 'allowOrigins', index], `"${origin}" matches no origin`, remedy);
		}
	}
	const maxAge = cors.maxAge === undefined ? null : parseDuration(cors.maxAge);
	return {
		allowOrigins: cors.allowOrigins ?? [],
		allowMethods: cors.allowMethods ?? [],
		allowHeaders: cors.allowHeaders ?? [],
		exposeHeaders: cors.exposeHeaders ?? [],
		allowCredentials: cors.allowCredentials ?? false,
		maxAge: maxAge === null ? null : Math.floor(maxAge / 1000),
	};
}
