import type { Bind, Listener, Route } from '../ir.ts';
import type { WrittenBind } from '../schema/listeners.ts';
import type { WrittenRoute } from '../schema/route.ts';
import { expandRoute } from './route.ts';
import type { Scope } from './scope.ts';

/** Written `binds` in full. Reports duplicate listener names and duplicate route names. */
export function expandBinds(binds: readonly WrittenBind[], scope: Scope): Bind[] {
	return binds.map((written) => {
		const key = `bind/${written.port}`;
		const names = new Set<string>();
		const hostnames = new Set<string | null>();
		const listeners = written.listeners.map((listener): Listener => {
			const path = scope.pathOf(listener);
			const name = listener.name ?? `listener${Number(path.at(-1) ?? 0)}`;
			const hostname = listener.hostname ?? null;
			if (names.has(name)) {
				const remedy = 'give each listener its own name';
				scope.report.problem(path, `the listener name "${name}" is used twice on port ${written.port}`, remedy);
			} else if (hostnames.has(hostname)) {
				scope.report.warning(
					path,
					`another listener on port ${written.port} already answers for ${hostname ?? 'every host'}`,
				);
			}
			names.add(name);
			hostnames.add(hostname);
			const routes = expandRoutes(listener.routes ?? [], `${key}/${name}`, scope);
			return { name, gateway: 'default/default', hostname, protocol: 'HTTP', routes };
		});
		return { key, port: written.port, listeners };
	});
}

function expandRoutes(written: readonly WrittenRoute[], owner: string, scope: Scope): Route[] {
	const routes: Route[] = [];
	for (const entry of written) {
		const route = expandRoute(entry, owner, scope);
		addRoute(routes, route, entry, scope);
	}
	return routes;
}

/** Adds a route to a listener's routes, or reports that its name is taken there. */
export function addRoute(routes: Route[], route: Route, written: object, scope: Scope): void {
	const byKey = scope.routesByKey.get(routes) ?? new Map<string, Route>();
	scope.routesByKey.set(routes, byKey);
	const twin = byKey.get(route.key);
	if (twin === undefined) {
		byKey.set(route.key, route);
		routes.push(route);
		return;
	}
	const path = scope.pathOf(written);
	const place = 'name' in written ? [...path, 'name'] : path;
	scope.report.problem(
		place,
		`the route name "${route.name}" is used twice on one listener (also by ${twin.place})`,
		'give each route its own name',
	);
}
