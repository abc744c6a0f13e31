import type { Logger } from '../../src/telemetry/log.ts';

/** A logger for what a test does not look at. */
export const silent: Logger = {
	trace() {},
	debug() {},
	info() {},
	warn() {},
	error() {},
	enabled: () => false,
	scoped: () => silent,
};
