import { createHash } from 'node:crypto';
import type { Bind, GatewayConfig, Listener, McpBackendConfig, Route } from '../config/ir.ts';

/** Where a backend is reached. */
export interface Place {
	readonly bind: Bind;
	readonly listener: Listener;
	readonly route: Route;
	readonly backend: McpBackendConfig;
	/** Its number among the backends of the route. */
	readonly index: number;
	/**
	 * The same in two configurations when clients reach it in the same way: then their sessions go on. Names of routes are
	 * not part of it, since those that nobody has named are counted.
	 */
	readonly address: string;
}

/** All places of a configuration, in its order. */
export function placesOf(config: GatewayConfig): Place[] {
	const seen = new Map<string, number>();
	const places: Place[] = [];
	for (const bind of config.binds) {
		for (const listener of bind.listeners) {
			for (const route of listener.routes) {
				for (const [index, { backend }] of route.backends.entries()) {
					const { hostnames, matches } = route;
					const way = JSON.stringify([bind.key, listener.hostname, hostnames, matches, index, backend.statefulMode]);
					// A second route for the same requests is never reached, but has a place of its own.
					const count = (seen.get(way) ?? 0) + 1;
					seen.set(way, count);
					places.push({ bind, listener, route, backend, index, address: `${way}#${count}` });
				}
			}
		}
	}
	return places;
}

/**
 * Names a backend at its place, with the servers behind it, in few characters: session ids carry it. No server shall
 * get the session of another that stood in its place before.
 */
export function scopeOf({ bind, listener, route, backend }: Place): string {
	// The order of the targets may change: a session's servers are found by their names.
	const servers = backend.targets
		.map((target) => JSON.stringify([target.name, target.kind, target.kind === 'stdio' ? '' : target.url]))
		.sort();
	const place = JSON.stringify([bind.key, listener.name, route.key, backend.key, servers]);
	return createHash('sha256').update(place).digest('base64url').slice(0, 22);
}

/** Host names that the file gives to the place: names of this gateway. */
export function hostsOf({ listener, route }: Place): string[] {
	const names = listener.hostname === null ? route.hostnames : [listener.hostname, ...route.hostnames];
	return names.filter((name) => name !== '*');
}
