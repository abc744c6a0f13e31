import { isDeepStrictEqual } from 'node:util';
import type { McpLimits, Settings } from '../config/ir.ts';

/** Where each setting is written. All of them are read at the start only. */
const written: Readonly<Record<Exclude<keyof Settings, 'limits'>, string>> = {
	adminAddress: 'config.adminAddr',
	statsAddress: 'config.statsAddr',
	readinessAddress: 'config.readinessAddr',
	ipv6: 'config.enableIpv6',
	logLevel: 'config.logging.level',
	logFormat: 'config.logging.format',
	sessionKey: 'config.session.key',
	sessionTtl: 'config.mcp.sessionTtl',
	targetStartTimeout: 'config.mcp.targetStartTimeout',
	drainDeadline: 'config.connectionTerminationDeadline',
	drainMinimum: 'config.connectionMinTerminationDeadline',
	publicUrl: 'config.publicUrl',
	allowedHosts: 'config.allowedHosts',
	adminToken: 'ADMIN_TOKEN',
};

/** Names of the settings in which a configuration differs from that of the start. */
export function startSettings(started: Settings, next: Settings): string[] {
	const names: string[] = [];
	for (const key of Object.keys(written) as (keyof typeof written)[]) {
		if (!isDeepStrictEqual(started[key], next[key])) names.push(written[key]);
	}
	for (const key of Object.keys(next.limits) as (keyof McpLimits)[]) {
		if (started.limits[key] !== next.limits[key]) names.push(`config.mcp.limits.${key}`);
	}
	return names;
}
