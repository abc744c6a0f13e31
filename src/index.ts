import { loadConfig } from './config/load.ts';
import { renderProblems } from './config/render.ts';
import { type Gateway, startGateway } from './runtime/gateway.ts';
import type { AccessLog } from './telemetry/access-log.ts';
import type { Logger } from './telemetry/log.ts';
import { version } from './version.ts';

export type { Gateway } from './runtime/gateway.ts';
export type { StateSnapshot } from './admin/state.ts';

/** What an embedding program may set beside the configuration. */
export interface CreateGatewayOptions {
	/** Default: nothing is logged. */
	logger?: Logger;
	accessLog?: AccessLog;
	/** For `$NAME` in the configuration and for child processes. Default `process.env`. */
	env?: Readonly<Record<string, string | undefined>>;
	/** Folder of the admin UI's files. Default: the admin port serves only its API. */
	uiRoot?: string;
}

/**
 * Starts a gateway inside this process from configuration text (YAML or JSON, as in a file).
 * Throws an `Error` whose message lists every problem when the configuration is wrong or a port is taken.
 */
export async function createGateway(config: string, options: CreateGatewayOptions = {}): Promise<Gateway> {
	const env = options.env ?? process.env;
	const loaded = loadConfig({ name: '<config>', text: config }, { env: { ...env }, foreseenFault: () => null });
	if (!loaded.ok) throw new Error(renderProblems(loaded.problems, { color: false }));
	const gateway = await startGateway({
		config: loaded.config,
		document: loaded.document,
		source: '<config>',
		file: null,
		version,
		logger: options.logger ?? silent,
		accessLog: options.accessLog ?? null,
		env,
		uiRoot: options.uiRoot ?? null,
	});
	if ('fault' in gateway)
		throw new Error(gateway.remedy === '' ? gateway.message : `${gateway.message}; ${gateway.remedy}`);
	return gateway;
}

const silent: Logger = {
	trace() {},
	debug() {},
	info() {},
	warn() {},
	error() {},
	enabled: () => false,
	scoped: () => silent,
};
