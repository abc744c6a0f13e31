import { createParser, type EventSourceParser } from 'eventsource-parser';
import { StringDecoder } from 'node:string_decoder';
import { type Dispatcher, Pool } from 'undici';
import { isScanFault, scanJson } from '../../../lib/json-scan.ts';
import { SlotList, type Slotted } from '../../../lib/slot-list.ts';
import type { Ticket } from '../../model.ts';
import type { OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

/** Larger answers are given up: memory is finite. */
const maximumAnswerBytes = 64 * 1024 * 1024;
/** So much of an error's body is kept for the message. */
const maximumFaultBytes = 64 * 1024;
const connectTimeoutMs = 10_000;

/** Connections to one server, shared by all who talk to it. */
export function createHttpPool(origin: string): Pool {
	return new Pool(origin, {
		connections: 64,
		pipelining: 1,
		connect: { timeout: connectTimeoutMs },
		// Calls may take as long as they like; whoever waits decides when to stop.
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: 60_000,
	});
}

/** JSON-RPC over Streamable HTTP: one POST a message, answers as JSON or as events (MCP transports). */
export class StreamableHttpTransport implements Transport {
	readonly pid = null;
	private readonly url: URL;
	private readonly path: string;
	private readonly pool: Pool;
	private readonly open = new SlotList<Posting>();
	private listening: Listening | null = null;
	private closed = false;

	constructor(url: string, pool: Pool) {
		this.url = new URL(url);
		this.path = this.url.pathname + this.url.search;
		this.pool = pool;
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		const inSession = request.headers.includes('mcp-session-id');
		const posting = new Posting(this.url, receiver, inSession, this.open);
		this.open.add(posting);
		this.dispatch('POST', [...postHeaders, ...request.headers], request.message, posting);
		return posting;
	}

	post(message: Buffer, headers: readonly string[]): void {
		this.dispatch('POST', [...postHeaders, ...headers], message, new Posting(this.url, nobody, false, null));
	}

	listen(receiver: Receiver, headers: readonly string[]): Ticket {
		this.listening?.cancel();
		const listening = new Listening(
			(lastEventId, handler) => {
				const resume = lastEventId === '' ? [] : ['last-event-id', lastEventId];
				this.dispatch('GET', ['accept', 'text/event-stream', ...headers, ...resume], null, handler);
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
			const posting = new Posting(this.url, nobody, false, null);
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
	): void {
		this.pool.dispatch({ method, path: this.path, headers: headers as string[], body }, handler);
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

	constructor(url: URL, receiver: Receiver, inSession: boolean, siblings: SlotList<Posting> | null) {
		this.url = url;
		this.receiver = receiver;
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
		const answer = scanned.members.every((member) => member.key !== 'method');
		if (answer) this.finish();
		this.receiver.message(scanned, this.headers);
	}

	/**
	 * Errors that name the request are answers too: 2026-07-28 gives them 4xx. Without an id it is the transport that
	 * refuses, such as a 404 for a session that is gone.
	 */
	private faulted(body: Buffer): void {
		const scanned = scanJson(Buffer.from(body), { error: {} });
		const members = isScanFault(scanned) ? null : scanned.members;
		const id = members?.find((member) => member.key === 'id');
		const named = id !== undefined && !isScanFault(scanned) && scanned.text[id.start] !== 0x6e;
		const isAnswer = named && members?.some((member) => member.key === 'error') === true && !this.isTransportFault();
		this.finish();
		if (isAnswer && !isScanFault(scanned)) this.receiver.message(scanned, this.headers);
		else this.receiver.failed({ kind: 'http', status: this.status, body });
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

/** Bytes to SSE events with data. */
class EventReader {
	private readonly decoder = new StringDecoder('utf8');
	private readonly parser: EventSourceParser;
	lastEventId = '';
	retryMs: number | null = null;
	private tooLong = false;

	constructor(data: (text: Buffer) => void) {
		this.parser = createParser({
			onEvent: (event) => {
				if (event.id !== undefined) this.lastEventId = event.id;
				if (event.data !== '') data(Buffer.from(event.data));
			},
			onRetry: (ms) => {
				this.retryMs = ms;
			},
			onError: (error) => {
				if (error.type !== 'unknown-field') this.tooLong = true;
			},
			maxBufferSize: maximumAnswerBytes,
		});
	}

	/** False when an event is larger than what is accepted. */
	push(chunk: Buffer): boolean {
		this.parser.feed(this.decoder.write(chunk));
		return !this.tooLong;
	}
}

/** The GET stream for what belongs to no request: opened again when it ends, until it is refused. */
class Listening implements Ticket, Dispatcher.DispatchHandler {
	private readonly openStream: (lastEventId: string, handler: Dispatcher.DispatchHandler) => void;
	private readonly url: URL;
	private readonly receiver: Receiver;
	private reader: EventReader | null = null;
	private lastEventId = '';
	private retryMs = 1000;
	private pauseMs = 1000;
	private timer: NodeJS.Timeout | null = null;
	private controller: Dispatcher.DispatchController | null = null;
	private over = false;

	constructor(openStream: Listening['openStream'], url: URL, receiver: Receiver) {
		this.openStream = openStream;
		this.url = url;
		this.receiver = receiver;
	}

	begin(): void {
		if (!this.over) this.openStream(this.lastEventId, this);
	}

	cancel(): void {
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.controller?.abort(new Error('cancelled'));
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
		const events = status === 200 && String(headers['content-type'] ?? '').startsWith('text/event-stream');
		if (!events) {
			// 405 means that the server has no such stream; 404 shows on the next call.
			this.over = true;
			return;
		}
		this.pauseMs = this.retryMs;
		this.reader = new EventReader((data) => {
			const scanned = scanJson(data, { params: { _meta: {} }, result: {}, error: {} });
			if (!isScanFault(scanned) && scanned.members !== null) this.receiver.message(scanned, null);
		});
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		if (this.reader === null || this.over) return;
		this.reader.push(chunk);
		if (this.reader.lastEventId !== '') this.lastEventId = this.reader.lastEventId;
		if (this.reader.retryMs !== null) this.retryMs = this.reader.retryMs;
	}

	onResponseEnd(): void {
		this.again();
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		if (!this.over) this.receiver.failed(ioFault(this.url, error));
		this.again();
	}

	private again(): void {
		this.reader = null;
		if (this.over) return;
		this.timer = setTimeout(() => this.begin(), this.pauseMs);
		this.timer.unref();
		this.pauseMs = Math.min(this.pauseMs * 2, 30_000);
	}
}

function ioFault(url: URL, error: Error): TransportFault {
	const code = (error as NodeJS.ErrnoException).code ?? '';
	const where = `${url.protocol}//${url.host}`;
	const check = 'Check that the server runs and that the URL of the target is right.';
	if (code === 'ECONNREFUSED') return { kind: 'io', reason: `connection to ${where} was refused`, remedy: check };
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
		return { kind: 'io', reason: `host ${url.hostname} was not found`, remedy: check };
	if (code === 'UND_ERR_CONNECT_TIMEOUT')
		return { kind: 'io', reason: `connection to ${where} timed out`, remedy: check };
	return { kind: 'io', reason: `connection to ${where} broke: ${error.message}`, remedy: '' };
}
