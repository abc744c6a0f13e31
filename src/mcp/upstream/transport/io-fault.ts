import type { TransportFault } from './transport.ts';

/** A broken connection in words for a person. */
export function ioFault(url: URL, error: Error): TransportFault {
	const code = (error as NodeJS.ErrnoException).code ?? '';
	const where = `${url.protocol}//${url.host}`;
	const check = 'Check that the server runs and that the URL of the target is right.';
	if (code === 'ECONNREFUSED') return { kind: 'io', reason: `connection to ${where} was refused`, remedy: check };
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
		return { kind: 'io', reason: `host ${url.hostname} was not found`, remedy: check };
	if (code === 'UND_ERR_CONNECT_TIMEOUT')
		return { kind: 'io', reason: `connection to ${where} timed out`, remedy: check };
	return { kind: 'io', reason: `connection to ${where} broke: ${error.message}`, remedy: '' };
}
