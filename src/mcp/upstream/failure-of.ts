import { code, mcpError } from '../errors.ts';
import type { Failure, McpError } from '../model.ts';
import type { TransportFault } from './transport/transport.ts';

/** A transport's fault in words for a person. */
export function failureOf(fault: TransportFault): Failure {
	if (fault.kind === 'process') return fault;
	const none = { exitCode: null, signal: null, stderr: [] };
	if (fault.kind === 'io') {
		const { reason, remedy, where, retryAfter } = fault;
		const more = { ...(where === undefined ? {} : { where }), ...(retryAfter === undefined ? {} : { retryAfter }) };
		return { reason, remedy, ...more, ...none };
	}
	const text = fault.body.toString('utf8', 0, 200).trim();
	const remedy =
		fault.status === 401 || fault.status === 403
			? 'The server wants credentials; targets with credentials are not supported by this version.'
			: 'Check the URL of the target.';
	return { reason: `it answered HTTP ${fault.status}${text === '' ? '' : `: ${text}`}`, remedy, ...none };
}

/** The error of a call that got no answer. */
export function unanswered(target: string, { reason, retryAfter }: Pick<Failure, 'reason' | 'retryAfter'>): McpError {
	const error = mcpError(code.internal, `target "${target}" did not answer: ${reason}`, target);
	return retryAfter === undefined ? error : { ...error, retryAfter };
}

/** Servers without a handshake ask with their result, never in the middle of a call. */
export function asksOutOfPlace(target: string, method: string): McpError {
	const message = `target "${target}" sent the request ${method} in the middle of a call; its era returns input_required instead`;
	return mcpError(code.internal, message, target);
}
