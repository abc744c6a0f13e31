import type { IncomingMessage } from 'node:http';
import type { Facts } from '../facts/facts.ts';
import { Pieces } from '../lib/pieces.ts';
import type { Slotted } from '../lib/slot-list.ts';
import type { Admission } from './admission.ts';
import { replyFault, replyRefusal, type ReportFault } from './errors.ts';
import type { Expiring, Refusal, ReplyStream } from './exchange.ts';
import type { GatewayRequest } from './gateway-request.ts';
import type { GatewayResponse } from './gateway-response.ts';
import { HeldBytes } from './held-bytes.ts';
import type { PolicyExchange, ReplyHook } from './policy.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { ReplyHeads } from './reply-heads.ts';

/** What exchanges share: the server behind them. */
export interface ExchangeOwner {
	readonly report: ReportFault;
	/** Milliseconds without progress after which a client that does not read its reply is given up. */
	readonly stallTimeout: number;
	/** What may still be taken; null: everything. */
	readonly admission: Admission | null;
	/** Whether connections are to close after their reply. */
	readonly draining: boolean;
	readonly heads: ReplyHeads;
	/** Called once per exchange, when the reply has been sent or the client has gone. */
	ended(exchange: ServerExchange): void;
}

/** The connection that an exchange came over. */
export interface ExchangePeer {
	overLoopback: boolean;
	/** The exchange that began last, while it is in flight. */
	exchange: ServerExchange | null;
	/** An exchange that was answered before its request was whole, until the next one begins. */
	early: ServerExchange | null;
	/** Exchanges in flight; more than one when the client pipelines. */
	inFlight: number;
}

/** The exchange over `node:http`. After the client has gone, replies are accepted and thrown away. */
export class ServerExchange implements PolicyExchange, Slotted {
	slot = -1;
	expiring: Expiring | null = null;
	readonly method: string;
	readonly path: string;
	readonly query: string;
	readonly host: string;
	readonly headers: IncomingMessage['headers'];
	readonly overLoopback: boolean;
	readonly facts: Facts;
	replied = false;
	closed = false;
	private expired = false;
	private stalled = false;
	private readonly request: GatewayRequest;
	private readonly response: GatewayResponse;
	private readonly owner: ExchangeOwner;
	private readonly peer: ExchangePeer;
	private hooks: ReplyHook[] | null = null;
	private gone: (() => void) | (() => void)[] | null = null;
	private bodyDone: ((body: Buffer | Refusal) => void) | null = null;
	private bodyFault: Refusal | null = null;
	private bodySettled = false;
	private bodyLimit = 0;
	private bodySize = 0;
	private first: Buffer | null = null;
	private rest: Pieces | null = null;

	constructor(
		request: GatewayRequest,
		response: GatewayResponse,
		owner: ExchangeOwner,
		target: { path: string; query: string; host: string },
		peer: ExchangePeer,
		facts: Facts,
	) {
		this.request = request;
		this.response = response;
		this.owner = owner;
		this.method = facts.method;
		this.path = target.path;
		this.query = target.query;
		this.host = target.host;
		this.headers = request.headers;
		this.overLoopback = peer.overLoopback;
		this.peer = peer;
		peer.exchange = this;
		peer.early = null;
		peer.inFlight++;
		this.facts = facts;
		request.exchange = this;
		response.exchange = this;
		response.tellClose();
	}

	body(limit: number, done: (body: Buffer | Refusal) => void): void {
		if (this.bodyDone !== null) throw new Error('the body is read once');
		this.bodyDone = done;
		const refusal = this.closed ? clientGone : (this.bodyFault ?? this.refuseBody(limit));
		if (refusal !== null) return this.settleBody(refusal);
		if (this.headers['content-length'] === undefined && this.headers['transfer-encoding'] === undefined)
			return this.settleBody(empty);
		this.bodyLimit = limit;
		this.request.handOn();
	}

	respond(status: number, headers: readonly string[], body: Buffer | readonly Buffer[] | string | null): void {
		const flat = this.head(status, headers);
		if (flat === null) return;
		if (Buffer.isBuffer(body) && this.respondAtOnce(status, flat, body)) return;
		const length = sizeOf(body);
		if (status !== 204 && status !== 304) flat.push('content-length', String(length));
		this.facts.responseBytes = length;
		this.response.writeHead(status, flat);
		this.replied = true;
		if (length === 0) this.response.end();
		else if (Array.isArray(body)) this.endWith(body as readonly Buffer[]);
		else this.response.end(body);
		if (this.response.writableLength > 0) this.limitStall();
	}

