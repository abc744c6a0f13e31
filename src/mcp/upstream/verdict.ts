import type { Scanned } from '../../lib/json-scan.ts';
import { memberOf, textOf } from './message.ts';
import type { TransportFault } from './transport/transport.ts';

/** Credentials and pressure say nothing about eras. */
const withoutVerdict: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/** Whether a server answered, and so that it does not know what it was asked. */
export function saysNo(fault: TransportFault): boolean {
	if (fault.kind === 'http') return refusesGreeting(fault.status);
	return fault.kind === 'io' && fault.answered === true;
}

/** Whether an HTTP status says that a server does not want to be greeted so. */
export function refusesGreeting(status: number): boolean {
	return status < 500 && !withoutVerdict.has(status);
}

/** What servers answer to a POST where only a stream is. */
export const notPostable: ReadonlySet<number> = new Set([400, 404, 405]);

/** The answer to a greeting that was none, in words for a person. */
export function refusal(method: string, scanned: Scanned): { reason: string; remedy: string } {
	const error = memberOf(scanned.members, 'error');
	const said = error === null ? '' : `: ${textOf(scanned, error).toString('utf8', 0, 800).slice(0, 200)}`;
	return { reason: `it did not accept ${method}${said}`, remedy: 'Check that the target is an MCP server.' };
}
