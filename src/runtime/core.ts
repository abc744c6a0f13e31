import { randomBytes } from 'node:crypto';
import { type Admin, createAdmin } from '../admin/admin.ts';
import type { ConfigWrite, ConfigWritten } from '../admin/config-write.ts';
import { maskerFor } from '../admin/mask.ts';
import { secretsIn } from '../admin/secret-texts.ts';
import type { ConfigView, StateSnapshot } from '../admin/state.ts';
import type { GatewayConfig } from '../config/ir.ts';
import type { Facts } from '../facts/facts.ts';
import type { Exchange } from '../http/exchange.ts';
import { cutText } from '../lib/cut.ts';
import { type Beating, Heartbeat } from '../lib/heartbeat.ts';
import type { TargetHealth } from '../mcp/health/health.ts';
import type { Failure } from '../mcp/model.ts';
import { Processes } from '../processes/processes.ts';
import type { ProcessReport } from '../processes/supervision.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Logger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { TargetState } from '../telemetry/target-metrics.ts';
import { compile, type CompileContext, type Compiled, type Runtime } from './compile.ts';
import { configDump } from './dump.ts';
import { PressureWatch } from './pressure-watch.ts';
import { type ConfigEditor, type RunningConfig, tagOf } from './config-editor.ts';
import type { ConfigFile } from './reload.ts';
import { abandonRuntime, replaceRuntime } from './replace.ts';
import { takeSnapshot } from './snapshot.ts';
import { targetLabel, Targets } from './targets.ts';

export interface GatewayOptions {
	readonly config: GatewayConfig;
	/** The file as written, for the admin API. */
	readonly document: unknown;
	/** Where the configuration came from, in words. */
	readonly source: string;
	/** The file that it stands in, which may change while the gateway runs; null: it does not stand in a file. */
	readonly file: WatchedFile | null;
	readonly version: string;
	readonly logger: Logger;
	/** null: no access log. */
	readonly accessLog: AccessLog | null;
	/** Environment that child processes inherit. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Log lines that were thrown away. */
	readonly droppedLogLines?: () => number;
	/** Folder of the built UI; null for none. */
	readonly uiRoot: string | null;
}

/** The file that a gateway was started with. */
export interface WatchedFile {
	readonly file: ConfigFile;
	/** What it said. */
	readonly text: string;
	/** Files that it was made from, beside this one. */
	readonly references: readonly string[];
}

/** What only the ways in know of a gateway. */
export interface Ways {
	/** Real addresses of a bind that listens. */
	addressesOf(bind: string): readonly string[];
	/** Sessions beside those of the endpoints. */
	sessions(): number;
}

/** A configuration with what was made of it. */
interface Applied extends RunningConfig {
	readonly text: string;
	readonly runtime: Runtime;
}

/** A configuration that runs, without the ways in: no port is open, nothing reads stdin. */
export class Core implements Beating {
	slot = -1;
	private current: Applied;
	private editor: ConfigEditor | null = null;
	/** What the admin API must not show. */
	private readonly secrets: string[];
	/** Masks what programs complain with: the keys that they were given. */
	private shown: (text: string) => string;
	/** Hides those alone: made once, as there may be many. */
	private withoutRetired: (text: string) => string = (text) => text;
	/** Such keys of earlier configurations, whose programs may still run. */
	private readonly retired = new Set<string>();
	private config: ConfigView;
	readonly metrics: Metrics;
	readonly admin: Admin;
	readonly pressure: PressureWatch;
	readonly adminToken: string;
	private readonly options: GatewayOptions;
	private readonly ways: Ways;
	private readonly heartbeat = new Heartbeat((fault) => this.reportFault(fault, null));
	private readonly processes: Processes;
	private readonly targets: Targets;
	private readonly context: CompileContext;
	/** What earlier configurations have left behind and is not gone yet. */
	private readonly leaving = new Set<Promise<void>>();
	private looking = false;
	private readonly watchers = new Set<() => void>();
	private readonly startedAt = new Date();
	private revision = 0;
	/** Last failure that was logged, by target, so that retries do not fill the log. */
	private readonly logged = new Map<string, string>();
	private shownRequests = 0;

