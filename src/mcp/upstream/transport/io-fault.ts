import type { TransportFault } from './transport.ts';

/** So much of the body of an error is kept for the message. */
export const maximumFaultBytes = 64 * 1024;

/** The code of an error: no connection became free for a request. */
export const allBusy = 'ALL_BUSY';

/** A broken connection in words for a person. Clients are told the words, the log also where it was. */
export function ioFault(url: URL, error: Error): TransportFault {
	const { code = '', syscall } = error as NodeJS.ErrnoException;
	const where = `${url.protocol}//${url.host}: ${error.message === '' ? code : error.message}`;
	if (code === 'ECONNREFUSED') return unreachable('the connection was refused', where);
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return unreachable('its host was not found', where);
	if (code === 'UND_ERR_CONNECT_TIMEOUT') return unreachable('the connection timed out', where);
	if (code === 'EMFILE' || code === 'ENFILE') {
		const reason = 'the connection was not opened: too many open files';
		const remedy = 'Raise the limit of open files (ulimit -n).';
		return { kind: 'io', reason, remedy, where, neverRan: true, retryAfter: 1 };
	}
	if (code === allBusy) {
		// Not tried again, as if it had been answered: it would wait as long once more, behind all others.
		const reason = 'it has too many calls under way';
		return { kind: 'io', reason, remedy: '', where, answered: true, retryAfter: 5 };
	}
	if (syscall === 'connect') return unreachable(`there is no connection to it (${code})`, where);
	// The words of the system hold addresses, those of the HTTP client do not.
	const detail = code === '' || code.startsWith('UND_') ? error.message : code;
	return { kind: 'io', reason: `the connection broke: ${detail}`, remedy: '', where };
}

/** There was no connection, so nothing was sent. */
function unreachable(reason: string, where: string): TransportFault {
	const remedy = 'Check that the server runs and that the URL of the target is right.';
	return { kind: 'io', reason, remedy, where, neverRan: true };
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
