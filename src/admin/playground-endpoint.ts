import type { BindView, ListenerView, PlaygroundConnect, RouteView, StateSnapshot } from './state.ts';

/** Where the playground sends its requests so that they reach one route through the real listener. */
export interface PlaygroundEndpoint {
	/** Address to dial on this machine. */
	address: string;
	port: number;
	/** Value of the Host header. */
	host: string;
	path: string;
	/** As a person would write it. */
	url: string;
}

/** Finds the route that the UI named; the text says what is missing. */
export function findEndpoint(state: StateSnapshot, wanted: PlaygroundConnect): PlaygroundEndpoint | string {
	const bind = state.binds.find((one) => one.key === wanted.bind);
	if (bind === undefined) return `There is no bind \`${wanted.bind}\`.`;
	const listeners = bind.listeners.filter((one) => one.name === wanted.listener);
	if (listeners.length === 0) return `Bind \`${bind.key}\` has no listener \`${wanted.listener}\`.`;
	for (const listener of listeners) {
		const route = listener.routes.find((one) => one.key === wanted.route);
		if (route !== undefined) return endpointOf(bind, listener, route);
	}
	return `Listener \`${wanted.listener}\` has no route \`${wanted.route}\`.`;
}

function endpointOf(bind: BindView, listener: ListenerView, route: RouteView): PlaygroundEndpoint | string {
	const bound = dialable(bind.addresses);
	if (bound === null) return `Bind \`${bind.key}\` does not listen on any address.`;
	const name = hostnameFor(listener, route) ?? (isLoopback(bound.address) ? 'localhost' : bracketed(bound.address));
	const host = `${name}:${bound.port}`;
	const path = route.path.startsWith('/') ? route.path : '/';
	return { ...bound, host, path, url: `http://${host}${path}` };
}

/** A name that listener and route both match: the most exact one that either gives. */
function hostnameFor(listener: ListenerView, route: RouteView): string | null {
	const names = [...route.hostnames, ...(listener.hostname === null ? [] : [listener.hostname])].filter(
		(name) => name !== '*' && name !== '',
	);
	const exact = names.find((name) => !name.startsWith('*.'));
	if (exact !== undefined) return exact;
	const longest = names.sort((a, b) => b.length - a.length)[0];
	return longest === undefined ? null : `playground${longest.slice(1)}`;
}

/** Loopback where the port is bound on it or on every address; else the first address there is. */
function dialable(addresses: readonly string[]): { address: string; port: number } | null {
	const parsed = addresses.flatMap((text) => {
		const parts = /^\[?(.+?)\]?:(\d+)$/.exec(text);
		return parts?.[1] === undefined ? [] : [{ address: parts[1], port: Number(parts[2]) }];
	});
	for (const [bound, dial] of [
		['0.0.0.0', '127.0.0.1'],
		['127.0.0.1', '127.0.0.1'],
		['::', '::1'],
		['::1', '::1'],
	] as const) {
		const found = parsed.find(({ address }) => address === bound);
		if (found !== undefined) return { address: dial, port: found.port };
	}
	return parsed[0] ?? null;
}

function isLoopback(address: string): boolean {
	return address === '::1' || address.startsWith('127.');
}

function bracketed(address: string): string {
	return address.includes(':') ? `[${address}]` : address;
}
