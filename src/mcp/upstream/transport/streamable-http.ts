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
	private readonly pool: HttpPool;
	private readonly open = new SlotList<Posting>();
	private listening: Listening | null = null;
	private closed = false;

	/** `maximumAnswerBytes` of one answer or event; default 64 MiB. */
	constructor(url: URL | string, pool: HttpPool, maximumAnswerBytes?: number) {
		this.pool = pool;
		this.channel = new HttpChannel(typeof url === 'string' ? new URL(url) : url, pool, maximumAnswerBytes);
	}

	get hearsSince(): number | null {
		return this.listening?.hearsSince ?? null;
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
		this.tellOnce([...postHeaders, ...headers], message, settled, true);
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
			const posting = this.tell('DELETE', headers);
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
	}

	/**
	 * A server may close an idle connection in the very moment in which it is used again. What wants no answer would be
	 * lost with it: a cancellation, or the answer that a call waits for. Heard twice, it does no harm.
	 */
	private tellOnce(headers: readonly string[], body: Buffer, settled: (() => void) | undefined, again: boolean): void {
		const request = { method: 'POST', headers, body, lasting: false } as const;
		const receiver: Receiver = {
			message: () => settled?.(),
			failed: () => {
				if (again && !posting.answered && !this.closed) this.tellOnce(headers, body, settled, false);
				else settled?.();
			},
		};
		const posting = new Posting(this.channel, request, receiver, null, null);
		posting.send();
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
