export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Whether a text can be sent as the value of a header. */
export function isHeaderValue(text: string): boolean {
	return !hostile.test(text);
}

const hostile = /[^\t\x20-\x7e\x80-\xff]/;

/** Gives up a request that is under way. */
export interface RequestControl {
	abort(reason: Error): void;
}

/** Hears what becomes of a request, in the form that undici calls its handlers. */
export interface ReplyHandler {
	onRequestStart?(control: RequestControl, context?: unknown): void;
	onResponseStart?(control: RequestControl, status: number, headers: ReplyHeaders): void;
	onResponseData?(control: RequestControl, chunk: Buffer): void;
	onResponseEnd?(control: RequestControl, trailers: ReplyHeaders): void;
	onResponseError?(control: RequestControl, error: Error): void;
}

/** A request as it goes out, kept for the case that it is redirected. */
export interface HttpRequest {
	readonly method: 'POST' | 'GET' | 'DELETE';
	/** Flat name, value. */
	readonly headers: readonly string[];
	readonly body: Buffer | null;
	/** The answer is a stream that lasts. */
	readonly lasting: boolean;
}
