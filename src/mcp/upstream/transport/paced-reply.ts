import type { Dispatcher } from 'undici';
import type { ReplyHandler, ReplyHeaders } from './http-request.ts';

/** Milliseconds of work with one piece of a reply after which others come first. */
export const turnMs = 2;

/**
 * A reply over one of undici's connections. Of a flood, undici hands over up to 2 MiB in one turn of the loop; where a
 * piece was work, the next one comes after the others' turn.
 */
export class PacedReply implements Dispatcher.DispatchHandler {
	private readonly handler: ReplyHandler;

	constructor(handler: ReplyHandler) {
		this.handler = handler;
	}

	onRequestStart(control: Dispatcher.DispatchController, context: unknown): void {
		this.handler.onRequestStart?.(control, context);
	}

	onResponseStart(control: Dispatcher.DispatchController, status: number, headers: ReplyHeaders): void {
		this.handler.onResponseStart?.(control, status, headers);
	}

	onResponseData(control: Dispatcher.DispatchController, chunk: Buffer): void {
		const began = performance.now();
		this.handler.onResponseData?.(control, chunk);
		if (performance.now() - began < turnMs || control.aborted) return;
		control.pause();
		setImmediate(goOn, control);
	}

	onResponseEnd(control: Dispatcher.DispatchController, trailers: ReplyHeaders): void {
		this.handler.onResponseEnd?.(control, trailers);
	}

	onResponseError(control: Dispatcher.DispatchController, error: Error): void {
		this.handler.onResponseError?.(control, error);
	}
}

function goOn(control: Dispatcher.DispatchController): void {
	try {
		control.resume();
	} catch (fault) {
		// A fault in the middle of a reply is its own end, not the gateway's.
		control.abort(fault instanceof Error ? fault : new Error(String(fault)));
	}
}
