import { maximumAnswerBytes } from './body-decoder.ts';
import type { HttpPool } from './http-pool.ts';
import type { HttpRequest, ReplyHandler, ReplyHeaders } from './http-request.ts';
import { replyFault } from './io-fault.ts';
import type { TransportFault } from './transport.ts';

/** One request is sent to another place this many times at most. */
const maximumRedirects = 3;

/**
 * The way to one URL of a server. A redirect within the server's origin moves it, for as long as the channel is used;
 * one to another origin is refused: whatever the server gets, it gets because it stands in the configuration.
 */
export class HttpChannel {
	url: URL;
	/** Bytes of one answer or event. */
	readonly limit: number;
	private path: string;
	private readonly pool: HttpPool;

	constructor(url: URL, pool: HttpPool, limit = maximumAnswerBytes) {
		this.url = url;
		this.path = url.pathname + url.search;
		this.pool = pool;
		this.limit = limit;
	}

	send(request: HttpRequest, handler: ReplyHandler): void {
		this.pool.send(this.path, request, handler);
	}

	/**
	 * Moves to where a redirect leads: `moved`, the request is to be sent again; a fault where it must not be. null: it
	 * is no redirect. `before`: how often this request was redirected already.
	 */
	redirect(method: HttpRequest['method'], status: number, headers: ReplyHeaders, before: number): Redirect | null {
		if (!isRedirect(method, status)) return null;
		const location = headers['location'];
		if (typeof location !== 'string' || !URL.canParse(location, this.url.href))
			return replyFault(`it answered HTTP ${status} without saying where to go`);
		const next = new URL(location, this.url);
		if (next.origin !== this.url.origin) {
			next.username = '';
			next.password = '';
			return replyFault(
				`it redirects to another origin: ${next.href.slice(0, 500)}`,
				'If that is right, write this URL in the configuration of the target.',
			);
		}
		if (before >= maximumRedirects) return replyFault(`it redirects more than ${maximumRedirects} times`);
		next.hash = '';
		this.url = next;
		this.path = next.pathname + next.search;
		return 'moved';
	}
}

type Redirect = 'moved' | TransportFault;

/**
 * 301 and 302 make a GET of a POST in browsers; MCP servers answer them where a slash is missing, and mean what 308
 * says. 303 is no place to send a request to again.
 */
function isRedirect(method: HttpRequest['method'], status: number): boolean {
	return status === 301 || status === 302 || status === 307 || status === 308 || (status === 303 && method === 'GET');
}
