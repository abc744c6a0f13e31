import { createHash } from 'node:crypto';
import type { Bind, GatewayConfig, Listener, McpBackendConfig, Route, Settings, TargetConfig } from '../config/ir.ts';
import type { ReportFault } from '../http/errors.ts';
import { replyRefusal } from '../http/errors.ts';
import { compileOriginGuard } from '../http/origin-guard.ts';
import { Pipeline } from '../http/pipeline.ts';
import { Router } from '../http/router.ts';
import type { Heartbeat } from '../lib/heartbeat.ts';
import type { Federation } from '../mcp/connections.ts';
import { McpEndpoint } from '../mcp/endpoint.ts';
import { Health, type TargetHealth } from '../mcp/health.ts';
import type { Failure, Target } from '../mcp/model.ts';
import { createNaming } from '../mcp/names.ts';
import { Findings } from '../mcp/findings.ts';
import { Probe } from '../mcp/probe.ts';
import { routePolicies } from './order.ts';

/** What compiling takes from outside. */
export interface CompileContext {
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
	readonly health: ReadonlyMap<string, Health>;
	/** By backend key. */
	readonly findings: ReadonlyMap<string, Findings>;
	readonly endpoints: readonly McpEndpoint[];
	readonly probes: readonly Probe[];
	/** In the order of the configuration. */
	readonly routes: readonly CompiledRoute[];
}

/** A route with the endpoints behind it. */
export interface CompiledRoute {
	readonly listener: Listener;
	readonly route: Route;
	readonly endpoints: readonly { readonly weight: number; readonly endpoint: McpEndpoint }[];
}

/** Compiles a configuration. Opens nothing: sockets and connections begin later. */
export function compile(config: GatewayConfig, context: CompileContext): Runtime {
	const health = new Map<string, Health>();
	const federations = new Map<string, Federation>();
	const endpoints: McpEndpoint[] = [];
	const probes: Probe[] = [];
	const routes: CompiledRoute[] = [];

	/** Routes that name the same backend share its targets and their health. */
	const federationOf = (backend: McpBackendConfig): Federation => {
		const known = federations.get(backend.key);
		if (known !== undefined) return known;
		const { federation, watch } = federate(backend, config.settings, context);
		federations.set(backend.key, federation);
		health.set(backend.key, watch);
		probes.push(new Probe(federation, watch));
		return federation;
	};

	const pipelineOf = (bind: Bind, route: Route, listener: Listener): Pipeline => {
		const backends = route.backends.map(({ weight, backend }) => {
			const endpoint = makeEndpoint({ bind, listener, route, backend }, federationOf(backend), config, context);
			endpoints.push(endpoint);
			return { weight, backend: endpoint };
		});
		routes.push({ listener, route, endpoints: backends.map(({ weight, backend }) => ({ weight, endpoint: backend })) });
		return new Pipeline(routePolicies(route.policies), backends, context.reportFault);
	};

	const routers = new Map(
		config.binds.map((bind) => [
			bind.key,
			new Router(bind.listeners, (route, listener) => pipelineOf(bind, route, listener)),
		]),
	);
	const findings = new Map([...federations].map(([key, federation]) => [key, federation.findings]));
	return Object.freeze({ routers, health, findings, endpoints, probes, routes });
}

/** The targets of a backend with what is known of them. */
function federate(
	backend: McpBackendConfig,
	settings: Settings,
	context: CompileContext,
): { federation: Federation; watch: Health } {
	const watch = new Health(
		backend.targets.map((target) => target.name),
		() => new Date(),
		(one, failure) => context.targetChanged(backend.key, one, failure),
	);
	const findings = new Findings(context.warn, (target) => {
		const one = watch.of(target);
		if (one !== undefined) context.targetChanged(backend.key, one, null);
	});
	const federation: Federation = {
		targets: backend.targets.map((target) => context.openTarget(backend.key, target)),
		naming: createNaming(backend.targets, backend.prefixMode, backend.nameStyle),
		watch,
		findings,
		listLimits: {
			items: settings.limits.maxListItems,
			pages: settings.limits.maxListPages,
			bytes: settings.limits.maxResultSize,
		},
		strict: backend.failureMode === 'failClosed',
		startTimeout: settings.targetStartTimeout,
		warn: context.warn,
	};
	return { federation, watch };
}

/** When `initialize` is refused because targets are missing. */
const missingRule = { tolerant: 'never', failOpen: 'all', failClosed: 'any' } as const;

/** Where a backend is reached. */
interface Place {
	readonly bind: Bind;
	readonly listener: Listener;
	readonly route: Route;
	readonly backend: McpBackendConfig;
}

function makeEndpoint(
	place: Place,
	federation: Federation,
	{ settings }: GatewayConfig,
	context: CompileContext,
): McpEndpoint {
	const { listener, route, backend } = place;
	return new McpEndpoint({
		federation,
		stateful: backend.statefulMode === 'stateful',
		sessionTtl: settings.sessionTtl,
		refuseWhenMissing: missingRule[backend.failureMode],
		version: context.version,
		heartbeat: context.heartbeat,
		limits: settings.limits,
		scope: scopeOf(place),
		key: context.key,
		keyLasts: context.keyLasts,
		holder: context.holder,
		guard: compileOriginGuard({
			protection: backend.dnsRebindingProtection,
			// A host name that the file gives to a listener or a route is a name of this gateway.
			allowedHosts: [...settings.allowedHosts, ...hostsOf(listener, route)],
			publicUrl: settings.publicUrl,
			allowOrigins: route.policies.cors?.allowOrigins ?? [],
		}),
		refuse: replyRefusal,
	});
}

/**
 * Names a backend at its place, with the servers behind it, in few characters: session ids carry it. No server shall
 * get the session of another that stood in its place before.
 */
function scopeOf({ bind, listener, route, backend }: Place): string {
	const servers = backend.targets.map((target) => [
		target.kind,
		target.name,
		target.kind === 'stdio' ? '' : target.url,
	]);
	const place = JSON.stringify([bind.key, listener.name, route.key, backend.key, servers]);
	return createHash('sha256').update(place).digest('base64url').slice(0, 22);
}

function hostsOf(listener: Listener, route: Route): string[] {
	const names = listener.hostname === null ? route.hostnames : [listener.hostname, ...route.hostnames];
	return names.filter((name) => name !== '*');
}
