/** How grave a line is, most talkative first. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Further facts of a line, printed as `k=v` or as JSON members. `undefined` values are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where the program says what happens. One is made in `commands/logging.ts` and handed down. */
export interface Logger {
	trace(message: string, fields?: LogFields): void;
	debug(message: string, fields?: LogFields): void;
	info(message: string, fields?: LogFields): void;
	warn(message: string, fields?: LogFields): void;
	error(message: string, fields?: LogFields): void;
	/** Whether a line of this level would be written; ask before building costly fields. */
	enabled(level: LogLevel): boolean;
	/** The same logger with another scope, such as `agentgateway::mcp`. */
	scoped(scope: string): Logger;
}
