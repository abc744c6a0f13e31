import type { McpEndpoint } from '../mcp/endpoint.ts';
import type { CompiledRoute } from './compile.ts';
import type { StartFault } from './ports.ts';

/** What a stdio server serves. */
export interface ChosenRoute {
	readonly route: CompiledRoute;
	/** The backend of the largest weight: one client is not shared out. */
	readonly endpoint: McpEndpoint;
}

/** The route with this name; with `null`, the only one that leads to an MCP backend. */
export function chooseRoute(routes: readonly CompiledRoute[], name: string | null): ChosenRoute | StartFault {
	const usable = routes.filter(({ endpoints }) => endpoints.some(({ weight }) => weight > 0));
	const names = [...new Set(usable.map(({ route }) => route.name))];
	const list = names.map((one) => `"${one}"`).join(', ');
	if (usable.length === 0) {
		return refused('no route leads to an MCP backend', 'give one a backend with "mcp" and a weight above 0');
	}
	const found = name === null ? usable : usable.filter(({ route }) => route.name === name || route.key === name);
	const [first, ...others] = found;
	if (first === undefined) return refused(`there is no route "${name}" with an MCP backend`, `there are ${list}`);
	// The same route may be written for several listeners.
	if (others.some((other) => backendsOf(other) !== backendsOf(first))) {
		if (names.length === 1 || name !== null) {
			return refused(`several routes are named "${first.route.name}"`, 'give each route a name of its own');
		}
		return refused('several routes lead to MCP backends', `choose one with --route: ${list}`);
	}
	const [endpoint] = first.endpoints.toSorted((a, b) => b.weight - a.weight);
	if (endpoint === undefined) throw new Error('a usable route has an endpoint');
	return { route: first, endpoint: endpoint.endpoint };
}

function backendsOf({ route }: CompiledRoute): string {
	return JSON.stringify(route.backends.map(({ backend }) => backend.key));
}

function refused(message: string, remedy: string): StartFault {
	return { fault: 'start', message, remedy };
}
