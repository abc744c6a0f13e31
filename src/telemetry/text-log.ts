import { escapeText, escapeValue } from './escape.ts';
import type { LogFields, LogLevel } from './log.ts';
import type { LineFormat } from './log-line.ts';

/** `<time> <LEVEL> <scope>: <message> k=v …`, with colours when a person looks at it. */
export function textFormat(colours: boolean): LineFormat {
	const paint = colours
		? (code: number, text: string) => `\u001b[${code}m${text}\u001b[0m`
		: (_code: number, text: string) => text;
	const levels = new Map<LogLevel, string>();
	for (const level of Object.keys(levelColours) as LogLevel[])
		levels.set(level, paint(levelColours[level], level.toUpperCase()));
	const head = (time: string, level: LogLevel, scope: string) =>
		`${paint(2, time)} ${levels.get(level)} ${paint(2, `${scope}:`)}`;
	return {
		name: 'text',
		line: (time, level, scope, message, fields) =>
			`${head(time, level, scope)} ${escapeText(message)}${fields === undefined ? '' : textFields(fields)}\n`,
		prepared: (time, level, scope, fields) => `${head(time, level, scope)}${fields}\n`,
	};
}

const levelColours: Record<LogLevel, number> = { trace: 35, debug: 34, info: 32, warn: 33, error: 31 };

function textFields(fields: LogFields): string {
	let text = '';
	for (const key in fields) {
		const value = fields[key];
		if (value !== undefined) text += ` ${key}=${typeof value === 'string' ? escapeValue(value) : value}`;
	}
	return text;
}
