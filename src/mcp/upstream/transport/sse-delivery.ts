import type { HttpChannel } from './http-channel.ts';
import type { HttpRequest, ReplyHandler, ReplyHeaders, RequestControl } from './http-request.ts';
import { ioFault, maximumFaultBytes } from './io-fault.ts';
import type { TransportFault } from './transport.ts';
import { withoutAddress } from './without-address.ts';

/** One POST that is only accepted or refused: the answer comes over the stream. */
export class SseDelivery implements ReplyHandler {
	private readonly channel: HttpChannel;
	private readonly request: HttpRequest;
	private readonly refused: (fault: TransportFault) => void;
	private controller: RequestControl | null = null;
	private status = 0;
	private readonly body: Buffer[] = [];
	private length = 0;
	private redirects = 0;
	private moving = false;
	private over = false;

	/** `refused` is called at most once, when the server did not take the message. */
	constructor(
		channel: HttpChannel,
		message: Buffer,
		headers: readonly string[],
		refused: (fault: TransportFault) => void,
	) {
		this.channel = channel;
		this.request = { method: 'POST', headers: [...postHeaders, ...headers], body: message, lasting: false };
		this.refused = refused;
	}

	send(): void {
		this.channel.send(this.request, this);
	}

	onRequestStart(controller: RequestControl): void {
		this.controller = controller;
	}

	onResponseStart(_controller: RequestControl, status: number, headers: ReplyHeaders): void {
		this.status = status;
		const redirect = this.channel.redirect('POST', status, headers, this.redirects);
		if (redirect === 'moved') {
			this.redirects++;
			this.moving = true;
		} else if (redirect !== null) this.refuse(redirect);
	}

	onResponseData(_controller: RequestControl, chunk: Buffer): void {
		this.length += chunk.length;
		if (!this.accepted() && this.length <= maximumFaultBytes) this.body.push(chunk);
	}

	onResponseEnd(): void {
		if (this.moving) {
			this.moving = false;
			this.body.length = 0;
			this.length = 0;
			return this.send();
		}
		if (this.accepted()) return;
		const body = withoutAddress(Buffer.concat(this.body), this.channel.url);
		this.refuse({ kind: 'http', status: this.status, body, sessionLost: false });
	}

	onResponseError(_controller: RequestControl, error: Error): void {
		// A server that took the message and then broke the connection answers all the same.
		if (!this.accepted()) this.refuse(ioFault(this.channel.url, error));
	}

	private accepted(): boolean {
		return this.status >= 200 && this.status < 300;
	}

	private refuse(fault: TransportFault): void {
		if (this.over) return;
		this.over = true;
		this.refused(fault);
		this.controller?.abort(new Error('given up'));
	}
}

const postHeaders = ['content-type', 'application/json', 'accept-encoding', 'identity'];
