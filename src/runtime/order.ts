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
const routePhase = {
	cors,
} satisfies { [K in keyof Required<RoutePolicies>]: Factory<K> };

/** The policies of a route, ready to run, in their order. */
export function routePolicies(config: RoutePolicies): Policy[] {
	const policies: Policy[] = [];
	if (config.cors !== undefined) policies.push(routePhase.cors(config.cors));
	return policies;
}
