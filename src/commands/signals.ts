import { isatty } from 'node:tty';
import type { Logger } from '../telemetry/log.ts';

/** A terminal sends SIGHUP when it closes, and then it means the end; so it does for what does not serve. */
export function endOnHangup(serves: boolean): void {
	// `bin/` listens to it from the first moment on.
	if (!serves || isatty(0)) process.removeAllListeners('SIGHUP');
}

/** SIGHUP reads the configuration anew from now on. Before, there was no need: the end of a start does. */
export function reloadOnHangup(reload: () => Promise<unknown>): void {
	if (!isatty(0)) process.on('SIGHUP', () => void reload());
}

/** SIGUSR1, by which node would open a debugger, does nothing and is told so; `bin/` listens to it from the first moment on. */
export function refuseDebugger(logger: Logger): void {
	process.on('SIGUSR1', () =>
		logger.warn('SIGUSR1 is not supported', { remedy: 'for a debugger, start it with node --inspect' }),
	);
}

/** A terminal sends Ctrl-C to the gateway and to npm, which passes it on: what comes so soon after the first is the same. */
const sameMs = 500;

/** The first SIGTERM or SIGINT. A second one ends the process at once; the watchdog ends the children then. */
export function untilSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		let since: number | null = null;
		const take = (signal: NodeJS.Signals) => {
			if (since !== null && performance.now() - since > sameMs) process.exit(signal === 'SIGINT' ? 130 : 143);
			since ??= performance.now();
			resolve(signal);
		};
		process.on('SIGINT', take);
		process.on('SIGTERM', take);
	});
}

/** So long after the drain deadline the process ends, whatever still hangs. */
const lastMs = 700;

/**
 * Ends the process soon after the drain deadline if it has not ended by itself by then: a child that ignores SIGTERM, or
 * a server that does not answer, shall not hold it up. The watchdog ends the children that are left. `late` says so.
 */
export function endAfter(drainDeadline: number, late: () => void): void {
	const timer = setTimeout(() => {
		late();
		process.exit(0);
	}, drainDeadline + lastMs);
	timer.unref();
}
