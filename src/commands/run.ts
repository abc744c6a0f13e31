import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CliOptions } from './options.ts';
import { startGateway } from '../runtime/gateway.ts';
import { accessLog } from '../telemetry/access-log.ts';
import { jsonFormat } from '../telemetry/json-log.ts';
import { LineLog, LogCore } from '../telemetry/line-log.ts';
import { parseLogFilter } from '../telemetry/log-filter.ts';
import { textFormat } from '../telemetry/text-log.ts';
import { Timestamps, wallClock } from '../telemetry/timestamp.ts';
import { StreamWriter } from '../telemetry/write-log.ts';
import { version } from '../version.ts';
import { type Chosen, chooseConfig } from './config.ts';

/** How long the last log lines may take to leave. */
const logDrainMs = 500;

/** Runs the gateway until a signal ends it. Resolves with the exit code. */
export async function run(options: CliOptions): Promise<number> {
	const chosen = await chooseConfig(options);
	if (chosen === null) return 1;
	const { settings, warnings } = chosen.config;
	const filter = parseLogFilter(settings.logLevel);
	const format =
		settings.logFormat === 'json'
			? jsonFormat
			: textFormat(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
	const [clock, times] = [wallClock(), new Timestamps()];
	const writer = new StreamWriter(process.stdout, (dropped) =>
		format.line(
			times.format(clock()),
			'warn',
			'agentgateway',
			`${dropped} log lines were dropped because nobody read them`,
			undefined,
		),
	);
	const secrets = [settings.sessionKey, settings.adminToken].filter((secret) => secret !== null);
	const core = new LogCore({ format, filter, writer, secrets });
	const logger = new LineLog(core);
	process.on('exit', () => writer.flush());
	for (const directive of filter.unread)
		logger.warn(`log level "${directive}" is not understood`, { remedy: 'write info, debug or scope=level' });
	logger.info(`version: ${version}`);
	logger.info(`loaded config from ${chosen.source}`);
	for (const { file, line, path, message, remedy } of warnings)
		logger.warn(`${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`, { remedy: remedy || undefined });
	const gateway = await start(chosen, logger, core);
	if ('fault' in gateway) {
		writer.flush();
		process.stderr.write(`error: ${gateway.message}${gateway.remedy === '' ? '' : `; ${gateway.remedy}`}\n`);
		return 1;
	}
	const signal = await untilSignal();
	logger.info(`${signal}: draining, at most ${settings.drainDeadline} ms`);
	await gateway.close();
	logger.info('stopped');
	await writer.drain(logDrainMs);
	return 0;
}

function start(chosen: Chosen, logger: LineLog, core: LogCore): ReturnType<typeof startGateway> {
	const uiRoot = fileURLToPath(new URL('./ui', import.meta.url));
	return startGateway({
		config: chosen.config,
		document: chosen.document,
		source: chosen.source,
		version,
		logger,
		accessLog: accessLog(core),
		env: process.env,
		uiRoot: existsSync(uiRoot) ? uiRoot : null,
	});
}

/** The first SIGTERM or SIGINT. A second one ends the process at once; the watchdog ends the children then. */
function untilSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		let first = true;
		const take = (signal: NodeJS.Signals) => {
			if (!first) process.exit(signal === 'SIGINT' ? 130 : 143);
			first = false;
			resolve(signal);
		};
		process.on('SIGINT', take);
		process.on('SIGTERM', take);
	});
}
