import type { Exchange, Refusal } from './exchange.ts';

/** Is told of faults: what was thrown where only values were expected. The text goes to the log, never to a client. */
export type ReportFault = (fault: unknown, exchange: Exchange) => void;

/** Answers with a refusal as `text/plain`. The one place where refusals become replies. */
export function replyRefusal(exchange: Exchange, refusal: Refusal): void {
	exchange.facts.reason = refusal.reason;
	const headers = ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff'];
	if (refusal.headers !== undefined) headers.push(...refusal.headers);
	exchange.respond(refusal.status, headers, refusal.message);
}

/**
 * Answers a thrown fault with 500 `internal error`, and hands the fault itself to `report`. A reply that has begun
 * cannot be taken back; then the report is all there is.
 */
export function replyFault(
	exchange: Exchange & { readonly replied: boolean },
	fault: unknown,
	report: ReportFault,
): void {
	exchange.expiring?.broke?.();
	exchange.facts.reason = 'Internal';
	exchange.facts.error = 'internal error';
	report(fault, exchange);
	if (exchange.replied) return;
	exchange.respond(500, ['content-type', 'text/plain; charset=utf-8'], 'internal error');
}
