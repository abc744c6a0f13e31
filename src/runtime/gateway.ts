import { randomBytes } from 'node:crypto';
import { type Admin, createAdmin } from '../admin/admin.ts';
import type { StateSnapshot } from '../admin/state.ts';
import type { Address, GatewayConfig } from '../config/ir.ts';
import type { Facts } from '../facts/facts.ts';
import { compileOriginGuard } from '../http/origin-guard.ts';
import { routeExchange } from '../http/pipeline.ts';
import type { PolicyExchange } from '../http/policy.ts';
import { type HttpServer, listen } from '../http/server.ts';
import { metricsHandler, readinessHandler } from '../http/stats-server.ts';
import { type Beating, Heartbeat } from '../lib/heartbeat.ts';
import type { Exchange } from '../http/exchange.ts';
import type { TargetHealth } from '../mcp/health.ts';
import type { Failure } from '../mcp/model.ts';
import { Processes } from '../processes/processes.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Logger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { compile, type Runtime } from './compile.ts';
import { configDump } from './dump.ts';
import { takeSnapshot } from './snapshot.ts';
import { targetLabel, Targets } from './targets.ts';

export interface GatewayOptions {
	readonly config: GatewayConfig;
	/** The file as written, for the admin API. */
	readonly document: unknown;
	/** Where the configuration came from, in words. */
	readonly source: string;
	readonly version: string;
	readonly logger: Logger;
	/** null: no access log. */
	readonly accessLog: AccessLog | null;
	/** Environment that child processes inherit. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Folder of the built UI; null for none. */
	readonly uiRoot: string | null;
}

/** Why the gateway could not start. */
export interface StartFault {
	readonly fault: 'start';
	readonly message: string;
	readonly remedy: string;
}

/** A gateway that serves. */
export interface Gateway {
	/** Real addresses by bind key, such as `0.0.0.0:3000`. */
	addresses(): ReadonlyMap<string, readonly string[]>;
	snapshot(): StateSnapshot;
	/** Stops accepting, lets what is in flight finish within the drain deadline, ends every child. */
	close(): Promise<void>;
}

/** Starts a gateway: opens all its ports or none. */
export async function startGateway(options: GatewayOptions): Promise<Gateway | StartFault> {
	const gateway = new Running(options);
	const fault = await gateway.start();
	if (fault === null) return gateway;
	await gateway.close();
	return fault;
}

class Running implements Gateway, Beating {
	slot = -1;
	private readonly options: GatewayOptions;
	private readonly heartbeat = new Heartbeat();
	private readonly processes: Processes;
	private readonly targets: Targets;
	private readonly runtime: Runtime;
	private readonly metrics: Metrics;
	private readonly admin: Admin;
	private readonly adminToken: string;
	private readonly servers = new Map<string, HttpServer>();
	private readonly watchers = new Set<() => void>();
	private readonly startedAt = new Date();
	private revision = 0;
	/** Last failure that was logged, by target, so that retries do not fill the log. */
	private readonly logged = new Map<string, string>();
	private shownRequests = 0;
	private ready = false;
	private closing: Promise<void> | null = null;

	constructor(options: GatewayOptions) {
		const { config, logger } = options;
		this.options = options;
		this.adminToken = config.settings.adminToken ?? randomBytes(24).toString('base64url');
		this.processes = new Processes(options.env, () => this.changed());
		const mcpLog = logger.scoped('agentgateway::mcp');
		this.targets = new Targets(this.processes, mcpLog, { maximumAnswerBytes: config.settings.limits.maxResultSize });
		this.runtime = compile(config, {
			heartbeat: this.heartbeat,
			version: options.version,
			key: sealKey(config.settings.sessionKey, mcpLog),
			openTarget: (backend, target) => this.targets.open(backend, target),
			reportFault: (fault, exchange) => this.reportFault(fault, exchange),
			warn: (message) => mcpLog.warn(message),
			targetChanged: (backend, health, failure) => this.targetChanged(backend, health, failure),
		});
		this.metrics = new Metrics(options.version, {
			sessions: () => this.sessions(),
			targets: () => this.targetStates(),
			childProcesses: () => this.processes.count(),
			configSynchronized: () => true,
		});
		this.admin = this.makeAdmin();
	}

