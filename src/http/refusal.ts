import type { Refusal } from './exchange.ts';

/** Makes a refusal: an HTTP status, the text that the client reads, and the `reason` of the metrics. */
export function refuse(status: number, message: string, reason: string, headers?: readonly string[]): Refusal {
	return headers === undefined
		? { refused: true, status, message, reason }
		: { refused: true, status, message, reason, headers };
}

/** Whether a value is a refusal. */
export function isRefusal(value: unknown): value is Refusal {
	return typeof value === 'object' && value !== null && (value as { refused?: unknown }).refused === true;
}
