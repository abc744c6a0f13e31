import { createServer, type Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Address } from '../config/ir.ts';
import { type Facts, newFacts } from '../facts/facts.ts';
import { inSlices } from '../lib/in-slices.ts';
import { SlotList } from '../lib/slot-list.ts';
import type { Admission } from './admission.ts';
import { isLoopbackAddress } from './authority.ts';
import { type ReportFault, replyFault, replyRefusal } from './errors.ts';
import type { PolicyExchange } from './policy.ts';
import type { Refusal } from './exchange.ts';
import { isRefusal, refuse } from './refusal.ts';
import { ReplyHeads } from './reply-heads.ts';
import { checkRequest, type HostMemory } from './request-check.ts';
import { RequestMemory } from './request-memory.ts';
import { GatewayRequest } from './gateway-request.ts';
import { GatewayResponse, type RememberingSocket } from './gateway-response.ts';
import { type ExchangeOwner, type ExchangePeer, ServerExchange } from './server-exchange.ts';
import { type ListenFault, openSockets } from './sockets.ts';

/** How to serve one address. */
export interface ListenOptions {
	address: Address;
	/** `bind/3000`, or a name such as `admin`; stands in the facts. */
	bind: string;
	/** Answers each request that is well-formed. Must reply, now or later, exactly once. */
	handler: (exchange: PolicyExchange) => void;
	/** Is told of what `handler` throws. */
	onError: ReportFault;
	/** Is told when a reply has been sent or its client has gone, once per request. */
	onEnd?: (facts: Facts) => void;
	/** Is told of each connection that is accepted. */
	onConnection?: () => void;
	/** Is told what went over a connection, in bytes, when it has closed. */
	onConnectionEnd?: (received: number, sent: number) => void;
	/** What may still be taken; null: everything. Default null. */
	admission?: Admission | null;
	/** Milliseconds for the headers to arrive, then 408. Default 10 s. */
	headersTimeout?: number;
	/** Milliseconds for the body after that. Default 30 s. Replies may take as long as they like. */
	bodyTimeout?: number;
	/** Milliseconds that an idle connection stays open. Default 75 s: longer than the usual proxy in front keeps its own. */
	idleTimeout?: number;
	/** Milliseconds for which a client may take nothing of a finished reply, then it is given up. Default 60 s. */
	stallTimeout?: number;
	/** False: `::` means 0.0.0.0. Default true. */
	ipv6?: boolean;
}

/** A server that listens. */
export interface HttpServer {
	/** What is bound, `0.0.0.0:3000` first where both families are served. */
	readonly addresses: readonly string[];
	/** The real port, also when 0 was asked for; 0 for Unix sockets. */
	readonly port: number;
	/** Open connections. */
	readonly connections: number;
	/**
	 * Stops accepting and lets what is in flight finish with `Connection: close`. What is left after `deadline`
	 * milliseconds is told so (see `Exchange.expiring`) and has half a second to leave. Idle connections get `minimum`
	 * milliseconds, at least 50, under load 250, for a request that is already on its way.
	 */
	close(deadline: number, minimum?: number): Promise<void>;
	/** Resolves when, early in its close, its addresses are free for another server. */
	readonly released: Promise<void>;
}

/** Listens on an address with a strict HTTP/1.1 server; what cannot be bound comes back as a value. */
export async function listen(options: ListenOptions): Promise<HttpServer | ListenFault> {
	const service = new Service(options);
	const opened = await openSockets(options.address, options.ipv6 ?? true, () => service.server());
	if ('fault' in opened) return opened;
	service.addresses = opened.addresses;
	service.port = opened.port;
	return service;
}

const defaultIdleTimeout = 75_000;
/** A request may be on its way when a drain begins; cutting its connection would fail it. */
const idleGraceMs = 50;
/** Under load the next request is this close behind, on a busy machine. */
const busyGraceMs = 250;
/** Connections that waited to be taken when a drain began are taken for so long. */
const acceptMs = 500;
/** So long may the last bytes take to leave after the deadline of a drain. */
const cutGraceMs = 500;

