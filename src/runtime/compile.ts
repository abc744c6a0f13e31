import type { GatewayConfig, Listener, Route, Settings, TargetConfig } from '../config/ir.ts';
import type { ReportFault } from '../http/errors.ts';
import { replyRefusal } from '../http/errors.ts';
import { compileOriginGuard, type OriginGuard } from '../http/origin-guard.ts';
import { Pipeline } from '../http/pipeline.ts';
import { Router } from '../http/router.ts';
import type { Heartbeat } from '../lib/heartbeat.ts';
import { type EndpointChange, McpEndpoint } from '../mcp/endpoint.ts';
import type { TargetHealth } from '../mcp/health/health.ts';
import type { Failure, Target } from '../mcp/model.ts';
import { type BackendChange, LiveBackend } from './backend.ts';
import { routePolicies } from './order.ts';
import { hostsOf, type Place, placesOf, scopeOf } from './place.ts';

/** What compiling takes from outside. */
export interface CompileContext {
	/** Those of the start: a reload does not change them. */
	readonly settings: Settings;
	readonly heartbeat: Heartbeat;
	/** The gateway's own version. */
	readonly version: string;
	/** 32 bytes that seal what clients keep for the gateway. */
	readonly key: Buffer;
	/** Whether the key was configured, and so will be that of the next start, too. */
	readonly keyLasts: boolean;
	/** Random name of this start. */
	readonly holder: string;
	openTarget(backend: string, config: TargetConfig): Target;
	reportFault: ReportFault;
	warn(message: string): void;
	/** A target's state has changed; with the failure when that was the change. */
	targetChanged(backend: string, health: TargetHealth, failure: Failure | null): void;
}

/** A configuration made to run: routers by bind, and what they lead to. Frozen; a change makes a new one. */
export interface Runtime {
	/** By bind key. */
	readonly routers: ReadonlyMap<string, Router<Pipeline>>;
	/** By backend key. */
	readonly backends: ReadonlyMap<string, LiveBackend>;
	/** By the address of their place. */
	readonly endpoints: ReadonlyMap<string, PlacedEndpoint>;
	/** In the order of the configuration. */
	readonly routes: readonly CompiledRoute[];
}

export interface PlacedEndpoint {
	readonly endpoint: McpEndpoint;
	readonly backend: LiveBackend;
}

/** A route with the endpoints behind it. */
export interface CompiledRoute {
	readonly listener: Listener;
	readonly route: Route;
	readonly endpoints: readonly { readonly weight: number; readonly endpoint: McpEndpoint }[];
}

/** A runtime that may take the place of another. Until then nothing has changed for those whom the other serves. */
export interface Compiled {
	readonly runtime: Runtime;
	/** Brings what lives on over to the new configuration, and starts what is new. */
	readonly change: RuntimeChange;
}

/** What a runtime takes over, begins and leaves behind. */
export interface RuntimeChange {
	readonly kept: readonly { readonly endpoint: McpEndpoint; readonly change: EndpointChange }[];
	readonly added: readonly McpEndpoint[];
	readonly removed: readonly McpEndpoint[];
	readonly backends: readonly BackendChange[];
	readonly newBackends: readonly LiveBackend[];
	readonly goneBackends: readonly LiveBackend[];
}

/**
 * Compiles a configuration, with what can live on of the runtime before it. Opens nothing: sockets and connections
 * begin later.
 */
export function compile(config: GatewayConfig, context: CompileContext, before: Runtime | null): Compiled {
	return new Compilation(config, context, before).result();
}

class Compilation {
	private readonly config: GatewayConfig;
	private readonly context: CompileContext;
	private readonly before: Runtime | null;
	private readonly places: readonly Place[];
	private readonly placesOf = new Map<Route, Place[]>();
	private readonly backends = new Map<string, LiveBackend>();
	/** What becomes of those that live on, by key. */
	private readonly changes = new Map<string, BackendChange>();
	private readonly newBackends = new Set<LiveBackend>();
	private readonly endpoints = new Map<string, PlacedEndpoint>();
	private readonly kept: RuntimeChange['kept'][number][] = [];
	private readonly added: McpEndpoint[] = [];

	constructor(config: GatewayConfig, context: CompileContext, before: Runtime | null) {
		this.config = config;
		this.context = context;
		this.before = before;
		this.places = placesOf(config);
		for (const place of this.places) {
			const others = this.placesOf.get(place.route);
			if (others === undefined) this.placesOf.set(place.route, [place]);
			else others.push(place);
		}
	}