	async start(): Promise<StartFault | null> {
		const { config } = this.options;
		for (const bind of config.binds) {
			const router = this.runtime.routers.get(bind.key);
			if (router === undefined) throw new Error(`no router for ${bind.key}`);
			const any: Address = { kind: 'tcp', host: config.settings.ipv6 ? '::' : '0.0.0.0', port: bind.port };
			const fault = await this.serve(bind.key, any, (exchange) => routeExchange(router, exchange), true);
			if (fault !== null) return fault;
		}
		const { settings } = config;
		// Scrapers and probes come by whatever name; what they read is no secret beyond the machine's own network.
		const guard = compileOriginGuard({
			protection: null,
			allowedHosts: settings.allowedHosts,
			publicUrl: settings.publicUrl,
			allowOrigins: [],
		});
		const pending = () => (this.ready ? [] : ['start']);
		const others: [string, Address | null, (exchange: PolicyExchange) => void][] = [
			['admin', settings.adminAddress, (exchange) => this.admin.handle(exchange)],
			['stats', settings.statsAddress, metricsHandler(() => Promise.resolve(this.metrics.text()), guard)],
			['readiness', settings.readinessAddress, readinessHandler(pending, guard)],
		];
		for (const [name, address, handler] of others) {
			if (address === null) continue;
			const fault = await this.serve(name, address, handler, false);
			if (fault !== null) return fault;
		}
		this.announce();
		this.ready = true;
		this.heartbeat.add(this);
		for (const probe of this.runtime.probes) probe.start();
		return null;
	}

	addresses(): ReadonlyMap<string, readonly string[]> {
		return new Map([...this.servers].map(([key, server]) => [key, server.addresses]));
	}

	snapshot(): StateSnapshot {
		return takeSnapshot({
			config: this.options.config,
			configSource: this.options.source,
			version: this.options.version,
			startedAt: this.startedAt,
			now: new Date(),
			revision: this.revision,
			health: this.runtime.health,
			findings: this.runtime.findings,
			sessions: this.sessions(),
			requests: this.metrics.requests,
			childProcesses: this.processes.count(),
			processesOf: (backend, target) => this.processes.count(targetLabel(backend, target)),
			addressesOf: (bind) => this.servers.get(bind)?.addresses ?? [],
		});
	}

	/** Counters change without any event; who watches sees them once a second. */
	beat(): void {
		if (this.shownRequests === this.metrics.requests) return;
		this.shownRequests = this.metrics.requests;
		if (this.watchers.size > 0) this.changed();
	}

	close(): Promise<void> {
		this.closing ??= this.shutDown();
		return this.closing;
	}

	private async shutDown(): Promise<void> {
		const { drainDeadline, drainMinimum } = this.options.config.settings;
		this.ready = false;
		this.admin.close();
		const drained = Promise.all([...this.servers.values()].map((server) => server.close(drainDeadline, drainMinimum)));
		await Promise.all(this.runtime.probes.map((probe) => probe.stop()));
		for (const endpoint of this.runtime.endpoints) endpoint.endStreams();
		await drained;
		await Promise.all(this.runtime.endpoints.map((endpoint) => endpoint.close()));
		this.heartbeat.stop();
		await this.processes.close();
		await this.targets.close();
	}

