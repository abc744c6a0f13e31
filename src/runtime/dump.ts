import type { GatewayConfig } from '../config/ir.ts';

/** The running configuration in the members that agentgateway's `/config_dump` has. Secrets are masked by the caller. */
export function configDump(config: GatewayConfig, version: string): unknown {
	const routes = config.binds.flatMap((bind) => bind.listeners.flatMap((listener) => listener.routes));
	return {
		version,
		config: config.settings,
		binds: config.binds.map((bind) => ({
			key: bind.key,
			address: `0.0.0.0:${bind.port}`,
			protocol: 'http',
			tunnelProtocol: 'direct',
			mode: 'standard',
			listeners: Object.fromEntries(bind.listeners.map((listener) => [listener.name, listener])),
		})),
		routes,
		policies: [],
		backends: routes.flatMap((route) => route.backends.map(({ backend }) => backend)),
		services: [],
		workloads: [],
		models: [],
	};
}
