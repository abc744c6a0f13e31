import { SlotList } from '../../../lib/slot-list.ts';
import type { Ticket } from '../../model.ts';
import { HttpChannel } from './http-channel.ts';
import type { HttpPool } from './http-pool.ts';
import { Listening } from './listening.ts';
import { Posting } from './posting.ts';
import type { OutboundRequest, Receiver, Transport } from './transport.ts';

/** JSON-RPC over Streamable HTTP: one POST a message, answers as JSON or as events (MCP transports). */
export class StreamableHttpTransport implements Transport {
	readonly pid = null;
	private readonly channel: HttpChannel;
	private readonly open = new SlotList<Posting>();
	private listening: Listening | null = null;
	private closed = false;

	/** `maximumAnswerBytes` of one answer or event; default 64 MiB. */
	constructor(url: string, pool: HttpPool, maximumAnswerBytes?: number) {
		this.channel = new HttpChannel(new URL(url), pool, maximumAnswerBytes);
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
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

	post(message: Buffer, headers: readonly string[], settled?: () => void): void {
		const posting = this.tell('POST', [...postHeaders, ...headers], message);
		if (settled !== undefined) posting.settled = settled;
		posting.send();
	}

	listen(receiver: Receiver, headers: readonly string[]): Ticket {
		this.listening?.cancel();
		const listening = new Listening(this.channel, headers, receiver);
		this.listening = listening;
		listening.begin();
		return listening;
	}

	end(headers: readonly string[]): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, 1000);
			const posting = this.tell('DELETE', headers, null);
			posting.settled = () => {
				clearTimeout(timer);
				resolve();
			};
			posting.send();
		});
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		this.listening?.cancel();
		this.open.each((posting) => posting.cancel());
	}

	/** Something that wants no answer. */
	private tell(method: 'POST' | 'DELETE', headers: readonly string[], body: Buffer | null): Posting {
		return new Posting(this.channel, { method, headers, body, lasting: false }, nobody, null, null);
	}
}

const postHeaders = [
	...['content-type', 'application/json', 'accept', 'application/json, text/event-stream'],
	...['accept-encoding', 'identity'],
];

const nobody: Receiver = { message() {}, failed() {} };