	stream(status: number, headers: readonly string[]): ReplyStream {
		const flat = this.head(status, headers);
		if (flat === null) return closedStream;
		this.facts.responseBytes = 0;
		this.response.writeHead(status, flat);
		this.replied = true;
		// The client learns at once that its stream is open, long before the first event.
		this.response.flushHeaders();
		return new ResponseStream(this.response, this.facts);
	}

	onGone(gone: () => void): void {
		if (this.closed) {
			if (!this.response.writableEnded) gone();
		} else if (this.gone === null) this.gone = gone;
		else if (typeof this.gone === 'function') this.gone = [this.gone, gone];
		else this.gone.push(gone);
	}

	keepBody(): HeldBytes {
		const kept = this.hold(this.bodySize);
		this.letGoOfBody();
		return kept;
	}

	hold(bytes: number): HeldBytes {
		return new HeldBytes(this.owner.admission, bytes);
	}

	onReply(hook: ReplyHook): void {
		if (this.hooks === null) this.hooks = [hook];
		else this.hooks.push(hook);
	}

	/** The rest of the request will not come or cannot be read; the connection ends with this exchange. */
	breakBody(refusal: Refusal): void {
		this.response.shouldKeepAlive = false;
		this.bodyFault = refusal;
		if (this.bodyDone !== null) this.settleBody(refusal);
	}

	/** Lets the reply be the last one on its connection. */
	closeAfterReply(): void {
		this.response.shouldKeepAlive = false;
	}

	/** Ends the connection when what has been written is out. */
	endConnection(): void {
		this.request.socket.destroySoon();
	}

	/**
	 * The server waits no longer: what has not been answered is refused with 503, what streams ends. Whoever answers
	 * later answers nobody.
	 */
	expire(): void {
		if (this.closed) return;
		try {
			this.expiring?.expire();
			if (this.bodyDone !== null && !this.bodySettled) this.settleBody(stopping);
			if (this.response.writableEnded) return;
			if (!this.replied) replyRefusal(this, stopping);
		} catch (fault) {
			replyFault(this, fault, this.owner.report);
		}
		this.expired = true;
		// To whoever works on an answer it is the same as if the client had gone.
		this.callGone();
		if (!this.response.writableEnded) this.response.end();
	}

	/**
	 * The client does not take the end of its reply at once. node closes the connection if it takes nothing at all for so
	 * long, and sets the time-out of an idle connection when everything is out.
	 */
	limitStall(): void {
		this.stalled = true;
		this.request.socket.setTimeout(this.owner.stallTimeout);
	}

	/** Whether the whole request has arrived. */
	get requestComplete(): boolean {
		return this.request.complete;
	}

	/** Takes a piece of the body; called by the request's listener. */
	take(chunk: Buffer): void {
		if (this.bodySettled) return;
		this.bodySize += chunk.length;
		const { admission } = this.owner;
		if (admission !== null) {
			const busy = admission.refuseBody(chunk.length);
			admission.held += chunk.length;
			if (busy !== null) return this.settleBody(busy);
		}
		if (this.bodySize > this.bodyLimit) this.settleBody(tooLarge(this.bodyLimit));
		else if (this.first === null) this.first = chunk;
		else {
			this.rest ??= new Pieces(this.first);
			this.rest.add(chunk);
		}
	}

	/** The body has ended; called by the request's listener. */
	finishBody(): void {
		if (this.bodySettled) return;
		this.settleBody(this.rest === null ? (this.first ?? empty) : this.rest.join());
	}

