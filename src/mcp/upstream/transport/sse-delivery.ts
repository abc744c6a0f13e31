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
	private readonly ended: () => void;
	private controller: RequestControl | null = null;
	private status = 0;
	private readonly body: Buffer[] = [];
	private length = 0;
	private redirects = 0;
	private moving = false;
	private over = false;
	private timer: NodeJS.Timeout | null = null;

	/**
	 * `refused` is called at most once, when the server did not take the message; `ended` once, when it has answered, or
	 * will not any more, unless it was cancelled.
	 */
	constructor(
		channel: HttpChannel,
		message: Buffer,
		headers: readonly string[],
		refused: (fault: TransportFault) => void,
		ended: () => void,
	) {
		this.channel = channel;
		this.request = { method: 'POST', headers: [...postHeaders, ...headers], body: message, lasting: false };
		this.refused = refused;
		this.ended = ended;
	}

	send(): void {
		this.channel.send(this.request, this);
	}

	onRequestStart(controller: RequestControl): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	/** Nobody waits for it any more. */
	cancel(): void {
		if (!this.finish()) return;
		this.controller?.abort(new Error('cancelled'));
	}

	/** The message was taken, as the stream shows: it is given up after so long without a reply. */
	within(ms: number): void {
		if (this.over || this.timer !== null) return;
		this.timer = setTimeout(() => {
			this.cancel();
			this.ended();
		}, ms).unref();
	}

	onResponseStart(_controller: RequestControl, status: number, headers: ReplyHeaders): void {
		if (this.over) return;
		this.status = status;
		const redirect = this.channel.redirect('POST', status, headers, this.redirects);
		if (redirect === 'moved') {
			this.redirects++;
			this.moving = true;
		} else if (redirect !== null) this.refuse(redirect);
	}

	onResponseData(_controller: RequestControl, chunk: Buffer): void {
		this.length += chunk.length;
		if (this.accepted() || this.moving) return;
		if (this.length <= maximumFaultBytes) this.body.push(chunk);
		else this.refuse(this.refusal());
	}

	onResponseEnd(): void {
		if (this.over) return;
		if (this.moving) {
			this.moving = false;
			this.body.length = 0;
			this.length = 0;
			return this.send();
		}
		if (!this.accepted()) this.refuse(this.refusal());
		else if (this.finish()) this.ended();
	}

	onResponseError(_controller: RequestControl, error: Error): void {
		// A server that took the message and then broke the connection answers all the same.
		if (!this.accepted()) this.refuse(ioFault(this.channel.url, error));
		else if (this.finish()) this.ended();
	}

	private accepted(): boolean {
		return this.status >= 200 && this.status < 300;
	}

	private refusal(): TransportFault {
		const body = withoutAddress(Buffer.concat(this.body), this.channel.url);
		return { kind: 'http', status: this.status, body, sessionLost: false };
	}

	private refuse(fault: TransportFault): void {
		if (!this.finish()) return;
		this.ended();
		this.refused(fault);
		this.controller?.abort(new Error('given up'));
	}

	private finish(): boolean {
		if (this.over) return false;
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		return true;
	}
}

const postHeaders = ['content-type', 'application/json', 'accept-encoding', 'identity'];
