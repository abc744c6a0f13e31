import type { Dispatcher } from 'undici';
import { isScanFault, type Scanned, scanJson } from '../../../lib/json-scan.ts';
import { SlotList, type Slotted } from '../../../lib/slot-list.ts';
import type { Ticket } from '../../model.ts';
import { EventReader, maximumAnswerBytes } from './event-reader.ts';
import type { HttpPool } from './http-pool.ts';
import { ioFault } from './io-fault.ts';
import { Listening } from './listening.ts';
import type { OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

/** So much of an error's body is kept for the message. */
const maximumFaultBytes = 64 * 1024;
/** JSON-RPC over Streamable HTTP: one POST a message, answers as JSON or as events (MCP transports). */
export class StreamableHttpTransport implements Transport {
	readonly pid = null;
	private readonly url: URL;
	private readonly path: string;
	private readonly pool: HttpPool;
	private readonly open = new SlotList<Posting>();
	private listening: Listening | null = null;
	private closed = false;

	constructor(url: string, pool: HttpPool) {
		this.url = new URL(url);
		this.path = this.url.pathname + this.url.search;
		this.pool = pool;
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		const inSession = request.headers.includes('mcp-session-id');
		const posting = new Posting(this.url, receiver, request.id, inSession, this.open);
		this.open.add(posting);
		this.dispatch('POST', [...postHeaders, ...request.headers], request.message, posting, request.lasting);
		return posting;
	}

	post(message: Buffer, headers: readonly string[]): void {
		this.dispatch('POST', [...postHeaders, ...headers], message, new Posting(this.url, nobody, null, false, null));
	}

	listen(receiver: Receiver, headers: readonly string[]): Ticket {
		this.listening?.cancel();
		const listening = new Listening(
			(lastEventId, handler) => {
				const resume = lastEventId === '' ? [] : ['last-event-id', lastEventId];
				this.dispatch('GET', ['accept', 'text/event-stream', ...headers, ...resume], null, handler, true);
			},
			this.url,
			receiver,
		);
		this.listening = listening;
		listening.begin();
		return listening;
	}

	end(headers: readonly string[]): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, 1000);
			const settled = () => {
				clearTimeout(timer);
				resolve();
			};
			const posting = new Posting(this.url, nobody, null, false, null);
			posting.settled = settled;
			this.dispatch('DELETE', headers, null, posting);
		});
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		this.listening?.cancel();
		this.open.each((posting) => posting.cancel());
	}

	private dispatch(
		method: 'POST' | 'GET' | 'DELETE',
		headers: readonly string[],
		body: Buffer | null,
		handler: Dispatcher.DispatchHandler,
		lasting = false,
	): void {
		const pool = lasting ? this.pool.streams : this.pool.calls;
		pool.dispatch({ method, path: this.path, headers: headers as string[], body }, handler);
	}
}

const postHeaders = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];

const nobody: Receiver = { message() {}, failed() {} };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One POST: collects a JSON answer, or takes events as they come. A class, not closures: this is the hot path. */
class Posting implements Ticket, Slotted {
	slot = -1;
	private readonly url: URL;
	private readonly receiver: Receiver;
	/** null: a notification, which wants no answer. */
	private readonly id: number | null;
	/** The request named a session: a 404 says that it is gone, whatever else it says. */
	private readonly inSession: boolean;
	/** The requests under way, of which this is one. */
	private readonly siblings: SlotList<Posting> | null;
	private controller: Dispatcher.DispatchController | null = null;
	private status = 0;
	private headers: Headers = {};
	private kind: 'json' | 'events' | 'fault' | 'nothing' = 'nothing';
	private first: Buffer | null = null;
	private more: Buffer[] | null = null;
	private length = 0;
	private events: EventReader | null = null;
	private over = false;
	/** Called when it is over. */
	settled: (() => void) | null = null;

	constructor(url: URL, receiver: Receiver, id: number | null, inSession: boolean, siblings: SlotList<Posting> | null) {
		this.url = url;
		this.receiver = receiver;
		this.id = id;
		this.inSession = inSession;
		this.siblings = siblings;
	}

