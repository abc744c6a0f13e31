import type { TransportFault } from './transport.ts';

/** So much of the body of an error is kept for the message. */
export const maximumFaultBytes = 64 * 1024;

/** A broken connection in words for a person. */
export function ioFault(url: URL, error: Error): TransportFault {
	const code = (error as NodeJS.ErrnoException).code ?? '';
	const where = `${url.protocol}//${url.host}`;
	if (code === 'ECONNREFUSED') return unreachable(`connection to ${where} was refused`);
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return unreachable(`host ${url.hostname} was not found`);
	if (code === 'UND_ERR_CONNECT_TIMEOUT') return unreachable(`connection to ${where} timed out`);
	if (code === 'EMFILE' || code === 'ENFILE') {
		const reason = `connection to ${where} was not opened: too many open files`;
		return { kind: 'io', reason, remedy: 'Raise the limit of open files (ulimit -n).', neverRan: true };
	}
	return { kind: 'io', reason: `connection to ${where} broke: ${error.message}`, remedy: '' };
}

/** There was no connection, so nothing was sent. */
function unreachable(reason: string): TransportFault {
	const remedy = 'Check that the server runs and that the URL of the target is right.';
	return { kind: 'io', reason, remedy, neverRan: true };
}

/** A fault in what a server sent. */
export function replyFault(reason: string, remedy = ''): TransportFault {
	return { kind: 'io', reason, remedy, answered: true };
}

/** The same fault for a request that a handler may have seen in spite of it, such as one whose answer is fetched later. */
export function mayHaveRun(fault: TransportFault): TransportFault {
	const { neverRan: _, ...rest } = fault;
	return rest;
}
