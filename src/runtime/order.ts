import type { RoutePolicies } from '../config/ir.ts';
import type { Policy } from '../http/policy.ts';
import { cors } from '../policies/cors.ts';

/** Makes a policy from its configuration. */
type Factory<K extends keyof RoutePolicies> = (config: NonNullable<RoutePolicies[K]>) => Policy;

/**
 * The route phase, in the order in which policies run. A key that has no line here does not compile.
 *
 * - `cors` comes first: a preflight carries no credentials, so whatever refuses requests without them must not see it,
 *   and its reply hook must reach the refusals of all that follow.
 */
const routePhase: { readonly [K in keyof Required<RoutePolicies>]: Factory<K> } = {
	cors,
};

/** The policies of a route, ready to run, in their order. */
export function routePolicies(config: RoutePolicies): Policy[] {
	const keys = Object.keys(routePhase) as (keyof RoutePolicies)[];
	return keys.map((key) => policyOf(key, config)).filter((policy) => policy !== null);
}

function policyOf<K extends keyof RoutePolicies>(key: K, config: RoutePolicies): Policy | null {
	const written = config[key];
	return written === undefined ? null : routePhase[key](written);
}