	result(): Compiled {
		this.findBackends();
		for (const place of this.places) this.placeEndpoint(place);
		const { endpoints, backends } = this;
		const routes: CompiledRoute[] = [];
		const routers = new Map(
			this.config.binds.map((bind) => [
				bind.key,
				new Router(bind.listeners, (route, listener) => this.pipeline({ bind, listener, route }, routes)),
			]),
		);
		const removed = [...(this.before?.endpoints ?? [])].filter(([address]) => !endpoints.has(address));
		const living = new Set(backends.values());
		return {
			runtime: Object.freeze({ routers, backends, endpoints, routes }),
			change: {
				kept: this.kept,
				added: this.added,
				removed: removed.map(([, { endpoint }]) => endpoint),
				backends: [...this.changes.values()],
				newBackends: [...this.newBackends],
				goneBackends: [...(this.before?.backends.values() ?? [])].filter((one) => !living.has(one)),
			},
		};
	}

	/**
	 * A backend goes on where clients reach it as before, whatever its key is now; else where a backend had the same key.
	 * Routes that name the same backend share its targets and their health.
	 */
	private findBackends(): void {
		const { before } = this;
		const free = new Set(before?.backends.values());
		const claim = (key: string, old: LiveBackend | undefined): void => {
			if (old !== undefined && !this.backends.has(key) && free.delete(old)) this.backends.set(key, old);
		};
		for (const { address, backend } of this.places) claim(backend.key, before?.endpoints.get(address)?.backend);
		for (const { backend } of this.places) claim(backend.key, before?.backends.get(backend.key));
		const labels = new Set([...(before?.backends.values() ?? [])].map(({ label }) => label));
		for (const { backend } of this.places) {
			const old = this.backends.get(backend.key);
			if (old === undefined) {
				const label = freeLabel(backend.key, labels);
				labels.add(label);
				const made = new LiveBackend(label, backend, this.context);
				this.newBackends.add(made);
				this.backends.set(backend.key, made);
			} else if (!this.newBackends.has(old) && !this.changes.has(backend.key)) {
				this.changes.set(backend.key, old.plan(backend));
			}
		}
	}

	private placeEndpoint(place: Place): void {
		const { address, backend: config } = place;
		const backend = this.backends.get(config.key);
		if (backend === undefined) throw new Error(`no backend ${config.key}`);
		const federation = this.changes.get(config.key)?.federation ?? backend.federation;
		const change = { federation, scope: scopeOf(place), guard: this.guard(place) };
		const known = this.before?.endpoints.get(address)?.endpoint;
		const endpoint = known ?? this.makeEndpoint(place, change);
		if (known === undefined) this.added.push(endpoint);
		else this.kept.push({ endpoint, change });
		this.endpoints.set(address, { endpoint, backend });
	}

	private makeEndpoint({ backend }: Place, change: EndpointChange): McpEndpoint {
		const { settings, version, heartbeat, key, keyLasts, holder } = this.context;
		return new McpEndpoint({
			...change,
			stateful: backend.statefulMode === 'stateful',
			sessionTtl: settings.sessionTtl,
			version,
			heartbeat,
			limits: settings.limits,
			key,
			keyLasts,
			holder,
			refuse: replyRefusal,
		});
	}

	private guard(place: Place): OriginGuard {
		const { settings } = this.context;
		return compileOriginGuard({
			protection: place.backend.dnsRebindingProtection,
			allowedHosts: [...settings.allowedHosts, ...hostsOf(place)],
			publicUrl: settings.publicUrl,
			allowOrigins: place.route.policies.cors?.allowOrigins ?? [],
		});
	}

	private pipeline(
		{ bind, listener, route }: Pick<Place, 'bind' | 'listener' | 'route'>,
		routes: CompiledRoute[],
	): Pipeline {
		const places = this.placesOf.get(route)?.filter((one) => one.bind === bind && one.listener === listener) ?? [];
		const endpoints = route.backends.map(({ weight }, index) => {
			const place = places[index];
			const placed = place === undefined ? undefined : this.endpoints.get(place.address);
			if (placed === undefined) throw new Error(`no endpoint for ${route.key}`);
			return { weight, endpoint: placed.endpoint };
		});
		routes.push({ listener, route, endpoints });
		const backends = endpoints.map(({ weight, endpoint }) => ({ weight, backend: endpoint }));
		return new Pipeline(routePolicies(route.policies), backends, this.context.reportFault);
	}
}

/** Of two backends that had the same key at different times, both may still have processes. */
function freeLabel(key: string, taken: ReadonlySet<string>): string {
	let label = key;
	for (let count = 2; taken.has(label); count++) label = `${key}~${count}`;
	return label;
}