/** A connection with what is remembered of it. */
interface GatewaySocket extends RememberingSocket {
	peer?: Peer;
}

interface Peer extends HostMemory, ExchangePeer {
	address: string;
	/** A request was refused as ambiguous: what follows on this connection may be part of it and is not looked at. */
	distrusted: boolean;
	/** Bytes that had been read when its last GET was complete; -1: what came last was something else. */
	readByGet: number;
}

class Service implements HttpServer, ExchangeOwner {
	addresses: readonly string[] = [];
	port = 0;
	draining = false;
	readonly released: Promise<void>;
	private release: () => void = () => {};
	readonly heads: ReplyHeads;
	readonly report: ReportFault;
	readonly admission: Admission | null;
	readonly stallTimeout: number;
	private readonly options: ListenOptions;
	/** Connections whose request did not come in time, found just now. */
	private readonly late: GatewaySocket[] = [];
	private readonly servers: Server<typeof GatewayRequest, typeof GatewayResponse>[] = [];
	private readonly sockets = new Set<GatewaySocket>();
	private idleMustGo = false;
	private accepted = 0;
	private lastEnd = Number.NEGATIVE_INFINITY;
	/** Exchanges that have not ended; the sockets of some may be closed already. */
	private readonly unfinished = new SlotList<ServerExchange>();
	private finished: (() => void) | null = null;

	constructor(options: ListenOptions) {
		this.options = options;
		this.released = new Promise((resolve) => (this.release = resolve));
		this.report = options.onError;
		this.admission = options.admission ?? null;
		this.stallTimeout = options.stallTimeout ?? 60_000;
		this.heads = new ReplyHeads(options.idleTimeout ?? defaultIdleTimeout);
	}

	get connections(): number {
		return this.sockets.size;
	}

	server(): Server<typeof GatewayRequest, typeof GatewayResponse> {
		const headersTimeout = this.options.headersTimeout ?? 10_000;
		const server = createServer(
			{
				IncomingMessage: GatewayRequest,
				ServerResponse: GatewayResponse,
				headersTimeout,
				requestTimeout: headersTimeout + (this.options.bodyTimeout ?? 30_000),
				connectionsCheckingInterval: Math.min(500, headersTimeout),
				keepAliveTimeout: this.options.idleTimeout ?? defaultIdleTimeout,
				noDelay: true,
				// Both are checked in request-check.ts, with a reply that says what is wrong.
				requireHostHeader: false,
			},
			(request, response) => this.accept(request, response),
		);
		// With a limit node drops the headers beyond it and answers as if they had not been sent.
		server.maxHeadersCount = 0;
		server.on('connection', (socket: GatewaySocket) => this.connected(socket));
		server.on('clientError', (error: NodeJS.ErrnoException, socket: GatewaySocket) => {
			if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') this.tooLate(error, socket);
			else this.unreadable(error, socket);
		});
		server.on('connect', (_request, socket) => {
			socket.end(rawReply(405, 'CONNECT is not supported'));
		});
		this.servers.push(server);
		return server;
	}

	ended(exchange: ServerExchange): void {
		// A reply that began before the drain has promised to keep its connection open.
		if (this.idleMustGo) exchange.endConnection();
		this.options.onEnd?.(exchange.facts);
		this.unfinished.remove(exchange);
		this.lastEnd = performance.now();
		if (this.unfinished.size === 0) this.finished?.();
	}

