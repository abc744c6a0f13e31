import { connect, type Socket } from 'node:net';
import type { Placed, WaitingLine } from '../../../lib/waiting-line.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { ReplyHandler } from './http-request.ts';
import { turnMs } from './paced-reply.ts';
import type { ReplyHead } from './reply-head.ts';

/** A request on its way, and who hears of it. */
export class PendingCall implements Placed {
	place = -1;
	readonly head: string;
	readonly body: Buffer | null;
	readonly handler: ReplyHandler;
	/** The connection that carries it now. */
	connection: CallConnection | null = null;
	aborted = false;
	/** Where it waits for a connection, and since when. */
	line: WaitingLine<PendingCall> | null = null;
	since = 0;

	constructor(head: string, body: Buffer | null, handler: ReplyHandler) {
		this.head = head;
		this.body = body;
		this.handler = handler;
	}

	/** Gives the request up; its connection goes with it. */
	abort(): void {
		this.aborted = true;
		this.line?.remove(this);
		this.line = null;
		this.connection?.destroy();
		this.connection = null;
	}
}

/** What connections tell their pool. */
export interface CallConnectionOwner {
	readonly host: string;
	readonly port: number;
	/** The connection is free for the next request. */
	free(connection: CallConnection): void;
	gone(connection: CallConnection): void;
	/** Reads the head of a reply; null when it is none. */
	headOf(text: string): ReplyHead | null;
	/** A bug showed while a reply was handled. Whoever waits for that may have been told of its end already. */
	onFault(fault: unknown): void;
}

const connectTimeoutMs = 10_000;
/** An idle connection is probed after so long; ten probes, one a second, without answer end it (libuv). */
const probeMs = 15_000;
/** As in node: more of headers is refused. */
const maximumHeadBytes = 16 * 1024;
/** So many 1xx replies before the real one. */
const maximumInterim = 16;
/** A larger body is not copied to go out in one piece with the head. */
const maximumJoined = 8 * 1024;
/** No work for long is in a smaller piece. */
const smallPiece = 4096;
const headEnd = Buffer.from('\r\n\r\n');

/** One connection to a server, which carries one request at a time over HTTP/1.1. */
export class CallConnection {
	/** When it must not be used any more, in milliseconds on the monotonic clock. */
	expires = Number.POSITIVE_INFINITY;
	/** What the server said last of how long it keeps the connection. */
	keepAliveMs: number | null = null;
	private readonly owner: CallConnectionOwner;
	private readonly socket: Socket;
	private call: PendingCall | null = null;
	/** The beginning of a head. */
	private partial: Buffer | null = null;
	private head: ReplyHead | null = null;
	/** Bytes of the body that are missing. */
	private left = 0;
	private chunked: ChunkedBody | null = null;
	private interim = 0;
	private connected = false;
	private error: Error | null = null;

