import { type BodyDecoder, bodyDecoder, isFault } from './body-decoder.ts';
import { EventReader } from '../../../lib/event-reader.ts';
import type { HttpChannel } from './http-channel.ts';
import type { HttpRequest, ReplyHandler, ReplyHeaders, RequestControl } from './http-request.ts';
import { ioFault, maximumFaultBytes, replyFault } from './io-fault.ts';
import { sessionLoss } from './session-loss.ts';
import type { TransportFault } from './transport.ts';
import { withoutAddress } from './without-address.ts';

/** How a stream was left: it `ended`, its connection `broke`, or the server `refused` to give it (any more). */
export type StreamEnd =
	| { readonly how: 'ended' }
	| { readonly how: 'broke'; readonly fault: TransportFault }
	| { readonly how: 'refused'; readonly fault: TransportFault };

/** Who follows a stream. */
export interface StreamFollower {
	opened?(): void;
	event(data: Buffer, type: string): void;
	/** Exactly once, unless the stream was cancelled. */
	closed(end: StreamEnd): void;
}

/** One GET whose answer is an event stream. */
export class EventStream implements ReplyHandler {
	readonly reader: EventReader;
	private readonly channel: HttpChannel;
	private readonly request: HttpRequest;
	private readonly follower: StreamFollower;
	private controller: RequestControl | null = null;
	private decoder: BodyDecoder | null = null;
	/** The refusal whose body is collected. */
	private status: number | null = null;
	private readonly body: Buffer[] = [];
	private bodyLength = 0;
	private redirects = 0;
	private moving = false;
	private over = false;

	/** Opens the stream, or the rest of one from the event after `lastEventId` (`''`: from now on). */
	constructor(channel: HttpChannel, headers: readonly string[], lastEventId: string, follower: StreamFollower) {
		const resume = lastEventId === '' ? [] : ['last-event-id', lastEventId];
		this.channel = channel;
		this.request = { method: 'GET', headers: [...getHeaders, ...headers, ...resume], body: null, lasting: true };
		this.follower = follower;
		this.reader = new EventReader(channel.limit, (data, type) => this.follow(data, type), lastEventId);
	}

	open(): void {
		if (!this.over) this.channel.send(this.request, this);
	}

	/** The follower hears nothing more. */
	cancel(): void {
		this.over = true;
		this.decoder?.destroy();
		this.controller?.abort(new Error('cancelled'));
	}

	onRequestStart(controller: RequestControl): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	onResponseStart(_controller: RequestControl, status: number, headers: ReplyHeaders): void {
		if (this.over) return;
		const redirect = this.channel.redirect('GET', status, headers, this.redirects);
		if (redirect === 'moved') {
			this.redirects++;
			this.moving = true;
			return;
		}
		if (redirect !== null) return this.close({ how: 'refused', fault: redirect });
		const decoder = bodyDecoder(headers, {
			data: (chunk) => this.read(chunk),
			end: () => this.ended(),
			broken: (fault) => this.close({ how: 'broke', fault }),
		});
		if (isFault(decoder)) return this.close({ how: 'refused', fault: decoder });
		this.decoder = decoder;
		const type = String(headers['content-type'] ?? '');
		if (status < 200 || status >= 300) this.status = status;
		else if (status === 200 && type.startsWith('text/event-stream')) this.follower.opened?.();
		else this.close({ how: 'refused', fault: noStream(status, type) });
	}

	onResponseData(_controller: RequestControl, chunk: Buffer): void {
		if (this.over || this.moving) return;
		if (this.decoder !== null) this.decoder.write(chunk);
		else this.read(chunk);
	}

	onResponseEnd(): void {
		if (this.over) return;
		if (this.moving) {
			this.moving = false;
			this.open();
		} else if (this.decoder !== null) this.decoder.end();
		else this.ended();
	}

	onResponseError(_controller: RequestControl, error: Error): void {
		this.close({ how: 'broke', fault: ioFault(this.channel.url, error) });
	}

	private read(chunk: Buffer): void {
		if (this.over) return;
		if (this.status !== null) {
			this.bodyLength += chunk.length;
			if (this.bodyLength <= maximumFaultBytes) this.body.push(chunk);
		} else if (!this.reader.push(chunk)) this.close({ how: 'refused', fault: tooLarge(this.channel.limit) });
	}

	private follow(data: Buffer, type: string): void {
		if (!this.over) this.follower.event(data, type);
	}

	private ended(): void {
		if (this.status === null) return this.close({ how: 'ended' });
		const inSession = this.request.headers.includes('mcp-session-id');
		const body = Buffer.concat(this.body);
		const sessionLost = sessionLoss(this.status, inSession, body);
		const told = withoutAddress(body, this.channel.url);
		const fault = { kind: 'http', status: this.status, body: told, sessionLost } as const;
		this.close({ how: 'refused', fault });
	}

	private close(end: StreamEnd): void {
		if (this.over) return;
		this.over = true;
		this.decoder?.destroy();
		this.follower.closed(end);
		this.controller?.abort(new Error('given up'));
	}
}

const getHeaders = ['accept', 'text/event-stream', 'accept-encoding', 'identity'];

function noStream(status: number, type: string): TransportFault {
	const what = type === '' ? `HTTP ${status} without content` : type;
	return replyFault(`it answered ${what} where events were expected`);
}

/** An answer or event of more than what is accepted. */
export function tooLarge(limit: number): TransportFault {
	return replyFault(`it sent more than ${limit} bytes`);
}
