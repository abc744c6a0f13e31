import { isScanFault, type Scanned, scanJson } from '../../../lib/json-scan.ts';
import { Pieces } from '../../../lib/pieces.ts';
import type { SlotList, Slotted } from '../../../lib/slot-list.ts';
import type { Ticket } from '../../model.ts';
import { type BodyDecoder, bodyDecoder, isFault } from './body-decoder.ts';
import { EventReader } from '../../../lib/event-reader.ts';
import { tooLarge } from './event-stream.ts';
import type { HttpChannel } from './http-channel.ts';
import type { HttpRequest, ReplyHandler, ReplyHeaders, RequestControl } from './http-request.ts';
import { ioFault, maximumFaultBytes, replyFault } from './io-fault.ts';
import { framedFrom, readResultFrame } from './result-frame.ts';
import { Resuming } from './resuming.ts';
import { envelopeMember, isMessage, messagesOf, scanMessage } from './scan-message.ts';
import { sessionLoss } from './session-loss.ts';
import type { Receiver, TransportFault } from './transport.ts';
import { withoutAddress } from './without-address.ts';

/** One POST: collects a JSON answer, or takes events as they come. A class, not closures: this is the hot path. */
export class Posting implements Ticket, Slotted, ReplyHandler {
	slot = -1;
	private readonly channel: HttpChannel;
	private readonly request: HttpRequest;
	private readonly receiver: Receiver;
	/** null: a notification, which wants no answer. */
	private readonly id: number | null;
	/** The requests under way, of which this is one. */
	private readonly siblings: SlotList<Posting> | null;
	private controller: RequestControl | null = null;
	private status = 0;
	private headers: ReplyHeaders = {};
	private kind: 'json' | 'events' | 'fault' | 'moved' | 'nothing' = 'nothing';
	private first: Buffer | null = null;
	private more: Pieces | null = null;
	private length = 0;
	private events: EventReader | null = null;
	private decoder: BodyDecoder | null = null;
	private resuming: Resuming | null = null;
	private redirects = 0;
	private over = false;
	/** Called when it is over. */
	settled: (() => void) | null = null;

	constructor(
		channel: HttpChannel,
		request: HttpRequest,
		receiver: Receiver,
		id: number | null,
		siblings: SlotList<Posting> | null,
	) {
		this.channel = channel;
		this.request = request;
		this.receiver = receiver;
		this.id = id;
		this.siblings = siblings;
	}

	send(): void {
		this.channel.send(this.request, this);
	}

	/** Whether the server has said anything, be it only a status. */
	get answered(): boolean {
		return this.status !== 0;
	}

	cancel(): void {
		if (this.over) return;
		this.finish();
		this.controller?.abort(new Error('cancelled'));
	}

	onRequestStart(controller: RequestControl): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	onResponseStart(_controller: RequestControl, status: number, headers: ReplyHeaders): void {
		if (this.over) return;
		this.status = status;
		this.headers = headers;
		if (status >= 300 && status < 400 && this.redirected()) return;
		if (headers['content-encoding'] !== undefined && !this.decode(headers)) return;
		const type = String(headers['content-type'] ?? '');
		if (status === 202 || status === 204) this.kind = 'nothing';
		else if (status < 200 || status >= 300) this.kind = 'fault';
		else if (type.startsWith('application/json')) this.kind = 'json';
		else if (type.startsWith('text/event-stream')) {
			this.kind = 'events';
			this.events = new EventReader(this.channel.limit, (data, name) => this.event(data, name));
		} else if (type !== '') this.fail(wrongType(type));
	}

	onResponseData(_controller: RequestControl, chunk: Buffer): void {
		if (this.decoder === null) this.take(chunk);
		else if (!this.over) this.decoder.write(chunk);
	}

	onResponseEnd(): void {
		if (this.over) return;
		if (this.decoder === null) this.ended();
		else this.decoder.end();
	}

