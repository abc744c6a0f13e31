import type {
	BackendView,
	BindView,
	ConfigView,
	ListenerView,
	PressureView,
	ProcessView,
	RouteView,
	StateSnapshot,
	TargetView,
} from '../admin/state.ts';
import { maskSecrets } from '../admin/mask.ts';
import type {
	Bind,
	GatewayConfig,
	Listener,
	Match,
	Problem,
	Route,
	TargetConfig,
	WeightedBackend,
} from '../config/ir.ts';
import type { Failure } from '../mcp/health/failure.ts';
import type { ListFault } from '../mcp/lists/list-faults.ts';
import { residentBytes } from '../lib/resident-bytes.ts';
import type { LiveBackend } from './backend.ts';
import type { ProcessReport } from '../processes/supervision.ts';

/** What a snapshot is made from. */
export interface SnapshotSource {
	readonly config: GatewayConfig;
	/** A text without secrets of programs that the configuration does not hold any more. */
	withoutRetired(this: void, text: string): string;
	readonly configSource: string;
	readonly configState: ConfigView;
	readonly version: string;
	readonly startedAt: Date;
	readonly now: Date;
	readonly revision: number;
	/** By backend key. */
	readonly backends: ReadonlyMap<string, LiveBackend>;
	readonly sessions: number;
	readonly requests: number;
	readonly childProcesses: number;
	readonly pressure: PressureView[];
	/** Child processes of one target; `backend` is its label. */
	processesOf(backend: string, target: string): number;
	/** How they fare; null for targets that are not started here. */
	processReportOf(backend: string, target: string): ProcessReport | null;
	/** Addresses that a bind really has, `0.0.0.0:3000`. */
	addressesOf(bind: string): readonly string[];
}

function warningText({ path, message, remedy }: Problem): string {
	return `${path === '' ? '' : `${path}: `}${message}${remedy === '' ? '' : `; ${remedy}`}`;
}

/** Draws the state of everything as the admin API shows it. */
export function takeSnapshot(source: SnapshotSource): StateSnapshot {
	return {
		revision: source.revision,
		version: source.version,
		startedAt: source.startedAt.toISOString(),
		now: source.now.toISOString(),
		configSource: source.configSource,
		config: source.configState,
		warnings: source.config.warnings.map(warningText),
		binds: source.config.binds.map((bind) => bindView(bind, source)),
		sessions: source.sessions,
		requests: source.requests,
		childProcesses: source.childProcesses,
		memoryBytes: residentBytes(),
		pressure: source.pressure,
	};
}

function bindView(bind: Bind, source: SnapshotSource): BindView {
	const addresses = [...source.addressesOf(bind.key)];
	const port = Number(addresses[0]?.split(':').at(-1) ?? bind.port);
	return {
		key: bind.key,
		port,
		addresses,
		listeners: bind.listeners.map((listener) => listenerView(listener, port, source)),
	};
}

function listenerView(listener: Listener, port: number, source: SnapshotSource): ListenerView {
	return {
		name: listener.name,
		gateway: listener.gateway,
		protocol: listener.protocol,
		hostname: listener.hostname,
		routes: listener.routes.map((route, index) => routeView(route, index, listener, port, source)),
	};
}

function routeView(route: Route, index: number, listener: Listener, port: number, source: SnapshotSource): RouteView {
	const named = route.name !== `route${index}`;
	const path = clientPath(route.matches);
	const host =
		[...route.hostnames, listener.hostname ?? ''].find((name) => name !== '' && !name.startsWith('*')) ?? 'localhost';
	return {
		key: route.key,
		name: route.name,
		label: named ? route.name : `Route ${index + 1}`,
		hostnames: route.hostnames,
		matches: route.matches.map(matchText),
		policies: Object.keys(route.policies),
		backends: route.backends.map((backend) => backendView(backend, source)),
		url: `http://${host}:${port}${path}`,
		path,
	};
}

/** The path that a client of the route would use: its first match, or `/mcp` where anything is taken. */
function clientPath(matches: readonly Match[]): string {
	const path = matches[0]?.path;
	if (path === undefined || path.kind === 'regex' || path.value === '/') return '/mcp';
	return path.value;
}

