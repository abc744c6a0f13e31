import { awayError } from '../errors.ts';
import type { Failure, McpError, Target } from '../model.ts';

/** What is known of a connection that is away (`Leg`). */
export interface Away {
	readonly target: Target;
	readonly state: 'starting' | 'ready' | 'failed';
	readonly failure: Failure | null;
	readonly awaySince: Date;
	/** When the next start is made, on the monotonic clock; 0 while none is planned. */
	readonly retryAt: number;
}

/** The error for what needs a target that is away: why, since when, and when it is tried again. */
export function unavailable({ failure, target, state, awaySince, retryAt }: Away): McpError {
	const { circuit } = target;
	const error = awayError(target.name, failure ?? circuit.failure, 'it has not answered yet');
	if (error.retryAfter !== undefined) return error;
	const since = (state === 'ready' ? (circuit.openedAt ?? awaySince) : awaySince).toISOString().slice(0, 19);
	const wait = Math.max(circuit.wait, retryAt - performance.now());
	const again = wait > 0 ? `, tried again in ${Math.ceil(wait / 1000)} s` : '';
	return { ...error, message: `${error.message} (since ${since}Z${again})` };
}
