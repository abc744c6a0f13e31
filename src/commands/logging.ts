import type { Writable } from 'node:stream';
import type { GatewayConfig } from '../config/ir.ts';
import { jsonFormat } from '../telemetry/json-log.ts';
import { LineLog, LogCore } from '../telemetry/line-log.ts';
import { parseLogFilter } from '../telemetry/log-filter.ts';
import { textFormat } from '../telemetry/text-log.ts';
import { Timestamps, wallClock } from '../telemetry/timestamp.ts';
import { StreamWriter } from '../telemetry/write-log.ts';
import { version } from '../version.ts';
import type { Chosen } from './config.ts';

/** How long the last log lines may take to leave. */
const logDrainMs = 500;

/** The log of a command that runs. */
export interface CommandLog {
	readonly logger: LineLog;
	readonly core: LogCore;
	/** Lines that were thrown away. */
	dropped(): number;
	/** Writes what is left, at once. */
	flush(): void;
	/** Lets what is left go out. False: nobody reads it. */
	drain(): Promise<boolean>;
}

/** Opens the log as the configuration wants it, with the lines that every start has. */
export function openLog(chosen: Chosen, stream: Writable & { fd?: number; isTTY?: boolean }): CommandLog {
	const { settings, warnings } = chosen.config;
	const filter = parseLogFilter(settings.logLevel);
	const format =
		settings.logFormat === 'json'
			? jsonFormat
			: textFormat(stream.isTTY === true && process.env['NO_COLOR'] === undefined);
	const [clock, times] = [wallClock(), new Timestamps()];
	const writer = new StreamWriter(stream, (dropped) =>
		format.line(
			times.format(clock()),
			'warn',
			'agentgateway',
			`${dropped} log lines were dropped because they could not be written`,
			undefined,
		),
	);
	const core = new LogCore({ format, filter, writer, secrets: secretsOf(chosen.config) });
	const logger = new LineLog(core);
	process.on('exit', () => writer.flush());
	// A warning of node that nobody can read is no reason to end.
	process.stderr.on('error', () => {});
	for (const directive of filter.unread)
		logger.warn(`log level "${directive}" is not understood`, { remedy: 'write info, debug or scope=level' });
	logger.info(`version: ${version}`);
	logger.info(`loaded config from ${chosen.source}`);
	for (const { file, line, path, message, remedy } of warnings)
		logger.warn(`${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`, { remedy: remedy || undefined });
	return {
		logger,
		core,
		dropped: () => writer.dropped,
		flush: () => writer.flush(),
		drain: () => writer.drain(logDrainMs),
	};
}

function secretsOf({ settings }: GatewayConfig): string[] {
	return [settings.sessionKey, settings.adminToken].filter((secret) => secret !== null);
}