	async close(deadline: number, minimum = 0): Promise<void> {
		const late = setTimeout(() => this.expireAll(), deadline);
		const cut = setTimeout(() => {
			for (const socket of this.sockets) socket.destroy();
		}, deadline + cutGraceMs);
		await this.acceptWaiting(Math.min(deadline, acceptMs));
		const closed = Promise.all(
			this.servers.map((server) => new Promise<void>((done) => NetServer.prototype.close.call(server, () => done()))),
		);
		this.release();
		// Not before: whoever is told to close his connection opens another, and would be reset on it.
		this.draining = true;
		const busy = performance.now() - this.lastEnd < busyGraceMs;
		const quietMs = Math.min(Math.max(minimum, busy ? busyGraceMs : idleGraceMs), deadline);
		const quiet = setTimeout(() => afterReading(() => void this.closeIdle()), quietMs);
		await closed;
		if (this.unfinished.size > 0) await new Promise<void>((done) => (this.finished = done));
		for (const timer of [quiet, late, cut]) clearTimeout(timer);
		// node's own close also stops the timer that watches slow requests.
		for (const server of this.servers) server.close();
	}

	private accept(request: GatewayRequest, response: GatewayResponse): void {
		const socket = request.socket as GatewaySocket;
		const peer = socket.peer ?? this.connected(socket);
		if (peer.distrusted) return;
		const known = request.remembered;
		const target = known === null ? checkRequest(request, peer) : known.target;
		const refused = isRefusal(target);
		const place = refused ? { path: pathOf(request.url ?? ''), query: '', host: '' } : target;
		// What a connection sends again is a call; a stream that stays open must not keep what nothing asks for.
		if (known === null) {
			peer.readByGet = request.method === 'GET' ? socket.bytesRead : -1;
			if (!refused && request.method === 'POST') socket.memory = new RequestMemory(request, target);
		}
		const facts = newFacts({
			bind: this.options.bind,
			sourceAddress: peer.address,
			method: request.method ?? '',
			host: place.host,
			path: place.path,
			httpVersion: `HTTP/${request.httpVersion}`,
			startedAt: performance.now(),
		});
		const exchange = new ServerExchange(request, response, this, place, peer, facts);
		this.unfinished.add(exchange);
		// After an offer to upgrade that nobody takes up, node reads nothing more on the connection.
		if (refused || request.headers.upgrade !== undefined) {
			peer.distrusted = true;
			exchange.closeAfterReply();
		}
		if (refused) return replyRefusal(exchange, target);
		const busy = this.admission?.refusal ?? null;
		// What ends a session gives back what it holds.
		if (busy !== null && request.method !== 'DELETE') return this.shed(exchange, busy);
		try {
			this.options.handler(exchange);
		} catch (fault) {
			replyFault(exchange, fault, this.report);
		}
	}

	private connected(socket: GatewaySocket): Peer {
		const address = socket.remoteAddress;
		const peer: Peer = {
			// Unix sockets have no address; file permissions say who may come, and only this machine can.
			address: address === undefined ? 'unix' : `${bracketed(address)}:${socket.remotePort}`,
			overLoopback: address === undefined || isLoopbackAddress(address),
			exchange: null,
			early: null,
			inFlight: 0,
			distrusted: false,
			readByGet: -1,
			raw: null,
			host: '',
		};
		socket.peer = peer;
		this.sockets.add(socket);
		this.accepted++;
		if (this.admission !== null) this.admit(socket, peer, this.admission);
		this.options.onConnection?.();
		socket.on('close', () => {
			this.sockets.delete(socket);
			this.options.onConnectionEnd?.(socket.bytesRead, socket.bytesWritten);
		});
		return peer;
	}

	/** One connection too many is told so and closed, instead of taking the descriptor that a child or the admin port needs. */
	private admit(socket: GatewaySocket, peer: Peer, admission: Admission): void {
		if (admission.full) {
			admission.refusedConnections++;
			peer.distrusted = true;
			socket.end(rawReply(503, 'too many connections are open', 'retry-after: 5\r\n'), () => socket.destroy());
			return;
		}
		admission.connections++;
		socket.on('close', () => admission.connections--);
	}

	/** Closing makes the client come back later, and perhaps to another gateway. */
	private shed(exchange: ServerExchange, busy: Refusal): void {
		if (this.admission !== null) this.admission.refusedRequests++;
		exchange.closeAfterReply();
		replyRefusal(exchange, busy);
	}

