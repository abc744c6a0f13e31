/** What a gateway is given to keep to itself; no log, reply or dump may show it. */
export const canaries = { OTLP_HEADERS: 'authorization=canary-secret-otlp' } as const;

/** Any secret of a test begins so. */
export const canary = /canary-secret-[a-z]+/;

const forbidden: readonly RegExp[] = [/^\s+at .+:\d+:\d+\)?$/, /internal error|unhandled|uncaught/i, canary];

/** Lines that no log may contain: stack traces, unhandled rejections, secrets. `allow`: provoked on purpose. */
export function faultsIn(log: string, allow?: RegExp): string[] {
	const suspects = log.split('\n').filter((line) => forbidden.some((pattern) => pattern.test(line)));
	return allow === undefined ? suspects : suspects.filter((line) => !allow.test(line));
}
