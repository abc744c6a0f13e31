import type { StateSnapshot } from '../admin/state.ts';
import type { Address } from '../config/ir.ts';
import { compileOriginGuard } from '../http/origin-guard.ts';
import { routeExchange } from '../http/pipeline.ts';
import type { PolicyExchange } from '../http/policy.ts';
import { metricsHandler, readinessHandler } from '../http/stats-server.ts';
import { Core, type GatewayOptions } from './core.ts';
import { Ports, type StartFault } from './ports.ts';

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

class Running implements Gateway {
	private readonly options: GatewayOptions;
	private readonly core: Core;
	private readonly ports: Ports;
	private ready = false;
	private closing: Promise<void> | null = null;

	constructor(options: GatewayOptions) {
		this.options = options;
		this.ports = new Ports(options);
		this.core = new Core(options, { addressesOf: (bind) => this.ports.addressesOf(bind), sessions: () => 0 });
	}

	async start(): Promise<StartFault | null> {
		const fault = (await this.openBinds()) ?? (await this.ports.openAdmin(this.core)) ?? (await this.openOthers());
		if (fault !== null) return fault;
		this.ports.announce(this.core.adminToken);
		this.ready = true;
		this.core.watch();
		return null;
	}

	addresses(): ReadonlyMap<string, readonly string[]> {
		return this.ports.addresses();
	}

	snapshot(): StateSnapshot {
		return this.core.snapshot();
	}

	close(): Promise<void> {
		this.closing ??= this.shutDown();
		return this.closing;
	}

	private async shutDown(): Promise<void> {
		this.ready = false;
		this.core.admin.close();
		await this.core.close(this.ports.close());
	}

	private async openBinds(): Promise<StartFault | null> {
		const { binds, settings } = this.options.config;
		for (const bind of binds) {
			const router = this.core.runtime.routers.get(bind.key);
			if (router === undefined) throw new Error(`no router for ${bind.key}`);
			const any: Address = { kind: 'tcp', host: settings.ipv6 ? '::' : '0.0.0.0', port: bind.port };
			const handler = (exchange: PolicyExchange) => routeExchange(router, exchange);
			const fault = await this.ports.open(bind.key, any, handler, this.core, true);
			if (fault !== null) return fault;
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