	/** node finds all whose time is up at once; to answer thousands of them takes a tenth of a second. */
	private tooLate(error: NodeJS.ErrnoException, socket: GatewaySocket): void {
		if (this.late.push(socket) > 1) return;
		setImmediate(() => {
			const late = this.late.splice(0);
			void inSlices(late, (one) => this.unreadable(error, one));
		});
	}

	/** What came is not HTTP, or did not come in time. node has given up reading this connection. */
	private unreadable(error: NodeJS.ErrnoException, socket: GatewaySocket): void {
		const status = statusOf(error.code ?? '');
		const exchange = socket.peer?.exchange ?? null;
		// The request whose rest is broken has had its reply; a second one would be taken for the next reply.
		const answered = socket.peer?.early?.requestComplete === false;
		if (!socket.writable || error.code === 'ECONNRESET' || answered) {
			socket.destroy();
		} else if (exchange === null) {
			socket.end(rawReply(status, textOf(status)), () => socket.destroy());
		} else if (exchange.requestComplete) {
			// The fault is in the next request; a 400 now would be taken for the reply to this one.
			exchange.closeAfterReply();
		} else {
			exchange.breakBody(refuse(status, textOf(status), 'InvalidRequest'));
			setTimeout(() => socket.destroy(), 1_000).unref();
		}
	}

	/** Takes what has connected already: closing the listener would reset it. */
	private async acceptWaiting(ms: number): Promise<void> {
		const until = performance.now() + ms;
		for (let before = -1; before !== this.accepted && performance.now() < until; ) {
			before = this.accepted;
			await new Promise<void>((done) => afterReading(done));
		}
	}

	/** A connection on which a request has begun to arrive is not idle, though nobody has been told of it yet. */
	private async closeIdle(): Promise<void> {
		this.idleMustGo = true;
		// Thousands of streams have ended by now, whose connections node would close all at once.
		await inSlices(this.sockets, (socket) => {
			const { peer, bytesRead } = socket;
			if (bytesRead === 0 || (peer?.inFlight === 0 && peer.readByGet === bytesRead)) socket.destroy();
		});
		for (const server of this.servers) server.closeIdleConnections();
	}

	private expireAll(): void {
		this.idleMustGo = true;
		this.unfinished.each((exchange) => exchange.expire());
		for (const socket of this.sockets) if ((socket.peer?.inFlight ?? 0) === 0) socket.destroy();
	}
}

/** After the loop has looked at the sockets once more: what had arrived by now has been read by then. */
function afterReading(then: () => void): void {
	setImmediate(() => setImmediate(then));
}

/** For the log, which shows no queries: they carry tokens. */
function pathOf(url: string): string {
	const end = url.search(/[?#]/);
	return end < 0 ? url : url.slice(0, end);
}

function statusOf(code: string): number {
	if (code === 'HPE_HEADER_OVERFLOW') return 431;
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
	if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
	return 400;
}

function textOf(status: number): string {
	if (status === 431) return 'the request headers are larger than 16 KiB';
	if (status === 408) return 'the request did not arrive in time';
	if (status === 413) return 'the chunk extensions are too large';
	return 'the request is not valid HTTP/1.1';
}

const phrases: Record<number, string> = {
	400: 'Bad Request',
	405: 'Method Not Allowed',
	408: 'Request Timeout',
	413: 'Payload Too Large',
	431: 'Request Header Fields Too Large',
	503: 'Service Unavailable',
};

function rawReply(status: number, text: string, headers = ''): string {
	return `HTTP/1.1 ${status} ${phrases[status]}\r\nconnection: close\r\n${headers}content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** IPv4 that arrived on a dual-stack socket is shown as IPv4. */
function bracketed(address: string): string {
	if (address.startsWith('::ffff:')) return address.slice('::ffff:'.length);
	return address.includes(':') ? `[${address}]` : address;
}
