/**
 * Whether a fault of the system passes by itself, so that the same is worth trying again: there are no descriptors, threads
 * or memory left, a disk or a server of files does not answer, something took too long.
 */
export function isPassingFault(error: unknown): boolean {
	return error instanceof Error && 'code' in error && passing.has(String(error.code));
}

const passing = new Set([
	'EMFILE',
	'ENFILE',
	'EIO',
	'EAGAIN',
	'ENOMEM',
	'ESTALE',
	'ETIMEDOUT',
	// Of Node: a thread could not begin.
	'ERR_WORKER_INIT_FAILED',
]);
