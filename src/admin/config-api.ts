import type { Exchange } from '../http/exchange.ts';
import type { ConfigWrite, ConfigWritten } from './config-write.ts';
import { writeConfig } from './config-writing.ts';
import { maskSecrets } from './mask.ts';
import { apiError, sendError, sendJson, sendText } from './replies.ts';

/** What `/api/runtime` tells of the program. */
export interface BuildInfo {
	version: string;
	/** Commit of the build; empty when unknown. */
	gitRevision: string;
	/** `release` or `debug` */
	buildProfile: string;
	/** Such as `linux-x64`. */
	buildTarget: string;
	/** Such as `20.20.2`. */
	nodeVersion: string;
}

export interface ConfigApiDeps {
	configDump(): unknown;
	configDocument(): unknown;
	/** Tag of the text that the document was read from. */
	configTag(): string;
	/** null: the configuration stands in no file. */
	writeConfig: ((write: ConfigWrite) => Promise<ConfigWritten>) | null;
	/** Whether the request has shown the admin token. */
	isTrusted(exchange: Exchange): boolean;
	buildInfo: BuildInfo;
	adminToken: string;
	secrets: readonly string[];
	logLevel(): string;
	setLogLevel?(level: string): boolean;
}

/** What can be asked of configuration, program and log, in the form that agentgateway's own UI and scripts read. */
export interface ConfigApi {
	/** GET /config_dump */
	dump(exchange: Exchange): void;
	/** GET /config and /api/config */
	document(exchange: Exchange): void;
	/** POST and PUT /config and /api/config */
	write(exchange: Exchange): void;
	/** GET /api/runtime */
	runtime(exchange: Exchange): void;
	/** GET /logging */
	logLevel(exchange: Exchange): void;
	/** POST /logging?level=… */
	setLogLevel(exchange: Exchange): void;
}

/** Makes the handlers for configuration, runtime and logging. */
export function createConfigApi(deps: ConfigApiDeps): ConfigApi {
	const mask = (value: unknown) => maskSecrets(value, [deps.adminToken, ...deps.secrets]);
	const showLevel = (exchange: Exchange) => sendText(exchange, 200, `current log level is ${deps.logLevel()}`);
	return {
		dump: (exchange) => sendJson(exchange, 200, mask(deps.configDump()), 2),
		// Anyone on this machine can read this port over loopback, even who may not read the file.
		document(exchange) {
			const document = deps.configDocument();
			const tag = ['etag', `"${deps.configTag()}"`];
			if (document === null) sendError(exchange, 409, noDocument, tag);
			else sendJson(exchange, 200, mask(document), 2, tag);
		},
		write: (exchange) => writeConfig(exchange, deps, mask),
		runtime: (exchange) =>
			sendJson(exchange, 200, {
				build: deps.buildInfo,
				ui: { gatewayMode: 'standalone', configStoreMode: 'file' },
			}),
		logLevel: showLevel,
		setLogLevel(exchange) {
			if (deps.setLogLevel === undefined) {
				sendError(exchange, 501, noLevel);
				return;
			}
			const level = new URLSearchParams(exchange.query).get('level');
			if (level === null || deps.setLogLevel(level)) showLevel(exchange);
			else sendError(exchange, 400, badLevel);
		},
	};
}

const noDocument = apiError(
	'The configuration is YAML only once its variables are expanded, so that it cannot be shown as it is written.',
	'Quote the variables in the file: "${NAME}".',
);
const noLevel = apiError(
	'The log level cannot be changed while the gateway runs.',
	'Set RUST_LOG or `config.logging.level` and restart.',
);

const badLevel = apiError('This is not a log level.', 'Use trace, debug, info, warn or error.');
