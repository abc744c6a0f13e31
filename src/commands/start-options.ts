import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { GatewayOptions } from '../runtime/core.ts';
import { accessLog } from '../telemetry/access-log.ts';
import { version } from '../version.ts';
import type { Chosen } from './config.ts';
import type { CommandLog } from './logging.ts';

/** What a gateway of this process starts with, however it is reached. */
export function startOptions(chosen: Chosen, log: CommandLog): GatewayOptions {
	const uiRoot = fileURLToPath(new URL('./ui', import.meta.url));
	return {
		config: chosen.config,
		document: chosen.document,
		source: chosen.source,
		file: chosen.file,
		version,
		logger: log.logger,
		accessLog: accessLog(log.core),
		env: process.env,
		droppedLogLines: () => log.dropped(),
		uiRoot: existsSync(uiRoot) ? uiRoot : null,
	};
}

/** Why a gateway did not start, as a line for stderr. */
export function startFaultLine({ message, remedy }: { readonly message: string; readonly remedy: string }): string {
	return `error: ${message}${remedy === '' ? '' : `; ${remedy}`}\n`;
}