	private async serve(
		name: string,
		address: Address,
		handler: (exchange: PolicyExchange) => void,
		counted: boolean,
	): Promise<StartFault | null> {
		const server = await listen({
			address,
			bind: name,
			handler,
			onError: (fault, exchange) => this.reportFault(fault, exchange),
			onEnd: counted ? (facts) => this.ended(facts) : undefined,
			onConnection: counted ? () => this.metrics.connected(name, 'http') : undefined,
			onConnectionEnd: counted
				? (received, sent) => this.metrics.disconnected(name, 'http', received, sent)
				: undefined,
			ipv6: this.options.config.settings.ipv6,
		});
		if ('fault' in server) return { fault: 'start', message: server.message, remedy: server.remedy };
		this.servers.set(name, server);
		return null;
	}

	private announce(): void {
		const { logger, config } = this.options;
		for (const bind of config.binds) {
			for (const address of this.servers.get(bind.key)?.addresses.slice(0, 1) ?? [])
				logger.info(`Listening on ${address}`);
		}
		const shown = (name: string) =>
			this.servers.get(name)?.addresses[0]?.replace(/^(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):/, 'localhost:');
		const [stats, readiness, admin] = [shown('stats'), shown('readiness'), shown('admin')];
		if (stats !== undefined) logger.info(`Metrics available at http://${stats}/metrics`);
		if (readiness !== undefined) logger.info(`Readiness available at http://${readiness}/healthz/ready`);
		if (admin === undefined) return;
		logger.info(`Admin UI available at http://${admin}/ui/`);
		const address = config.settings.adminAddress;
		const open = address?.kind === 'tcp' && !['localhost', '127.0.0.1', '::1'].includes(address.host);
		if (open)
			logger.info(
				`Admin UI from elsewhere: http://<host>:${this.servers.get('admin')?.port}/ui/?token=${this.adminToken}`,
			);
	}

	private makeAdmin(): Admin {
		const { config, document, version, logger, uiRoot } = this.options;
		const { settings } = config;
		const publicHost = settings.publicUrl === null ? [] : [new URL(settings.publicUrl).host];
		return createAdmin({
			snapshot: () => this.snapshot(),
			onChange: (listener) => {
				this.watchers.add(listener);
				return () => this.watchers.delete(listener);
			},
			configDump: () => configDump(config, version),
			configDocument: () => document,
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
			secrets: settings.sessionKey === null ? [] : [settings.sessionKey],
			logger: logger.scoped('agentgateway::admin'),
			logLevel: () => settings.logLevel,
			randomBytes: (size) => randomBytes(size),
			now: () => performance.now(),
		});
	}

	private ended(facts: Facts): void {
		const now = performance.now();
		this.metrics.ended(facts, now);
		this.options.accessLog?.(facts, now);
	}

	private reportFault(fault: unknown, exchange: Exchange): void {
		const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
		this.options.logger.error('internal error', { path: exchange.facts.path, error: text });
	}

	private targetChanged(backend: string, health: TargetHealth, failure: Failure | null): void {
		this.changed();
		if (health.state === 'ready') this.logged.delete(targetLabel(backend, health.target));
		if (failure === null) return;
		const { logger } = this.options;
		const label = targetLabel(backend, health.target);
		const repeated = this.logged.get(label) === failure.reason;
		this.logged.set(label, failure.reason);
		logger[repeated ? 'debug' : 'warn'](`target "${health.target}" failed: ${failure.reason}`, {
			backend,
			exit_code: failure.exitCode ?? undefined,
			signal: failure.signal ?? undefined,
			remedy: failure.remedy === '' ? undefined : failure.remedy,
			stderr: failure.stderr.length === 0 ? undefined : failure.stderr.slice(-5).join('\n'),
		});
	}

	private changed(): void {
		this.revision++;
		for (const watcher of this.watchers) watcher();
	}

	private sessions(): number {
		return this.runtime.endpoints.reduce((sum, endpoint) => sum + endpoint.openSessions, 0);
	}

	private *targetStates(): Iterable<{ backend: string; target: string; state: string }> {
		for (const [backend, health] of this.runtime.health) {
			for (const { target, state } of health.all()) yield { backend, target, state };
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