	onResponseError(_controller: RequestControl, error: Error): void {
		this.broke(ioFault(this.channel.url, error));
	}

	/** Whether the request goes on elsewhere, or failed because it must not. */
	private redirected(): boolean {
		const redirect = this.channel.redirect(this.request.method, this.status, this.headers, this.redirects);
		if (redirect === null) return false;
		if (redirect === 'moved') {
			this.redirects++;
			this.kind = 'moved';
		} else this.fail(redirect);
		return true;
	}

	/** False when the body cannot be read. */
	private decode(headers: ReplyHeaders): boolean {
		const decoder = bodyDecoder(headers, {
			data: (chunk) => this.take(chunk),
			end: () => this.ended(),
			broken: (fault) => this.broke(fault),
		});
		if (isFault(decoder)) this.fail(decoder);
		else this.decoder = decoder;
		return !this.over;
	}

	private take(chunk: Buffer): void {
		if (this.over) return;
		if (this.events !== null) {
			if (!this.events.push(chunk)) this.fail(tooLarge(this.channel.limit));
			return;
		}
		this.length += chunk.length;
		if (this.kind !== 'json') return this.refusal(chunk);
		if (this.length > this.channel.limit) return this.fail(tooLarge(this.channel.limit));
		this.keep(chunk);
	}

	private keep(chunk: Buffer): void {
		// Nearly every answer is one chunk: kept as it is.
		if (this.first === null) this.first = chunk;
		else {
			this.more ??= new Pieces(this.first);
			this.more.add(chunk);
		}
	}

	/** A part of a reply that is no answer. It may go on for ever; its beginning has to do. */
	private refusal(chunk: Buffer): void {
		const over = Math.max(0, this.length - maximumFaultBytes);
		if (this.kind === 'fault') this.keep(over === 0 ? chunk : chunk.subarray(0, chunk.length - over));
		if (over > 0) this.enough();
	}

	private enough(): void {
		if (this.kind === 'fault') this.faulted(this.collected);
		else this.fail(replyFault(`it answered HTTP ${this.status} with more than ${maximumFaultBytes} bytes`));
		this.controller?.abort(new Error('given up'));
	}

	private get collected(): Buffer {
		return this.more === null ? (this.first ?? empty) : this.more.join();
	}

	private ended(): void {
		if (this.over) return;
		if (this.kind === 'moved') {
			this.kind = 'nothing';
			this.length = 0;
			return this.send();
		}
		if (this.kind === 'events') {
			this.broke(replyFault('its event stream ended before the answer'));
			if (this.resuming !== null && this.events?.retryMs !== null) this.receiver.paused?.();
			return;
		}
		if (this.kind === 'json' && this.length >= framedFrom && this.unread(this.more?.all() ?? [this.first ?? empty]))
			return;
		const body = this.collected;
		if (this.kind === 'fault') return this.faulted(body);
		if (this.kind === 'json' && body.length > 0) return this.deliver(body);
		this.finish();
		this.receiver.failed(replyFault(`it answered HTTP ${this.status} without a message`));
	}

	/** The answer did not come to its end. Where the events had ids, the rest is asked for. */
	private broke(fault: TransportFault): void {
		if (this.over || this.resuming !== null) return;
		const { events } = this;
		if (events === null || events.lastEventId === '' || this.id === null) return this.fail(fault);
		this.controller?.abort(new Error('to be resumed'));
		this.resuming = new Resuming(this.channel, this.sessionHeaders(), events, {
			event: (data, type) => this.event(data, type),
			gaveUp: (later) => this.fail(later ?? fault),
		});
		this.resuming.begin();
	}

	/** The request's own headers, with the session that only the answer to `initialize` names. */
	private sessionHeaders(): readonly string[] {
		const session = this.headers['mcp-session-id'];
		const { headers } = this.request;
		return typeof session !== 'string' || headers.includes('mcp-session-id')
			? headers
			: [...headers, 'mcp-session-id', session];
	}

