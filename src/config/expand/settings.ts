import { parseAddress } from '../address.ts';
import { parseDuration } from '../duration.ts';
import type { Address, Settings } from '../ir.ts';
import type { WrittenSettings } from '../schema/settings.ts';
import { addressFault } from '../schema/values.ts';
import type { Report } from '../report.ts';
import { expandLimits } from './limits.ts';
import type { Scope } from './scope.ts';

/** Timers run for 24 days at most; what is longer would run out at once. Some add a second to what is written. */
const longest = 2 ** 31 - 1 - 1000;
const LEVEL = /^(?:off|error|warn|info|debug|trace)$/i;

/**
 * The `config:` section with defaults; environment variables win over what is written. An empty variable counts as not
 * set. A wrong one is reported under its own name, as are log levels nobody knows.
 */
export function expandSettings(written: WrittenSettings, scope: Scope): Settings {
	const { report, context } = scope;
	const variable = <T>(
		name: string,
		read: (text: string) => T | undefined,
		fault: (text: string) => string,
		written_: T,
	): T => {
		const text = context.env[name];
		if (text === undefined || text === '') {
			return written_;
		}
		const value = read(text);
		if (value === undefined) {
			report.environment(name, fault(text));
			return written_;
		}
		return value;
	};
	const address = (name: string, text: string | undefined, default_: Address): Address | null =>
		variable(name, parseAddress, addressFault, text === undefined ? default_ : (parseAddress(text) ?? null));
	const milliseconds = (text: string | 0 | undefined, default_: number): number =>
		Math.min(longest, text === undefined ? default_ : (parseDuration(text) ?? default_));
	const deadline = (name: string, text: string | 0 | undefined, default_: number): number =>
		Math.min(longest, variable(name, readDuration, durationFault, milliseconds(text, default_)));
	const ipv6 = variable('IPV6_ENABLED', readFlag, (text) => `not true or false: "${text}"`, written.enableIpv6 ?? true);
	const anyHost = ipv6 ? '::' : '0.0.0.0';
	const { session, mcp, logging } = written;
	return {
		adminAddress: address('ADMIN_ADDR', written.adminAddr, { kind: 'tcp', host: 'localhost', port: 15_000 }),
		statsAddress: address('STATS_ADDR', written.statsAddr, { kind: 'tcp', host: anyHost, port: 15_020 }),
		readinessAddress: address('READINESS_ADDR', written.readinessAddr, { kind: 'tcp', host: anyHost, port: 15_021 }),
		ipv6,
		logLevel: context.env.RUST_LOG || writtenLevel(logging?.level, report),
		logFormat: variable(
			'LOG_FORMAT',
			readFormat,
			(text) => `expected text or json, got "${text}"`,
			logging?.format ?? 'text',
		),
		sessionKey: variable(
			'SESSION_KEY',
			readKey,
			() => 'must be 64 hex characters; make one with: openssl rand -hex 32',
			session?.key ?? null,
		),
		sessionTtl: milliseconds(mcp?.sessionTtl, 30 * 60_000),
		targetStartTimeout: milliseconds(mcp?.targetStartTimeout, 10_000),
		limits: expandLimits(mcp?.limits ?? {}),
		drainDeadline: deadline('CONNECTION_TERMINATION_DEADLINE', written.connectionTerminationDeadline, 5000),
		drainMinimum: deadline('CONNECTION_MIN_TERMINATION_DEADLINE', written.connectionMinTerminationDeadline, 0),
		publicUrl: written.publicUrl ?? null,
		allowedHosts: written.allowedHosts ?? [],
		adminToken: context.env.ADMIN_TOKEN || null,
	};
}

function writtenLevel(level: string | string[] | undefined, report: Report): string {
	const directives = (typeof level === 'string' ? [level] : (level ?? []))
		.flatMap((text) => text.split(','))
		.map((text) => text.trim());
	for (const directive of directives) {
		const wanted = directive.includes('=') ? directive.slice(directive.lastIndexOf('=') + 1) : directive;
		// A bare word may also name a module, which RUST_LOG switches on entirely; those have a scope in them.
		if (!LEVEL.test(wanted) && !/^agentgateway\b/.test(wanted) && !wanted.includes('::')) {
			const remedy = 'write error, warn, info, debug, trace or off, alone or as module=level';
			report.problem(['config', 'logging', 'level'], `unknown log level "${wanted}"`, remedy);
		}
	}
	return directives.length === 0 ? 'info' : directives.join(',');
}

function readDuration(text: string): number | undefined {
	return parseDuration(text) ?? undefined;
}

function durationFault(text: string): string {
	return `not a duration: "${text}"; write it with units, such as 5s`;
}

function readFlag(text: string): boolean | undefined {
	return text === 'true' ? true : text === 'false' ? false : undefined;
}

function readFormat(text: string): 'text' | 'json' | undefined {
	return text === 'text' || text === 'json' ? text : undefined;
}

function readKey(text: string): string | undefined {
	return /^[0-9a-fA-F]{64}$/.test(text) ? text : undefined;
}