function matchText(match: Match): string {
	const { kind, value } = match.path;
	const path = kind === 'exact' ? `= ${value}` : kind === 'regex' ? `~ ${value}` : `${value.replace(/\/$/, '')}/*`;
	const more = [
		...match.headers.map((header) => `${header.name}: ${header.value}`),
		...match.query.map((query) => `?${query.name}=${query.value}`),
	];
	return [match.method ?? '', path, ...more].filter((part) => part !== '').join(' ');
}

function backendView(weighted: WeightedBackend, source: SnapshotSource): BackendView {
	const { backend, weight } = weighted;
	return {
		key: backend.key,
		kind: 'mcp',
		weight,
		targets: backend.targets.map((target) => targetView(backend.key, target, source)),
		statefulMode: backend.statefulMode,
		prefixMode: backend.prefixMode,
		nameStyle: backend.nameStyle,
		failureMode: backend.failureMode,
	};
}

function targetView(backend: string, target: TargetConfig, source: SnapshotSource): TargetView {
	const live = source.backends.get(backend);
	const health = live?.health.of(target.name);
	const circuit = health?.circuit ?? null;
	const failure = health?.failure ?? circuit?.failure ?? null;
	const away = circuit !== null && circuit.state !== 'closed';
	const faults = live?.federation.findings.faults.of(target.name) ?? [];
	const shown = withoutSecrets(target, failure, away ? [] : faults, source.withoutRetired);
	return {
		id: `${backend}/${target.name}`,
		name: target.name,
		kind: target.kind,
		endpoint: shown.endpoint,
		state: health?.state ?? 'idle',
		reason: shown.reason,
		remedy: failure?.remedy ?? '',
		since: (health?.since ?? source.startedAt).toISOString(),
		exitCode: failure?.exitCode ?? null,
		signal: failure?.signal ?? null,
		stderr: shown.stderr,
		server: health?.server ? { ...health.server.serverInfo, protocolVersion: health.server.protocolVersion } : null,
		tools: health?.counts.tools ?? null,
		prompts: health?.counts.prompts ?? null,
		resources: health?.counts.resources ?? null,
		missingLists: shown.missingLists,
		hidden: (live?.federation.findings.of(target.name) ?? []).map(({ list, name, reason }) => ({
			list,
			name,
			reason,
		})),
		circuit: circuit?.state ?? 'closed',
		failures: circuit?.failures ?? 0,
		retryAt: away ? new Date(source.now.getTime() + circuit.wait).toISOString() : null,
		connections: health?.ready ?? 0,
		processes: source.processesOf(live?.label ?? backend, target.name),
		process: processView(source.processReportOf(live?.label ?? backend, target.name)),
	};
}

function processView(report: ProcessReport | null): ProcessView | null {
	return report === null ? null : { ...report, since: report.since.toISOString() };
}

/** Command lines and URLs hold keys now and then, and programs complain with them. */
function withoutSecrets(
	target: TargetConfig,
	failure: Failure | null,
	faults: readonly ListFault[],
	withoutRetired: (text: string) => string,
) {
	const stdio = target.kind === 'stdio' ? { args: target.args, env: target.env } : { args: [], env: {} };
	const place = target.kind === 'stdio' ? target.cmd : target.url;
	const { reason = '', stderr = [] } = failure ?? {};
	const missingLists = faults.map((fault) => ({ ...fault }));
	const shown = maskSecrets({ ...stdio, place, reason, missingLists, stderr: stderr.slice(-50) });
	const endpoint = target.kind === 'stdio' ? [shown.place, ...shown.args].map(quoted).join(' ') : shown.place;
	return {
		endpoint,
		reason: withoutRetired(shown.reason),
		missingLists: shown.missingLists.map((fault) => ({ ...fault, reason: withoutRetired(fault.reason) })),
		stderr: shown.stderr.map(withoutRetired),
	};
}

function quoted(part: string): string {
	return /^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`;
}
