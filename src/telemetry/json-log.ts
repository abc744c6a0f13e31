import { escapeJson } from './escape.ts';
import type { LogFields } from './log.ts';
import type { LineFormat } from './log-line.ts';

/** One JSON object per line: `level`, `time`, `scope`, `message`, then the fields. */
export const jsonFormat: LineFormat = {
	name: 'json',
	line: (time, level, scope, message, fields) =>
		`{"level":"${level}","time":"${time}","scope":${escapeJson(scope)},"message":${escapeJson(message)}${fields === undefined ? '' : jsonFields(fields)}}\n`,
	prepared: (time, level, scope, fields) =>
		`{"level":"${level}","time":"${time}","scope":${escapeJson(scope)}${fields}}\n`,
};

function jsonFields(fields: LogFields): string {
	let text = '';
	for (const key in fields) {
		const value = fields[key];
		if (value === undefined) continue;
		text += `,${escapeJson(key)}:${jsonValue(value)}`;
	}
	return text;
}

function jsonValue(value: string | number | boolean): string {
	if (typeof value === 'string') return escapeJson(value);
	return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value);
}
