import type { IncomingMessage } from 'node:http';
import type { RequestTarget } from './request-check.ts';

type Headers = IncomingMessage['headers'];

/**
 * The request that a connection carried last, which was found to be sound. A client sends the same headers again and
 * again; comparing them is a tenth of the work of reading and checking them once more.
 */
export class RequestMemory {
	private readonly method: string | undefined;
	private readonly url: string | undefined;
	private readonly version: string;
	private readonly raw: readonly string[];
	/** Where the one value stands that differs from body to body; -1 where there is none. */
	private readonly lengthAt: number;
	private readonly known: Headers;
	readonly target: RequestTarget;

	constructor(request: IncomingMessage, target: RequestTarget) {
		this.method = request.method;
		this.url = request.url;
		this.version = request.httpVersion;
		this.raw = request.rawHeaders;
		this.lengthAt = lengthIn(request.rawHeaders);
		this.known = request.headers;
		this.target = target;
	}

	/** Whether a request says the same, but for the length of its body. */
	same({ rawHeaders: raw, method, url, httpVersion }: IncomingMessage): boolean {
		if (raw.length !== this.raw.length || url !== this.url || method !== this.method || httpVersion !== this.version)
			return false;
		for (let at = 0; at < raw.length; at++) if (raw[at] !== this.raw[at] && at !== this.lengthAt) return false;
		return true;
	}

	/** The headers of a request that says the same. */
	headersOf({ rawHeaders: raw }: IncomingMessage): Headers {
		const length = raw[this.lengthAt];
		return length === this.raw[this.lengthAt] ? this.known : { ...this.known, 'content-length': length };
	}
}

function lengthIn(raw: readonly string[]): number {
	for (let at = 0; at < raw.length; at += 2) if (raw[at]?.toLowerCase() === 'content-length') return at + 1;
	return -1;
}