	/** The connection is done with this exchange; called by the response's listener. */
	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.peer.inFlight--;
		// The reply to the next request of a client that pipelines may take its time.
		if (this.stalled && this.peer.inFlight > 0) this.request.socket.setTimeout(0);
		if (this.peer.exchange === this) this.peer.exchange = null;
		if (this.response.writableFinished) {
			if (!this.request.complete) this.lingerForBody();
		} else {
			if (this.bodyDone !== null && !this.bodySettled) this.settleBody(clientGone);
			if (this.facts.status === undefined) this.facts.status = 499;
			this.facts.error ??= 'the client went away';
			if (!this.response.writableEnded) this.callGone();
		}
		this.expiring?.closing?.();
		this.letGoOfBody();
		this.owner.ended(this);
	}

	private letGoOfBody(): void {
		if (this.owner.admission !== null) this.owner.admission.held -= this.bodySize;
		this.bodySize = 0;
	}

	private settleBody(body: Buffer | Refusal): void {
		if (this.bodySettled) return;
		this.bodySettled = true;
		this.first = null;
		this.rest = null;
		if (isRefusal(body)) this.request.resume();
		try {
			this.bodyDone?.(body);
		} catch (fault) {
			replyFault(this, fault, this.owner.report);
		}
	}

	private refuseBody(limit: number): Refusal | null {
		const encoding = this.headers['content-encoding'];
		if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
			return refuse(415, 'request bodies must not be compressed', 'InvalidRequest', ['accept-encoding', 'identity']);
		}
		const announced = this.headers['content-length'];
		if (announced === undefined) return null;
		if (Number(announced) > limit) return tooLarge(limit);
		return this.owner.admission?.refuseBody(Number(announced)) ?? null;
	}

	/** False: node has to answer. That is what it is for wherever anything is out of the ordinary. */
	private respondAtOnce(status: number, headers: readonly string[], body: Buffer): boolean {
		if (this.method !== 'POST' || status !== 200 || body.length === 0 || body.length > maximumAtOnce) return false;
		const { response, request } = this;
		if (!request.complete || request.httpVersionMinor !== 1 || !response.mayGoAtOnce) return false;
		const head = this.owner.heads.of(status, headers, body.length);
		if (head === null) return false;
		this.facts.responseBytes = body.length;
		this.replied = true;
		response.sendWhole(status, head + body.toString('latin1'));
		if (response.writableLength > 0) this.limitStall();
		return true;
	}

	/** The flat headers to send; null when nobody is there to read them. */
	private head(status: number, headers: readonly string[]): string[] | null {
		if (this.expired) return null;
		if (this.replied) throw new Error(`second reply to ${this.method} ${this.path}`);
		const flat = headers.slice();
		if (this.hooks !== null) {
			const hooks = this.hooks;
			this.hooks = null;
			for (let at = hooks.length - 1; at >= 0; at--) hooks[at]?.(status, flat);
		}
		if (this.closed || this.response.destroyed) {
			this.replied = true;
			return null;
		}
		this.facts.status = status;
		if (this.owner.draining) this.response.shouldKeepAlive = false;
		return flat;
	}

	private endWith(pieces: readonly Buffer[]): void {
		this.response.cork();
		for (const piece of pieces) this.response.write(piece);
		this.response.end();
	}

	private callGone(): void {
		const gone = this.gone;
		this.gone = null;
		if (gone === null) return;
		try {
			if (typeof gone === 'function') gone();
			else for (const one of gone) one();
		} catch (fault) {
			this.owner.report(fault, this);
		}
	}

	/**
	 * The reply has been sent before the request was whole (413 and the like). Closing at once would reset the
	 * connection and destroy the reply on its way; so node throws the rest away for a moment.
	 */
	private lingerForBody(): void {
		this.peer.early = this;
		const timer = setTimeout(() => {
			if (!this.request.complete) this.request.socket.destroy();
		}, lingerMs);
		timer.unref();
	}
}

class ResponseStream implements ReplyStream {
	private readonly response: GatewayResponse;
	private readonly facts: Facts;

	constructor(response: GatewayResponse, facts: Facts) {
		this.response = response;
		this.facts = facts;
	}

	write(chunk: Buffer | string): boolean {
		if (this.response.destroyed || this.response.writableEnded) return true;
		this.facts.responseBytes = (this.facts.responseBytes ?? 0) + Buffer.byteLength(chunk);
		return this.response.write(chunk);
	}

	end(): void {
		if (this.response.destroyed || this.response.writableEnded) return;
		this.response.end();
		if (this.response.writableLength > 0) this.response.exchange?.limitStall();
	}

	onDrain(drain: () => void): void {
		this.response.on('drain', drain);
	}

	get buffered(): number {
		return this.response.writableLength;
	}
}

const lingerMs = 1_000;
/** Larger bodies are not copied into one piece with their head. */
const maximumAtOnce = 16 * 1024;
const empty = Buffer.alloc(0);
const clientGone = refuse(400, 'the client went away', 'InvalidRequest');
/** The answer to requests that the end of a drain leaves unanswered. */
const stopping = refuse(503, 'the gateway is stopping', 'Internal', ['retry-after', '5']);
const closedStream: ReplyStream = { write: () => true, end: () => {}, onDrain: () => {}, buffered: 0 };

function sizeOf(body: Buffer | readonly Buffer[] | string | null): number {
	if (body === null) return 0;
	if (typeof body === 'string') return Buffer.byteLength(body);
	if (Buffer.isBuffer(body)) return body.length;
	let size = 0;
	for (const piece of body) size += piece.length;
	return size;
}

function tooLarge(limit: number): Refusal {
	return refuse(413, `the request body is larger than ${limit} bytes`, 'InvalidRequest');
}
