import type { LogFields, LogLevel } from './log.ts';

/** Turns the parts of a line into text with its line break. `time` is RFC 3339. */
export interface LineFormat {
	line(time: string, level: LogLevel, scope: string, message: string, fields: LogFields | undefined): string;
	/** A line of which the fields are already written, as `access-log.ts` does. */
	prepared(time: string, level: LogLevel, scope: string, fields: string): string;
	readonly name: 'text' | 'json';
}