	constructor(options: GatewayOptions, ways: Ways) {
		const { config, logger } = options;
		this.options = options;
		this.ways = ways;
		this.adminToken = config.settings.adminToken ?? randomBytes(24).toString('base64url');
		const { limits, sessionKey, adminToken } = config.settings;
		this.processes = new Processes({
			env: options.env,
			secrets: [sessionKey, adminToken].filter((secret) => secret !== null),
			limits: { total: limits.maxProcesses, perOwner: limits.maxProcessesPerPrincipal },
			changed: () => this.changed(),
		});
		const mcpLog = logger.scoped('agentgateway::mcp');
		this.targets = new Targets(this.processes, mcpLog, config.settings);
		this.context = {
			settings: config.settings,
			heartbeat: this.heartbeat,
			version: options.version,
			key: sealKey(config.settings.sessionKey, mcpLog),
			keyLasts: config.settings.sessionKey !== null,
			holder: randomBytes(9).toString('base64url'),
			openTarget: (backend, target) => this.targets.open(backend, target),
			reportFault: (fault, exchange) => this.reportFault(fault, exchange),
			warn: (message) => mcpLog.warn(cutText(this.shown(message))),
			targetChanged: (backend, health, failure) => this.targetChanged(backend, health, failure),
		};
		this.shown = maskerFor(secretsIn(config));
		const { runtime } = compile(config, this.context, null);
		this.current = { config, document: options.document, text: options.file?.text ?? '', runtime };
		this.secrets = config.settings.sessionKey === null ? [] : [config.settings.sessionKey];
		this.config = { synchronized: true, since: this.startedAt.toISOString(), errors: [], needsRestart: [] };
		this.pressure = new PressureWatch(logger, () => this.changed());
		this.metrics = new Metrics(options.version, {
			sessions: () => this.sessions(),
			targets: () => this.targetStates(),
			childProcesses: () => this.processes.count(),
			processes: () => this.processReports(),
			configSynchronized: () => this.config.synchronized,
			pressure: () => this.pressure.figures(options.droppedLogLines?.() ?? 0),
		});
		this.admin = this.makeAdmin();
	}

	get runtime(): Runtime {
		return this.current.runtime;
	}

	/** Looks at every target once, and keeps who watches up to date. */
	watch(): void {
		this.looking = true;
		this.heartbeat.add(this);
		for (const backend of this.runtime.backends.values()) backend.watch();
	}

	/** What another configuration would make of this one. Either `replace` or `abandon` it. */
	compile(config: GatewayConfig): Compiled {
		return compile(config, this.context, this.runtime);
	}

	/** Goes over to a configuration that was compiled last. What the one before leaves behind ends in the background. */
	replace({ runtime, change }: Compiled, { config, document, text }: Omit<Applied, 'runtime'>): void {
		const { sessionKey } = config.settings;
		if (sessionKey !== null && !this.secrets.includes(sessionKey)) this.secrets.push(sessionKey);
		const held = secretsIn(config);
		for (const secret of secretsIn(this.current.config)) if (!held.has(secret)) keep(this.retired, secret);
		this.withoutRetired = maskerFor(this.retired);
		this.shown = maskerFor([...this.retired, ...held]);
		this.current = { config, document, text, runtime };
		const { drainDeadline } = this.options.config.settings;
		const left = replaceRuntime(change, {
			patience: drainDeadline,
			look: this.looking,
			release: (target) => this.targets.release(target),
		})
			.catch((fault: unknown) => this.reportFault(fault, null))
			.finally(() => this.leaving.delete(left));
		this.leaving.add(left);
	}

	abandon({ change }: Compiled): Promise<void> {
		return abandonRuntime(change, (target) => this.targets.release(target));
	}

	get running(): RunningConfig {
		return this.current;
	}

	/** Lets the admin API write the file. */
	editWith(editor: ConfigEditor): void {
		this.editor = editor;
	}

	/** Shows how what runs stands to what is written. */
	showConfig(config: ConfigView): void {
		this.config = config;
		this.changed();
	}

	snapshot(): StateSnapshot {
		return takeSnapshot({
			config: this.current.config,
			withoutRetired: this.withoutRetired,
			configState: this.config,
			configSource: this.options.source,
			version: this.options.version,
			startedAt: this.startedAt,
			now: new Date(),
			revision: this.revision,
			backends: this.runtime.backends,
			sessions: this.sessions(),
			requests: this.metrics.requests,
			childProcesses: this.processes.count(),
			pressure: this.pressure.shortages,
			processesOf: (backend, target) => this.processes.count(targetLabel(backend, target)),
			processReportOf: (backend, target) => this.processes.report(targetLabel(backend, target)),
			addressesOf: (bind) => this.ways.addressesOf(bind),
		});
	}

	/** Counters change without any event; who watches sees them once a second. */
	beat(): void {
		if (this.shownRequests === this.metrics.requests) return;
		this.shownRequests = this.metrics.requests;
		if (this.watchers.size > 0) this.changed();
	}

	/** Counts and logs a request that has ended. */
	ended(facts: Facts): void {
		const now = performance.now();
		this.metrics.ended(facts, now);
		this.options.accessLog?.(facts, now);
	}

