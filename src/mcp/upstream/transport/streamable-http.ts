import { SlotList } from '../../../lib/slot-list.ts';
import type { Ticket } from '../../model.ts';
import { HttpChannel } from './http-channel.ts';
import type { HttpPool } from './http-pool.ts';
import { Listening } from './listening.ts';
import { Outbox } from './outbox.ts';
import { Posting } from './posting.ts';
import { Telling } from './telling.ts';
import type { OutboundPost, OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

/** JSON-RPC over Streamable HTTP: one POST a message, answers as JSON or as events (MCP transports). */
export class StreamableHttpTransport implements Transport {
	readonly pid = null;
	private readonly channel: HttpChannel;
	private readonly pool: HttpPool;
	private readonly open = new SlotList<Posting>();
	private readonly outbox: Outbox;
	private listening: Listening | null = null;
	/** Why nothing more is sent. */
	private ended: TransportFault | null = null;
	private closed = false;

	/** `maximumAnswerBytes` of one answer or event; default 64 MiB. */
	constructor(url: URL | string, pool: HttpPool, maximumAnswerBytes?: number) {
		this.pool = pool;
		this.channel = new HttpChannel(typeof url === 'string' ? new URL(url) : url, pool, maximumAnswerBytes);
		this.outbox = new Outbox(pool.posts, (reason) => this.give({ kind: 'io', reason, remedy: '', over: true }));
	}

	get hearsSince(): number | null {
		return this.listening?.hearsSince ?? null;
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		if (this.ended !== null) {
			receiver.failed({ ...this.ended, neverRan: true });
			return { cancel() {} };
		}
		const headers = [...postHeaders, ...request.headers];
		const lasting = request.lasting === true;
		const posting = new Posting(
			this.channel,
			{ method: 'POST', headers, body: request.message, lasting },
			receiver,
			request.id,
			this.open,
		);
		this.open.add(posting);
		posting.send();
		return posting;
	}

	post({ message, headers, settled, held }: OutboundPost): void {
		const all = [...postHeaders, ...headers];
		this.outbox.post(
			message.length,
			(posted) => new Telling(this.channel, all, message, posted),
			settled ?? null,
			held,
		);
	}

	listen(receiver: Receiver, headers: readonly string[]): Ticket {
		this.listening?.cancel();
		const listening = new Listening(this.channel, headers, receiver);
		this.listening = listening;
		if (this.ended === null) listening.begin();
		else receiver.failed(this.ended);
		return listening;
	}

	end(headers: readonly string[]): Promise<void> {
		return new Promise((resolve) => {
			const posting = this.tell('DELETE', headers);
			const timer = setTimeout(() => posting.cancel(), 1000);
			posting.settled = () => {
				clearTimeout(timer);
				resolve();
			};
			posting.send();
		});
	}

	suspect(): void {
		this.pool.suspect();
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		this.listening?.cancel();
		this.open.each((posting) => posting.cancel());
		this.outbox.close();
	}

	/** The transport is over: all who wait for an answer are told. */
	private give(fault: TransportFault): void {
		if (this.closed || this.ended !== null) return;
		this.ended = fault;
		this.outbox.close();
		this.open.each((posting) => posting.fail(fault));
		const { listening } = this;
		listening?.cancel();
		listening?.receiver.failed(fault);
	}

	/** Something that wants no answer. */
	private tell(method: 'DELETE', headers: readonly string[]): Posting {
		return new Posting(this.channel, { method, headers, body: null, lasting: false }, nobody, null, null);
	}
}

const postHeaders = [
	...['content-type', 'application/json', 'accept', 'application/json, text/event-stream'],
	...['accept-encoding', 'identity'],
];

const nobody: Receiver = { message() {}, failed() {} };
