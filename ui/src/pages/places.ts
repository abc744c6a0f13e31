import type {
	BackendView,
	BindView,
	ListenerView,
	RouteView,
	StateSnapshot,
	TargetView,
} from '../../../src/admin/state.ts';

/** A route with the bind and listener it is on. */
export interface PlacedRoute {
	/** Names the route in the address of the Playground: `3000/default/default/route0`. */
	id: string;
	bind: BindView;
	listener: ListenerView;
	route: RouteView;
}

export function allRoutes(state: StateSnapshot): PlacedRoute[] {
	return state.binds.flatMap((bind) =>
		bind.listeners.flatMap((listener) =>
			listener.routes.map((route) => ({ id: `${bind.port}/${listener.name}/${route.key}`, bind, listener, route })),
		),
	);
}

/** A backend with the route that leads to it. */
export interface PlacedBackend {
	place: PlacedRoute;
	backend: BackendView;
}

/** Each backend once, also when several routes lead to it. */
export function allBackends(state: StateSnapshot): PlacedBackend[] {
	const found = new Map<string, PlacedBackend>();
	for (const place of allRoutes(state))
		for (const backend of place.route.backends) if (!found.has(backend.key)) found.set(backend.key, { place, backend });
	return [...found.values()];
}

/** Each target once. */
export function allTargets(state: StateSnapshot): TargetView[] {
	return allBackends(state).flatMap(({ backend }) => backend.targets);
}

/** `1 target`, `2 targets` */
export function counted(number: number, noun: string): string {
	return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
