import type { LogLevel } from './log.ts';

/** Levels in order, most talkative first. */
export const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** Which lines are written. */
export interface LogFilter {
	/** The least grave level that is written for a scope, as its place in `logLevels`; 5 writes nothing. */
	threshold(scope: string): number;
	/** Directives that could not be read, in the words of the user. */
	readonly unread: readonly string[];
}

/**
 * Reads RUST_LOG syntax: `info`, `warn,agentgateway::mcp=debug`, `off`. The longest scope wins, whole segments only;
 * without a directive for everything, what nobody named is written from `error` on.
 */
export function parseLogFilter(text: string): LogFilter {
	const scopes: { scope: string; level: number }[] = [];
	const unread: string[] = [];
	let fallback = -1;
	for (const directive of text.split(',').map((part) => part.trim())) {
		if (directive === '') continue;
		const equals = directive.indexOf('=');
		const level = levelOf(equals < 0 ? directive : directive.slice(equals + 1));
		const scope = equals < 0 ? directive : directive.slice(0, equals).trim();
		if (equals < 0 && level >= 0) fallback = level;
		else if (/^[\w:.-]+$/.test(scope) && (equals < 0 || level >= 0)) scopes.push({ scope, level: Math.max(level, 0) });
		else unread.push(directive);
	}
	if (fallback < 0) fallback = scopes.length > 0 ? logLevels.indexOf('error') : logLevels.indexOf('info');
	scopes.sort((a, b) => b.scope.length - a.scope.length);
	return {
		unread,
		threshold: (scope) => scopes.find((one) => covers(one.scope, scope))?.level ?? fallback,
	};
}

function covers(wanted: string, scope: string): boolean {
	return scope === wanted || scope.startsWith(`${wanted}::`);
}

/** -1 when it is no level. */
function levelOf(text: string): number {
	const lower = text.trim().toLowerCase();
	if (lower === 'off') return logLevels.length;
	return logLevels.indexOf((lower === 'warning' ? 'warn' : lower) as LogLevel);
}
