import type { Printed } from '../../processes/process-output.ts';
import type { Failure } from '../model.ts';

/** A command may have to be downloaded first (uvx, npx); an HTTP server is there or is not. */
const usualStartMs = { process: 120_000, http: 30_000 } as const;

/** Milliseconds until a connection must stand. */
export function startLimit(options: { readonly overHttp: boolean; readonly startTimeout?: number }): number {
	return options.startTimeout ?? (options.overHttp ? usualStartMs.http : usualStartMs.process);
}

/** Why a connection that does not stand after so many milliseconds is given up. */
export function notInTime(limit: number): Failure {
	const remedy = 'If it only needs longer to start, raise startTimeout of the target.';
	return { reason: `it did not answer within ${limit / 1000} s`, remedy, exitCode: null, signal: null, stderr: [] };
}

/**
 * A failed start with what the process printed. That is for the log and the admin port, as it may hold anything; the
 * reason, which clients read, only says that there is something.
 */
export function withPrinted(failure: Failure, { stderr, stray }: Printed): Failure {
	const told = failure.stderr.length > 0 ? failure.stderr : stderr;
	if (stray.length > 0) {
		const reason = `${failure.reason}; it had written to stdout what is no message`;
		const remedy = `Stdout is for messages alone: let it log to stderr. ${failure.remedy}`.trim();
		return { ...failure, reason, remedy, stderr: [...told, ...stray.map((line) => `stdout: ${line}`)] };
	}
	if (told.length === 0 || told === failure.stderr) return failure;
	return { ...failure, stderr: told, remedy: `Look at the last lines that it printed. ${failure.remedy}`.trim() };
}