	constructor(owner: CallConnectionOwner) {
		this.owner = owner;
		const { host, port } = owner;
		this.socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: probeMs });
		const timer = setTimeout(
			() => this.break(coded(`connect timed out after ${connectTimeoutMs} ms`, 'UND_ERR_CONNECT_TIMEOUT')),
			connectTimeoutMs,
		);
		this.socket.on('connect', () => {
			clearTimeout(timer);
			this.connected = true;
			if (this.call !== null) this.write(this.call);
		});
		this.socket.on('data', (chunk: Buffer) => this.heard(chunk));
		this.socket.on('end', () => this.ended());
		this.socket.on('error', (error) => (this.error ??= error));
		this.socket.on('close', () => {
			clearTimeout(timer);
			this.closed();
		});
	}

	/** Whether a request can be sent over it. */
	get usable(): boolean {
		return this.socket.writable && !this.socket.destroyed;
	}

	/** Sends a request; as soon as the connection stands, if it does not yet. */
	send(call: PendingCall): void {
		this.call = call;
		call.connection = this;
		if (this.connected) this.write(call);
	}

	/** Closes it; who waits for an answer is not told. */
	destroy(): void {
		this.call = null;
		this.socket.destroy();
	}

	/** Closes it with an error for who waits for an answer. */
	break(error: Error): void {
		this.error ??= error;
		this.socket.destroy();
	}

	private write(call: PendingCall): void {
		const { head, body } = call;
		if (body === null) this.socket.write(head, 'latin1');
		else if (body.length <= maximumJoined) this.socket.write(head + body.toString('latin1'), 'latin1');
		else {
			this.socket.cork();
			this.socket.write(head, 'latin1');
			this.socket.write(body);
			this.socket.uncork();
		}
	}

	/** Of a flood, libuv reads 2 MiB in one turn. Where a piece of it was work, the next one comes after the others' turn. */
	private heard(chunk: Buffer): void {
		if (chunk.length < smallPiece) return this.take(chunk);
		const began = performance.now();
		this.take(chunk);
		if (performance.now() - began < turnMs || this.socket.destroyed) return;
		this.socket.pause();
		setImmediate(() => this.socket.resume());
	}

	private take(chunk: Buffer): void {
		const { call } = this;
		// What nobody asked for could be taken for the reply to the next request.
		if (call === null) return void this.socket.destroy();
		try {
			const rest = this.head === null ? this.takeHead(chunk) : chunk;
			if (this.head !== null && rest !== null) this.takeBody(this.head, rest);
		} catch (fault) {
			// Nothing must go on in the middle of an answer; by now the connection may carry another request.
			if (this.call === call) this.destroy();
			call.connection = null;
			this.owner.onFault(fault);
			call.handler.onResponseError?.(call, fault instanceof Error ? fault : new Error(String(fault)));
		}
	}

	/** Gives what follows the head; null while the head is not whole. */
	private takeHead(chunk: Buffer): Buffer | null {
		const all = this.partial === null ? chunk : Buffer.concat([this.partial, chunk]);
		const end = all.indexOf(headEnd);
		if (end > maximumHeadBytes || (end < 0 && all.length > maximumHeadBytes + 3))
			return this.refuse('the headers are too large');
		if (end < 0) {
			// The rest of what is no head may never come.
			if (!mayBeHead(all)) return this.refuse(notHttp);
			this.partial = all;
			return null;
		}
		this.partial = null;
		const head = this.owner.headOf(all.toString('latin1', 0, end));
		const rest = all.subarray(end + 4);
		if (head === null || head.status === 101) return this.refuse(notHttp);
		if (head.status < 200) {
			if (++this.interim > maximumInterim) return this.refuse('too many interim replies');
			return rest.length === 0 ? null : this.takeHead(rest);
		}
		this.interim = 0;
		this.head = head;
		this.keepAliveMs = head.keepAliveMs;
		this.left = typeof head.framing === 'number' ? head.framing : 0;
		this.chunked = head.framing === 'chunked' ? new ChunkedBody() : null;
		const { call } = this;
		call?.handler.onResponseStart?.(call, head.status, head.headers);
		return rest;
	}

	private takeBody({ framing }: ReplyHead, chunk: Buffer): void {
		if (framing === 'close') {
			if (chunk.length > 0) this.piece(chunk);
			return;
		}
		if (this.chunked !== null) {
			const end = this.chunked.push(chunk, (piece) => this.piece(piece));
			if (end === null) this.refuse('its chunks are not valid');
			else if (end >= 0) this.complete(end < chunk.length);
			return;
		}
		const more = chunk.length > this.left;
		const own = more ? chunk.subarray(0, this.left) : chunk;
		this.left -= own.length;
		if (own.length > 0) this.piece(own);
		if (this.left === 0) this.complete(more);
	}

	private piece(piece: Buffer): void {
		const { call } = this;
		call?.handler.onResponseData?.(call, piece);
	}

	/** The reply is whole. `more`: the server has sent more than that, which no request can trust. */
	private complete(more: boolean): void {
		const { call } = this;
		this.head = null;
		this.chunked = null;
		if (call === null) return;
		this.call = null;
		call.connection = null;
		if (more || this.keepAliveMs === 0 || this.socket.writableLength > 0) this.socket.destroy();
		else this.owner.free(this);
		call.handler.onResponseEnd?.(call, noTrailers);
	}

	private refuse(reason: string): null {
		this.break(coded(reason, 'UND_ERR_SOCKET'));
		return null;
	}

	private ended(): void {
		if (this.head?.framing === 'close') this.complete(true);
		this.socket.destroy();
	}

	private closed(): void {
		const { call } = this;
		this.call = null;
		this.owner.gone(this);
		if (call === null) return;
		call.connection = null;
		call.handler.onResponseError?.(call, this.error ?? coded('other side closed', 'UND_ERR_SOCKET'));
	}
}

const noTrailers = {};
const notHttp = 'what it answered is not valid HTTP/1.1';
const beginning = 'HTTP/';

/** Whether it is the beginning of a head: it begins as one, and each line feed ends a line (RFC 9112 §2.2). */
function mayBeHead(bytes: Buffer): boolean {
	if (!beginning.startsWith(bytes.toString('latin1', 0, beginning.length))) return false;
	for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1))
		if (bytes[at - 1] !== 0x0d) return false;
	return true;
}

function coded(message: string, code: string): Error {
	return Object.assign(new Error(message), { code });
}