	private event(data: Buffer, type: string): void {
		if (type === 'message') this.deliver(data);
	}

	/** Messages came. The one that answers the request ends this posting. */
	private deliver(text: Buffer): void {
		if (this.over || (text.length >= framedFrom && this.unread([text]))) return;
		const scanned = scanMessage(text);
		if (isScanFault(scanned)) return this.fail(replyFault(`it sent what is not acceptable JSON (${scanned.fault})`));
		const batch = messagesOf(scanned);
		if (batch === null) this.message(scanned);
		else {
			// What belongs to the answer comes before it.
			for (const message of batch) if (envelopeMember(message, 'method') !== undefined) this.message(message);
			for (const message of batch) if (isMine(message, this.id)) this.message(message);
		}
		// Nothing more comes: a request or notification of the server in place of the answer would be waited on for ever.
		if (this.kind === 'json' && !this.over) this.fail(replyFault('it answered another request'));
	}

	/** Whether the receiver takes a large response without its result having been looked into. */
	private unread(pieces: readonly Buffer[]): boolean {
		if (this.receiver.unread === undefined) return false;
		const frame = readResultFrame(pieces);
		if (frame === null || frame.id !== this.id || !this.receiver.unread(frame)) return false;
		this.finish();
		return true;
	}

	private message(scanned: Scanned): void {
		if (this.over) return;
		if (!isMessage(scanned)) return this.fail(replyFault('it sent what is not acceptable JSON'));
		if (envelopeMember(scanned, 'method') === undefined) {
			if (!isMine(scanned, this.id)) return this.foreign();
			this.finish();
		}
		this.receiver.message(scanned, this.headers);
	}

	/** An answer to somebody else's request. Handed on, it would reach the wrong client. */
	private foreign(): void {
		// On a stream the right one may still come.
		if (this.kind !== 'events') this.fail(replyFault('it answered another request'));
	}

	/**
	 * Errors that name the request are answers too: 2026-07-28 gives them 4xx. Without an id it is the transport that
	 * refuses, such as a 404 for a session that is gone.
	 */
	private faulted(body: Buffer): void {
		const { status } = this;
		const scanned = scanJson(Buffer.from(body), { error: {} });
		const isAnswer =
			!isScanFault(scanned) && envelopeMember(scanned, 'error') !== undefined && isMine(scanned, this.id);
		const loss = sessionLoss(status, this.request.headers.includes('mcp-session-id'), body);
		// What carries the request's own id may come from a handler; a 404 does not.
		const sessionLost = isAnswer && loss === 'likely' ? false : loss;
		this.finish();
		if (isAnswer && status < 500 && sessionLost === false) this.receiver.message(scanned, this.headers);
		else {
			const told = withoutAddress(body, this.channel.url);
			const fault = { kind: 'http', status, body: told, sessionLost } as const;
			this.receiver.failed(sessionLost === false ? fault : { ...fault, neverRan: true });
		}
	}

	/** Ends it without an answer. */
	fail(fault: TransportFault): void {
		if (this.over) return;
		this.finish();
		this.receiver.failed(fault);
		this.controller?.abort(new Error('given up'));
	}

	private finish(): void {
		this.over = true;
		this.siblings?.remove(this);
		this.decoder?.destroy();
		this.resuming?.cancel();
		this.settled?.();
	}
}

const empty = Buffer.alloc(0);

/** Whether an answer carries the id of a request. */
function isMine(answer: Scanned, own: number | null): boolean {
	const id = envelopeMember(answer, 'id');
	return id !== undefined && own !== null && answer.text.toString('latin1', id.start, id.end) === String(own);
}

function wrongType(type: string): TransportFault {
	return replyFault(
		`it answered ${type} where JSON or events were expected`,
		'Check that the URL of the target is an MCP endpoint.',
	);
}
