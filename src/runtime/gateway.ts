import type { StateSnapshot } from '../admin/state.ts';
import type { Address, GatewayConfig } from '../config/ir.ts';
import { replyRefusal } from '../http/errors.ts';
import { compileOriginGuard } from '../http/origin-guard.ts';
import { type Pipeline, routeExchange } from '../http/pipeline.ts';
import type { PolicyExchange } from '../http/policy.ts';
import { refuse } from '../http/refusal.ts';
import type { Router } from '../http/router.ts';
import { metricsHandler, readinessHandler } from '../http/stats-server.ts';
import { Core, type GatewayOptions } from './core.ts';
import { Ports, type StartFault } from './ports.ts';
import type { LoadResult } from '../config/load.ts';
import { watchConfig } from './watch-config.ts';

/** A gateway that serves. */
export interface Gateway {
	/** Real addresses by bind key, such as `0.0.0.0:3000`. */
	addresses(): ReadonlyMap<string, readonly string[]>;
	snapshot(): StateSnapshot;
	/** Reads the configuration file again, if there is one. Resolves when what it says is in effect, or refused. */
	reload(): Promise<StateSnapshot['config']>;
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

/** Where a bind's requests go; a reload changes it. null: the configuration is not in effect yet. */
interface Way {
	router: Router<Pipeline> | null;
}

class Running implements Gateway {
	private readonly options: GatewayOptions;
	private readonly core: Core;
	private readonly ports: Ports;
	private readonly reloading: ReturnType<typeof watchConfig>;
	/** By bind key. */
	private readonly ways = new Map<string, Way>();
	private ready = false;
	private closing: Promise<void> | null = null;

	constructor(options: GatewayOptions) {
		this.options = options;
		this.ports = new Ports(options);
		this.core = new Core(options, { addressesOf: (bind) => this.ports.addressesOf(bind), sessions: () => 0 });
		this.reloading = watchConfig(options, this.core, (read) => this.apply(read));
	}

	async start(): Promise<StartFault | null> {
		const bound = await this.openBinds(this.options.config);
		const fault = bound?.fault ?? (await this.ports.openAdmin(this.core)) ?? (await this.openOthers());
		if (fault !== null) return fault;
		this.switchWays();
		this.ports.announce(this.core.adminToken);
		this.ready = true;
		this.core.watch();
		void this.reloading?.start();
		return null;
	}

	addresses(): ReadonlyMap<string, readonly string[]> {
		return this.ports.addresses();
	}

	snapshot(): StateSnapshot {
		return this.core.snapshot();
	}

	async reload(): Promise<StateSnapshot['config']> {
		return (await this.reloading?.reload('asked to')) ?? this.core.snapshot().config;
	}

	close(): Promise<void> {
		this.closing ??= this.shutDown();
		return this.closing;
	}

	private async shutDown(): Promise<void> {
		this.ready = false;
		await this.reloading?.stop();
		this.core.admin.close();
		await this.core.close(this.ports.close());
	}

	/** Goes over to another configuration: all of its ports can be opened, or nothing changes. */
	private async apply(read: LoadResult & { ok: true }): ReturnType<Parameters<typeof watchConfig>[2]> {
		const compiled = this.core.compile(read.config);
		const bound = await this.openBinds(read.config);
		if (bound !== null) {
			await this.core.abandon(compiled);
			const place = read.ports.get(bound.bind) ?? { file: this.options.source, line: 0, column: 0, path: '' };
			return [{ ...place, message: bound.fault.message, remedy: bound.fault.remedy }];
		}
		const opened = read.config.binds.filter(({ key }) => this.ways.get(key)?.router === null);
		this.core.replace(compiled, read);
		this.switchWays();
		for (const { key } of opened) this.ports.announceOne(key);
		for (const key of [...this.ways.keys()]) {
			if (this.core.runtime.routers.has(key)) continue;
			this.ways.delete(key);
			this.options.logger.info(`no longer listening on ${this.ports.addressesOf(key)[0] ?? key}`);
			void this.ports.closeOne(key);
		}
		return [];
	}

	private switchWays(): void {
		for (const [key, router] of this.core.runtime.routers) {
			const way = this.ways.get(key);
			if (way === undefined) throw new Error(`no port for ${key}`);
			way.router = router;
		}
	}

	/** Opens the ports that are not open yet, all of them or none. */
	private async openBinds({ binds, settings }: GatewayConfig): Promise<{ bind: string; fault: StartFault } | null> {
		const opened: string[] = [];
		for (const bind of binds) {
			if (this.ways.has(bind.key)) continue;
			const any: Address = { kind: 'tcp', host: settings.ipv6 ? '::' : '0.0.0.0', port: bind.port };
			const way: Way = { router: null };
			const handler = (exchange: PolicyExchange) => {
				if (way.router === null) replyRefusal(exchange, notYet);
				else routeExchange(way.router, exchange);
			};
			const fault = await this.ports.open(bind.key, any, handler, this.core, true);
			if (fault !== null) {
				for (const key of opened) this.ways.delete(key);
				await Promise.all(opened.map((key) => this.ports.closeOne(key)));
				return { bind: bind.key, fault };
			}
			this.ways.set(bind.key, way);
			opened.push(bind.key);
		}
		return null;
	}

	/** Scrapers and probes come by whatever name; what they read is no secret beyond the machine's own network. */
	private async openOthers(): Promise<StartFault | null> {
		const { settings } = this.options.config;
		const guard = compileOriginGuard({
			protection: null,
			allowedHosts: settings.allowedHosts,
			publicUrl: settings.publicUrl,
			allowOrigins: [],
		});
		const pending = () => (this.ready ? [] : ['start']);
		const others: [string, Address | null, (exchange: PolicyExchange) => void][] = [
			['stats', settings.statsAddress, metricsHandler(() => Promise.resolve(this.core.metrics.text()), guard)],
			['readiness', settings.readinessAddress, readinessHandler(pending, guard)],
		];
		for (const [name, address, handler] of others) {
			const fault = address === null ? null : await this.ports.open(name, address, handler, this.core);
			if (fault !== null) return fault;
		}
		return null;
	}
}

const notYet = refuse(503, 'the gateway is starting', 'Internal');