	/** Logs a bug. `exchange`: the request in which it showed, if there is one. */
	reportFault(fault: unknown, exchange: Pick<Exchange, 'facts'> | null): void {
		const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
		const path = exchange === null ? undefined : cutText(exchange.facts.path);
		this.options.logger.error('internal error', { path, error: text });
	}

	/** The first half of an end: streams that go on for ever end, so that `drained` comes to an end; then all the rest. */
	async close(drained: Promise<unknown>): Promise<void> {
		const { backends, endpoints } = this.runtime;
		const ended = [...endpoints.values()].map(({ endpoint }) => endpoint.endStreams());
		// No probe of a slow server shall hold up the end.
		await Promise.all([drained, ...ended, ...[...backends.values()].map((backend) => backend.close())]);
		await Promise.all([...endpoints.values()].map(({ endpoint }) => endpoint.close()));
		await Promise.all(this.leaving);
		this.heartbeat.stop();
		this.pressure.stop();
		await this.processes.close();
		await this.targets.close();
	}

	private makeAdmin(): Admin {
		const { config, version, logger, uiRoot } = this.options;
		const { settings } = config;
		const publicHost = settings.publicUrl === null ? [] : [new URL(settings.publicUrl).host];
		return createAdmin({
			snapshot: () => this.snapshot(),
			onChange: (listener) => {
				this.watchers.add(listener);
				return () => this.watchers.delete(listener);
			},
			configDump: () => configDump(this.current.config, version),
			configDocument: () => this.current.document,
			configTag: () => tagOf(this.current.text),
			writeConfig: this.options.file === null ? null : (write) => this.writeConfig(write),
			buildInfo: {
				version,
				gitRevision: '',
				buildProfile: 'release',
				buildTarget: `${process.platform}-${process.arch}`,
				nodeVersion: process.versions.node,
			},
			uiRoot,
			adminToken: this.adminToken,
			allowedHosts: [...settings.allowedHosts, ...publicHost],
			secrets: this.secrets,
			logger: logger.scoped('agentgateway::admin'),
			logLevel: () => settings.logLevel,
			randomBytes: (size) => randomBytes(size),
			now: () => performance.now(),
		});
	}

	private writeConfig(write: ConfigWrite): Promise<ConfigWritten> {
		return this.editor?.write(write) ?? Promise.resolve({ outcome: 'unwritable', reason: 'the gateway is starting' });
	}

	private targetChanged(backend: string, health: TargetHealth, failure: Failure | null): void {
		this.changed();
		if (health.state === 'ready') this.logged.delete(targetLabel(backend, health.target));
		if (failure === null) return;
		const { logger } = this.options;
		const label = targetLabel(backend, health.target);
		const repeated = this.logged.get(label) === failure.reason;
		this.logged.set(label, failure.reason);
		const { shown } = this;
		logger[repeated ? 'debug' : 'warn'](`target "${health.target}" failed: ${shown(failure.reason)}`, {
			backend,
			address: failure.where,
			exit_code: failure.exitCode ?? undefined,
			signal: failure.signal ?? undefined,
			remedy: failure.remedy === '' ? undefined : failure.remedy,
			stderr: failure.stderr.length === 0 ? undefined : failure.stderr.slice(-5).map(shown).join('\n'),
		});
	}

	private changed(): void {
		this.revision++;
		for (const watcher of this.watchers) watcher();
	}

	private sessions(): number {
		let sum = this.ways.sessions();
		for (const { endpoint } of this.runtime.endpoints.values()) sum += endpoint.openSessions;
		return sum;
	}

	private *processReports(): Iterable<{ backend: string; target: string; report: ProcessReport }> {
		for (const [backend, { health, label }] of this.runtime.backends) {
			for (const { target } of health.all()) {
				const report = this.processes.report(targetLabel(label, target));
				if (report !== null) yield { backend, target, report };
			}
		}
	}

	private *targetStates(): Iterable<TargetState> {
		for (const [backend, { health }] of this.runtime.backends) {
			for (const { target, state, circuit } of health.all()) yield { backend, target, state, circuit };
		}
	}
}

/** The key that seals session ids; one of its own for each start unless the configuration names one. */
function sealKey(configured: string | null, logger: Logger): Buffer {
	if (configured !== null) return Buffer.from(configured, 'hex');
	logger.info('session ids are sealed with a random key and end with this process', {
		remedy: 'set config.session.key or SESSION_KEY to keep sessions over a restart',
	});
	return randomBytes(32);
}

/** Keeps the latest of the secrets that were taken out of the configuration. */
function keep(retired: Set<string>, secret: string): void {
	retired.delete(secret);
	retired.add(secret);
	for (const oldest of retired) {
		if (retired.size <= maximumRetired) return;
		retired.delete(oldest);
	}
}

const maximumRetired = 1000;