	cancel(): void {
		if (this.over) return;
		this.finish();
		this.controller?.abort(new Error('cancelled'));
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
		this.status = status;
		this.headers = headers;
		const type = String(headers['content-type'] ?? '');
		if (status === 202 || status === 204) this.kind = 'nothing';
		else if (status < 200 || status >= 300) this.kind = 'fault';
		else if (type.startsWith('application/json')) this.kind = 'json';
		else if (type.startsWith('text/event-stream')) {
			this.kind = 'events';
			this.events = new EventReader((data) => this.deliver(data));
		} else if (type !== '')
			this.fail({
				kind: 'io',
				reason: `it answered ${type} where JSON or events were expected`,
				remedy: 'Check that the URL of the target is an MCP endpoint.',
			});
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		if (this.over || this.kind === 'nothing') return;
		if (this.events !== null) {
			if (!this.events.push(chunk)) this.fail(tooLarge);
			return;
		}
		this.length += chunk.length;
		if (this.kind === 'fault' && this.length > maximumFaultBytes) return;
		if (this.length > maximumAnswerBytes) return this.fail(tooLarge);
		// Nearly every answer is one chunk: kept as it is.
		if (this.first === null) this.first = chunk;
		else {
			this.more ??= [this.first];
			this.more.push(chunk);
		}
	}

	onResponseEnd(): void {
		if (this.over) return;
		const body = this.more === null ? (this.first ?? empty) : Buffer.concat(this.more);
		if (this.kind === 'fault') return this.faulted(body);
		if (this.kind === 'json') return this.deliver(body);
		if (this.kind === 'events') {
			this.fail({ kind: 'io', reason: 'its event stream ended before the answer', remedy: '' });
			return;
		}
		this.finish();
		if (this.receiver !== nobody)
			this.receiver.failed({ kind: 'io', reason: `it answered HTTP ${this.status} without a message`, remedy: '' });
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		this.fail(ioFault(this.url, error));
	}

	/** A message came. The one that answers the request ends this posting. */
	private deliver(text: Buffer): void {
		if (this.over) return;
		const scanned = scanJson(text, { params: { _meta: {} }, result: {}, error: {} });
		if (isScanFault(scanned) || scanned.members === null) {
			return this.fail({
				kind: 'io',
				reason: `it sent what is not acceptable JSON${isScanFault(scanned) ? ` (${scanned.fault})` : ''}`,
				remedy: '',
			});
		}
		if (scanned.members.every((member) => member.key !== 'method')) {
			if (!this.isMine(scanned)) return this.foreign();
			this.finish();
		}
		this.receiver.message(scanned, this.headers);
	}

	/** Whether an answer carries the id of this request. */
	private isMine({ text, members }: Scanned): boolean {
		const id = members?.find((member) => member.key === 'id');
		return id !== undefined && this.id !== null && text.toString('latin1', id.start, id.end) === String(this.id);
	}

	/** An answer to somebody else's request. Handed on, it would reach the wrong client. */
	private foreign(): void {
		// On a stream the right one may still come.
		if (this.kind !== 'events') this.fail({ kind: 'io', reason: 'it answered another request', remedy: '' });
	}

	/**
	 * Errors that name the request are answers too: 2026-07-28 gives them 4xx. Without an id it is the transport that
	 * refuses, such as a 404 for a session that is gone.
	 */
	private faulted(body: Buffer): void {
		const scanned = scanJson(Buffer.from(body), { error: {} });
		const members = isScanFault(scanned) ? null : scanned.members;
		const isError = !isScanFault(scanned) && members?.some((member) => member.key === 'error') === true;
		const isAnswer = isError && this.isMine(scanned) && !this.isTransportFault();
		this.finish();
		if (isAnswer) this.receiver.message(scanned, this.headers);
		else
			this.receiver.failed({
				kind: 'http',
				status: this.status,
				body,
				sessionLost: this.status === 404 && this.inSession,
			});
	}

	private isTransportFault(): boolean {
		return this.status >= 500 || (this.status === 404 && this.inSession);
	}

	private fail(fault: TransportFault): void {
		if (this.over) return;
		this.finish();
		this.receiver.failed(fault);
		this.controller?.abort(new Error('given up'));
	}

	private finish(): void {
		this.over = true;
		this.siblings?.remove(this);
		this.settled?.();
	}
}

const empty = Buffer.alloc(0);
const tooLarge: TransportFault = { kind: 'io', reason: `it sent more than ${maximumAnswerBytes} bytes`, remedy: '' };
