import { parseDuration } from '../duration.ts';
import type { CallConfig, StdioTargetConfig, TargetConfig } from '../ir.ts';
import type { Path } from '../path.ts';
import type { WrittenRemote, WrittenStdio, WrittenTarget } from '../schema/mcp.ts';
import type { Scope } from './scope.ts';

const UNSUPPORTED = 'is known to agentgateway, not supported by this version';

/** A written target in full, or null when it was reported as faulty or unsupported. */
export function expandTarget(target: WrittenTarget, scope: Scope): TargetConfig | null {
	const path = scope.pathOf(target);
	if (target.stdio !== undefined) {
		return expandStdio(target.name, target.stdio, [...path, 'stdio'], scope);
	}
	for (const kind of ['mcp', 'sse'] as const) {
		const remote = target[kind];
		if (remote === undefined) continue;
		const url = remoteUrl(remote, `/${kind}`, [...path, kind], scope);
		if (url === null) return null;
		const startTimeout = timer(remote.startTimeout) ?? defaultHttpStartTimeout;
		return { kind, name: target.name, url, startTimeout, ...calls(remote) };
	}
	if (target.openapi !== undefined) {
		remoteUrl(target.openapi, '/', [...path, 'openapi'], scope);
		scope.report.problem({ path, key: 'openapi' }, `"openapi" ${UNSUPPORTED}`, '');
	}
	return null;
}

function expandStdio(name: string, written: WrittenStdio, path: Path, scope: Scope): StdioTargetConfig {
	const { idleTimeout, startTimeout } = written;
	const config: StdioTargetConfig = {
		kind: 'stdio',
		name,
		cmd: written.cmd,
		args: written.args ?? [],
		env: byName(written.env ?? {}),
		clearEnv: written.clear_env ?? false,
		cwd: written.cwd ?? null,
		startTimeout: timer(startTimeout) ?? defaultStartTimeout,
		idleTimeout: timer(idleTimeout),
		maxProcesses: written.maxProcesses ?? null,
		prewarm: written.prewarm ?? false,
		sharing: written.sharing ?? 'session',
		...calls(written),
	};
	checkCommand(config, path, scope);
	return config;
}

/** Their order means nothing, and must not make another target of this one. */
function byName(variables: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(variables).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Timers run for 24 days at most; what is longer would run out at once. */
function timer(written: string | 0 | undefined): number | null {
	const milliseconds = written === undefined ? null : parseDuration(written);
	return milliseconds === null ? null : Math.min(milliseconds, 2 ** 31 - 1);
}

const defaultStartTimeout = 2 * 60_000;
const defaultHttpStartTimeout = 30_000;
const defaultCallTimeout = 60 * 60_000;

function calls({
	callTimeout,
	maxConcurrentCalls,
}: Pick<WrittenStdio, 'callTimeout' | 'maxConcurrentCalls'>): CallConfig {
	return {
		callTimeout: timer(callTimeout) ?? defaultCallTimeout,
		maxConcurrentCalls: maxConcurrentCalls ?? null,
	};
}

function checkCommand({ cmd, env, clearEnv, cwd }: StdioTargetConfig, path: Path, scope: Scope): void {
	const search = env.PATH ?? (clearEnv ? undefined : scope.context.env.PATH);
	const fault = scope.context.foreseenFault({ command: cmd, path: search, cwd });
	if (fault !== null) scope.report.warning([...path, fault.key], fault.message, fault.remedy);
}

/** The URL of a remote target by agentgateway's rules for `host`, `port`, `path` and `backend` (contract section 1.5). */
function remoteUrl(remote: WrittenRemote, defaultPath: string, path: Path, scope: Scope): string | null {
	if (scope.report.faultyWithin(path)) {
		return null;
	}
	const { host, port, path: urlPath, backend } = remote;
	const refuse = (key: string | null, message: string, remedy = ''): null => {
		scope.report.problem(key === null ? path : { path, key }, message, remedy);
		return null;
	};
	if (backend !== undefined) {
		if (host !== undefined || port !== undefined) {
			return refuse('backend', 'cannot mix host/port with backend', 'keep one of them');
		}
		if (urlPath === undefined) {
			return refuse('backend', 'path is required when backend is set');
		}
		return refuse('backend', `"backend" of a target ${UNSUPPORTED}`, 'write the URL as host');
	}
	if (host === undefined) {
		return refuse(null, '"host" is missing', `write host: http://localhost:3001${defaultPath}`);
	}
	if ((port === undefined) !== (urlPath === undefined)) {
		return refuse(
			port === undefined ? 'path' : 'port',
			'if port or path is set, both must be set; otherwise, use only host',
		);
	}
	const url = port === undefined ? urlOfHost(host, defaultPath) : urlOfParts(host, port, urlPath ?? '');
	if (typeof url === 'string') {
		if (new URL(url).port !== '0') return url;
		return refuse(port === undefined ? 'host' : 'port', 'port 0 leads nowhere', 'write the port of the server');
	}
	scope.report.problem([...path, 'host'], url.fault, url.remedy);
	return null;
}

type Fault = { fault: string; remedy: string };

function urlOfHost(host: string, defaultPath: string): string | Fault {
	if (host.includes('://')) {
		const url = URL.canParse(host) ? new URL(host) : null;
		// Not quoted here: a password may stand in it.
		if (url !== null && (url.username !== '' || url.password !== '')) {
			return { fault: 'credentials in a URL are not sent to the server', remedy: `write ${withoutCredentials(url)}` };
		}
		if (url === null || !/^https?:$/.test(url.protocol)) {
			return { fault: `not an http or https URL: ${host}`, remedy: `write it as http://localhost:3001${defaultPath}` };
		}
		const [bare, fragment] = host.split('#');
		if (fragment !== undefined) return { fault: `a URL with a fragment: ${host}`, remedy: `write ${bare}` };
		return url.href;
	}
	const url = authorityUrl(host);
	if (url === null) {
		return {
			fault: `invalid host:port: ${host}`,
			remedy: `write it as localhost:3001, or as a URL: http://localhost:3001${defaultPath}`,
		};
	}
	return new URL(defaultPath, url).href;
}

function withoutCredentials(url: URL): string {
	url.username = '';
	url.password = '';
	return url.href;
}

function urlOfParts(host: string, port: number, path: string): string | Fault {
	const url = /[/:@?#]/.test(host) && !/^\[.*\]$/.test(host) ? null : authorityUrl(`${host}:${port}`);
	if (url === null) {
		return {
			fault: `not a host name: ${host}`,
			remedy: 'write the name alone beside port and path, or a URL in host alone',
		};
	}
	return new URL(path, url).href;
}

function authorityUrl(authority: string): URL | null {
	if (!/^(?:\[[0-9A-Fa-f:.]+\]|[^\s/:@?#\\[\]]+)(?::\d+)?$/.test(authority) || !URL.canParse(`http://${authority}`)) {
		return null;
	}
	return new URL(`http://${authority}`);
}
