import type { Bind, Match, Route } from '../ir.ts';
import type { WrittenTopMcp } from '../schema/root.ts';
import type { Gateways } from './gateways.ts';
import { expandMcpBackend } from './mcp-backend.ts';
import { expandPolicies } from './policies.ts';
import { EVERY_PATH, freeKey } from './route.ts';
import type { Scope } from './scope.ts';

const DEFAULT_PORT = 3000;
const GATEWAY_PREFIXES = ['/mcp', '/sse', '/.well-known'];

/**
 * Top-level `mcp` as a route: on the gateways it names (or the one called `default`) under agentgateway's three prefixes, else
 * on a bind of its own with every path. Returns that bind, or null when gateways carry it.
 */
export function expandTopMcp(mcp: WrittenTopMcp, gateways: Gateways, scope: Scope): Bind | null {
	if (mcp.gateways !== undefined && mcp.port !== undefined) {
		scope.report.problem(
			{ path: ['mcp'], key: 'gateways' },
			'mcp.gateways cannot be used with mcp.port',
			'keep one of them',
		);
		return null;
	}
	const key = 'internal/default';
	const backend = expandMcpBackend(mcp, freeKey(`${key}/backend0`, 'mcp', scope), scope);
	const route = (matches: Match[]): Route => ({
		key,
		name: 'default',
		ruleName: null,
		hostnames: [],
		matches,
		policies: expandPolicies(mcp.policies, scope),
		backends: [{ weight: 1, backend }],
		place: 'mcp',
	});
	const references = mcp.gateways ?? (mcp.port === undefined && gateways.has('default') ? 'default' : undefined);
	if (references === undefined) {
		const port = mcp.port ?? DEFAULT_PORT;
		const routes = [route([EVERY_PATH])];
		return {
			key: `bind/${port}`,
			port,
			listeners: [{ name: 'mcp', gateway: 'default/default', hostname: null, protocol: 'HTTP', routes }],
		};
	}
	const prefixes = GATEWAY_PREFIXES.map((value): Match => ({ ...EVERY_PATH, path: { kind: 'pathPrefix', value } }));
	for (const listener of gateways.resolve(references, ['mcp', 'gateways'])) {
		listener.routes.push(route(prefixes));
	}
	return null;
}
