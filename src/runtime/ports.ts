import type { Address } from '../config/ir.ts';
import type { PolicyExchange } from '../http/policy.ts';
import { type HttpServer, listen } from '../http/server.ts';
import type { Core, GatewayOptions } from './core.ts';

/** Why the gateway could not start. */
export interface StartFault {
	readonly fault: 'start';
	readonly message: string;
	readonly remedy: string;
}

/** The ports that a gateway has open. */
export class Ports {
	private readonly options: GatewayOptions;
	private readonly servers = new Map<string, HttpServer>();
	/** Those that accept no more and have not ended. */
	private readonly closing = new Set<Promise<void>>();
	/** Resolve when those that still take what has connected have left their addresses. */
	private readonly leaving = new Map<string, Promise<void>>();

	constructor(options: GatewayOptions) {
		this.options = options;
	}

	/** Opens a port. `counted`: what comes over it is counted and logged. */
	async open(
		name: string,
		address: Address,
		handler: (exchange: PolicyExchange) => void,
		core: Core,
		counted = false,
	): Promise<StartFault | null> {
		const { metrics } = core;
		await this.leaving.get(name);
		const server = await listen({
			address,
			bind: name,
			handler,
			onError: (fault, exchange) => core.reportFault(fault, exchange),
			onEnd: counted ? (facts) => core.ended(facts) : undefined,
			onConnection: counted ? () => metrics.connected(name, 'http') : undefined,
			onConnectionEnd: counted ? (received, sent) => metrics.disconnected(name, 'http', received, sent) : undefined,
			admission: counted ? core.pressure.admission : null,
			ipv6: this.options.config.settings.ipv6,
		});
		if ('fault' in server) return { fault: 'start', message: server.message, remedy: server.remedy };
		this.servers.set(name, server);
		return null;
	}

	/** Opens the admin port, if there is to be one. */
	async openAdmin(core: Core): Promise<StartFault | null> {
		const address = this.options.config.settings.adminAddress;
		return address === null ? null : this.open('admin', address, (exchange) => core.admin.handle(exchange), core);
	}

	/** Real addresses by name. */
	addresses(): ReadonlyMap<string, readonly string[]> {
		return new Map([...this.servers].map(([key, server]) => [key, server.addresses]));
	}

	addressesOf(name: string): readonly string[] {
		return this.servers.get(name)?.addresses ?? [];
	}

	/** Stops accepting; resolves when what is in flight has ended. */
	close(): Promise<unknown> {
		for (const name of [...this.servers.keys()]) void this.closeOne(name);
		return Promise.all(this.closing);
	}

	/** Stops accepting on one port; resolves when what is in flight there has ended. */
	closeOne(name: string): Promise<void> {
		const { drainDeadline, drainMinimum } = this.options.config.settings;
		const server = this.servers.get(name);
		if (server === undefined) return Promise.resolve();
		this.servers.delete(name);
		const closed = server.close(drainDeadline, drainMinimum).finally(() => this.closing.delete(closed));
		this.closing.add(closed);
		const left = server.released.then(() => {
			if (this.leaving.get(name) === left) this.leaving.delete(name);
		});
		this.leaving.set(name, left);
		return closed;
	}

	/** Says in the log what is open, and how to get there. */
	announce(adminToken: string): void {
		const { logger, config } = this.options;
		for (const bind of config.binds) this.announceOne(bind.key);
		const shown = (name: string) =>
			this.addressesOf(name)[0]?.replace(/^(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):/, 'localhost:');
		const [stats, readiness, admin] = [shown('stats'), shown('readiness'), shown('admin')];
		if (stats !== undefined) logger.info(`Metrics available at http://${stats}/metrics`);
		if (readiness !== undefined) logger.info(`Readiness available at http://${readiness}/healthz/ready`);
		if (admin === undefined) return;
		logger.info(`Admin UI available at http://${admin}/ui/`);
		const address = config.settings.adminAddress;
		const open = address?.kind === 'tcp' && !['localhost', '127.0.0.1', '::1'].includes(address.host);
		if (open)
			logger.info(`Admin UI from elsewhere: http://<host>:${this.servers.get('admin')?.port}/ui/?token=${adminToken}`);
	}

	/** Says in the log that a bind is open. */
	announceOne(name: string): void {
		for (const address of this.addressesOf(name).slice(0, 1)) this.options.logger.info(`Listening on ${address}`);
	}
}
