import { parseDuration } from '../duration.ts';
import type { McpLimits } from '../ir.ts';
import type { WrittenLimits } from '../schema/limits.ts';
import { parseSize } from '../size.ts';

/** The limits when none is written. */
export const defaultLimits: McpLimits = {
	maxBodySize: 4 * 1024 ** 2,
	maxResultSize: 64 * 1024 ** 2,
	maxLineSize: 16 * 1024 ** 2,
	maxCallsPerSession: 1000,
	maxListItems: 10_000,
	maxListPages: 100,
	maxStreamEvents: 1000,
	maxStreamBytes: 1024 ** 2,
	replayEvents: 1000,
	replayBytes: 4 * 1024 ** 2,
	maxIdBytes: 256,
	maxBatch: 50,
	maxSessions: 10_000,
	maxPooledSessions: 32,
	maxProcesses: 1000,
	maxProcessesPerPrincipal: null,
	vanishedTimeout: 2 * 60_000,
	parkTimeout: 5 * 60_000,
};

/** The `config.mcp.limits` section with defaults, in bytes and milliseconds. */
export function expandLimits(written: WrittenLimits): McpLimits {
	const {
		maxBodySize,
		maxResultSize,
		maxLineSize,
		maxStreamBytes,
		replayBytes,
		parkTimeout,
		vanishedTimeout,
		...counts
	} = written;
	const bytes = (value: number | string | undefined, default_: number): number =>
		value === undefined ? default_ : (parseSize(value) ?? default_);
	const milliseconds = (value: string | 0 | undefined, default_: number): number =>
		value === undefined ? default_ : (parseDuration(value) ?? default_);
	return {
		...defaultLimits,
		...counts,
		maxBodySize: bytes(maxBodySize, defaultLimits.maxBodySize),
		maxResultSize: bytes(maxResultSize, defaultLimits.maxResultSize),
		maxLineSize: bytes(maxLineSize, defaultLimits.maxLineSize),
		maxStreamBytes: bytes(maxStreamBytes, defaultLimits.maxStreamBytes),
		replayBytes: bytes(replayBytes, defaultLimits.replayBytes),
		maxProcessesPerPrincipal: counts.maxProcessesPerPrincipal ?? null,
		vanishedTimeout: milliseconds(vanishedTimeout, defaultLimits.vanishedTimeout),
		parkTimeout: milliseconds(parkTimeout, defaultLimits.parkTimeout),
	};
}
