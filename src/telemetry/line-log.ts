import { escapeJson } from './escape.ts';
import type { LogFields, Logger, LogLevel } from './log.ts';
import { type LogFilter, logLevels } from './log-filter.ts';
import type { LineFormat } from './log-line.ts';
import { Timestamps, type WallClock, wallClock } from './timestamp.ts';
import type { LineWriter } from './write-log.ts';

/** What all loggers of a program share. */
export interface LogOptions {
	format: LineFormat;
	filter: LogFilter;
	writer: LineWriter;
	now?: WallClock;
	/** Values that must never be written; each is replaced by `***`. Shorter than 8 characters are left alone. */
	secrets?: readonly string[];
}

/** A logger that writes lines. */
export class LineLog implements Logger {
	private readonly core: LogCore;
	private readonly scope: string;
	private readonly threshold: number;

	constructor(core: LogCore, scope = 'agentgateway') {
		this.core = core;
		this.scope = scope;
		this.threshold = core.filter.threshold(scope);
	}

	trace(message: string, fields?: LogFields): void {
		if (this.threshold <= 0) this.core.write('trace', this.scope, message, fields);
	}

	debug(message: string, fields?: LogFields): void {
		if (this.threshold <= 1) this.core.write('debug', this.scope, message, fields);
	}

	info(message: string, fields?: LogFields): void {
		if (this.threshold <= 2) this.core.write('info', this.scope, message, fields);
	}

	warn(message: string, fields?: LogFields): void {
		if (this.threshold <= 3) this.core.write('warn', this.scope, message, fields);
	}

	error(message: string, fields?: LogFields): void {
		if (this.threshold <= 4) this.core.write('error', this.scope, message, fields);
	}

	enabled(level: LogLevel): boolean {
		return logLevels.indexOf(level) >= this.threshold;
	}

	scoped(scope: string): Logger {
		return new LineLog(this.core, scope);
	}
}

/** The way from a line's parts to its writer, the same for the program's log and the access log. */
export class LogCore {
	readonly filter: LogFilter;
	readonly format: LineFormat;
	private readonly writer: LineWriter;
	private readonly now: WallClock;
	private readonly secrets: readonly string[];
	private readonly timestamps = new Timestamps();

	constructor(options: LogOptions) {
		this.filter = options.filter;
		this.format = options.format;
		this.writer = options.writer;
		this.now = options.now ?? wallClock();
		const secrets = (options.secrets ?? []).filter((secret) => secret.length >= 8);
		// Lines are searched when they are finished, and there a secret may stand escaped.
		this.secrets = [...new Set(secrets.flatMap((secret) => [secret, escapeJson(secret).slice(1, -1)]))];
	}

	write(level: LogLevel, scope: string, message: string, fields: LogFields | undefined): void {
		this.put(this.format.line(this.timestamps.format(this.now()), level, scope, message, fields));
	}

	/** Writes a line of which the fields are already text in the format's own notation. */
	writePrepared(level: LogLevel, scope: string, fields: string): void {
		this.put(this.format.prepared(this.timestamps.format(this.now()), level, scope, fields));
	}

	private put(line: string): void {
		let text = line;
		for (const secret of this.secrets) if (text.includes(secret)) text = text.replaceAll(secret, '***');
		this.writer.write(text);
	}
}
