import type { HeldBytes } from '../../../http/held-bytes.ts';
import type { Ticket } from '../../model.ts';
import { EventStream, type StreamEnd } from './event-stream.ts';
import { HttpChannel } from './http-channel.ts';
import type { HttpPool } from './http-pool.ts';
import { Inbox } from './inbox.ts';
import { mayHaveRun } from './io-fault.ts';
import { Outbox, type Posted } from './outbox.ts';
import { SseDelivery } from './sse-delivery.ts';
import type { OutboundPost, OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

export interface SseOptions {
	readonly url: string;
	readonly pool: HttpPool;
	/** Of one event; default 64 MiB. */
	readonly maximumAnswerBytes?: number;
	/** A stream without word of where to post to is given up after this time, in milliseconds; default 10 s. */
	readonly endpointTimeout?: number;
	/** An event that is no JSON-RPC message, or answers nothing that was asked. */
	onJunk(text: Buffer): void;
	/** The server said where to post to: it does speak this transport. */
	onEndpoint?(): void;
	/** It gave no event stream: it does not speak this transport (any more). */
	onRefused?(): void;
}

/** JSON-RPC over HTTP+SSE (MCP 2024-11-05): one stream for all that the server says, a POST for each message to it. */
export class SseTransport implements Transport {
	readonly pid = null;
	/** Without its stream the transport is over. */
	readonly hearsSince = 0;
	readonly handshakeOnly = true;
	private readonly options: SseOptions;
	private readonly inbox: Inbox;
	private readonly channel: HttpChannel;
	private readonly stream: EventStream;
	/** Where messages are posted to; null until the server has said it. */
	private endpoint: HttpChannel | null = null;
	private waiting: Outgoing[] = [];
	private readonly outbox: Outbox;
	/** Requests that the server has not taken yet, by id. */
	private readonly delivering = new Map<number, SseDelivery>();
	private readonly timer: NodeJS.Timeout;
	private ended: TransportFault | null = null;

	constructor(options: SseOptions) {
		this.options = options;
		this.inbox = new Inbox(
			(text) => options.onJunk(text),
			(id) => this.delivering.get(id)?.within(takenMs),
		);
		this.outbox = new Outbox(options.pool.posts, (reason) => this.give(over(reason)));
		this.channel = new HttpChannel(new URL(options.url), options.pool, options.maximumAnswerBytes);
		this.stream = new EventStream(this.channel, [], '', {
			event: (data, type) => this.event(data, type),
			closed: (end) => this.lost(end),
		});
		const patience = options.endpointTimeout ?? 10_000;
		this.timer = setTimeout(() => this.give(noEndpoint(patience)), patience);
		this.timer.unref();
		this.stream.open();
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		const { id } = request;
		if (this.ended !== null) {
			receiver.failed({ ...this.ended, neverRan: true });
			return { cancel() {} };
		}
		this.inbox.add(id, receiver);
		this.send({ id, message: request.message, headers: request.headers, held: null });
		return { cancel: () => this.forget(id) };
	}

	post({ message, headers, settled, held = null }: OutboundPost): void {
		if (this.ended === null) this.send({ id: null, message, headers, held });
		else held?.release();
		settled?.();
	}

	listen(receiver: Receiver): Ticket {
		return this.inbox.listen(receiver);
	}

	suspect(): void {
		this.options.pool.suspect();
	}

	async close(): Promise<void> {
		clearTimeout(this.timer);
		for (const { held } of this.waiting.splice(0)) held?.release();
		this.ended ??= over('it was closed');
		this.stream.cancel();
		this.stopDelivering();
	}

	private send(outgoing: Outgoing): void {
		const { endpoint } = this;
		if (endpoint === null) this.waiting.push(outgoing);
		else if (outgoing.id === null) this.tell(endpoint, outgoing);
		else this.deliver(endpoint, outgoing, outgoing.id);
	}

	private tell(endpoint: HttpChannel, { message, headers, held }: Outgoing): void {
		const send = (posted: Posted) => {
			const delivery = new SseDelivery(
				endpoint,
				message,
				headers,
				() => {},
				() => posted.end(),
			);
			delivery.send();
			return delivery;
		};
		this.outbox.post(message.length, send, null, held);
	}

	private deliver(endpoint: HttpChannel, { message, headers }: Outgoing, id: number): void {
		const delivery = new SseDelivery(
			endpoint,
			message,
			headers,
			(fault) => this.inbox.fail(id, fault),
			() => this.delivering.delete(id),
		);
		this.delivering.set(id, delivery);
		delivery.send();
	}

	private stopDelivering(): void {
		for (const delivery of this.delivering.values()) delivery.cancel();
		this.delivering.clear();
		this.outbox.close();
	}

	private forget(id: number): void {
		this.inbox.delete(id);
		this.waiting = this.waiting.filter((one) => one.id !== id);
		this.delivering.get(id)?.cancel();
		this.delivering.delete(id);
	}

	private event(data: Buffer, type: string): void {
		if (type === 'endpoint') this.begin(data.toString('utf8').trim());
		else if (type === 'message') this.inbox.take(data);
	}

	/** The first `endpoint` counts. */
	private begin(written: string): void {
		if (this.endpoint !== null) return;
		const base = this.channel.url;
		if (!URL.canParse(written, base.href))
			return this.give(over(`its endpoint event holds no URL: ${written.slice(0, 200)}`));
		const url = new URL(written, base);
		if (url.origin !== base.origin) {
			const reason = `its endpoint event leads to another origin: ${url.href.slice(0, 500)}`;
			return this.give(over(reason, `Let the server give a path, or write its URL as ${url.origin} in the target.`));
		}
		clearTimeout(this.timer);
		this.endpoint = new HttpChannel(url, this.options.pool);
		this.options.onEndpoint?.();
		const waiting = this.waiting;
		this.waiting = [];
		for (const outgoing of waiting) this.send(outgoing);
	}

	private lost(end: StreamEnd): void {
		if (end.how === 'refused' && this.endpoint === null) this.options.onRefused?.();
		if (end.how === 'ended') this.give(over('its event stream ended'));
		else this.give(end.fault.kind === 'io' ? { ...end.fault, over: true } : end.fault);
	}

	/** The transport is over. What was not sent yet certainly never ran. */
	private give(fault: TransportFault): void {
		if (this.ended !== null) return;
		this.ended = fault;
		clearTimeout(this.timer);
		for (const { id, held } of this.waiting.splice(0)) {
			held?.release();
			if (id !== null) this.inbox.fail(id, { ...fault, neverRan: true });
		}
		// A stream that broke was there before: what had been sent may have run.
		this.inbox.end(mayHaveRun(fault));
		this.stream.cancel();
		this.stopDelivering();
	}
}

/** A server may answer over the stream before it answers the POST; then it has so long for that. */
const takenMs = 30_000;

/** A message that waits for the endpoint. */
interface Outgoing {
	/** null: a notification or an answer. */
	readonly id: number | null;
	readonly message: Buffer;
	readonly headers: readonly string[];
	/** What counts it; null: nobody does here. */
	readonly held: HeldBytes | null;
}

function over(reason: string, remedy = ''): TransportFault {
	return { kind: 'io', reason, remedy, over: true };
}

function noEndpoint(ms: number): TransportFault {
	return over(`its event stream gave no endpoint within ${ms / 1000} s`, 'Check the URL of the target.');
}
