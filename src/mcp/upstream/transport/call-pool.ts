import { WaitingLine } from '../../../lib/waiting-line.ts';
import { CallConnection, type CallConnectionOwner, PendingCall } from './call-connection.ts';
import { type HttpRequest, isHeaderValue, type ReplyHandler } from './http-request.ts';
import { allBusy } from './io-fault.ts';
import { readHead, type ReplyHead } from './reply-head.ts';

/** Calls to one server beyond this wait for a connection. */
const maximumConnections = 512;
/** More do not even wait. */
export const maximumWaiting = 10_000;
/** Who waits longer is told to come again. */
const longestWaitMs = 30_000;
/** An idle connection is kept so long, unless the server says otherwise. */
const keepAliveMs = 60_000;
const sweepMs = 1000;
/** Longer heads are made anew for each request. */
const longestRemembered = 64 * 1024;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Connections to one server over plain HTTP/1.1, for calls: one request at a time on each. Instead of undici's, which
 * stays for streams and TLS, because it takes half of what a call costs: the head is one string, nearly always the same
 * as that of the call before, and so is the reply's.
 */
export class CallPool implements CallConnectionOwner {
	readonly host: string;
	readonly port: number;
	readonly onFault: (fault: unknown) => void;
	private readonly start: string;
	private readonly idle: CallConnection[] = [];
	private readonly connections = new Set<CallConnection>();
	private readonly waiting = new WaitingLine<PendingCall>();
	/** Runs while calls wait. */
	private patience: NodeJS.Timeout | null = null;
	private destroyed = false;
	private sweep: NodeJS.Timeout | null = null;
	private lastHeaders: readonly string[] = [];
	private lastPath = '';
	private lastStart = '';
	private lastText = '';
	private lastHead: ReplyHead | null = null;

	/** `onFault`: a bug showed while a reply was handled. */
	constructor(origin: string, onFault: (fault: unknown) => void = () => {}) {
		this.onFault = onFault;
		const url = new URL(origin);
		// A literal IPv6 address stands in brackets.
		this.host = url.hostname.replace(/^\[(.*)\]$/, '$1');
		this.port = url.port === '' ? 80 : Number(url.port);
		this.start = ` HTTP/1.1\r\nhost: ${url.host}\r\nconnection: keep-alive\r\n`;
	}

	/** Sends a request as soon as a connection is free for it. The handler hears, later, of headers that cannot be sent. */
	send(path: string, request: HttpRequest, handler: ReplyHandler): void {
		const { body } = request;
		const length = body === null ? '' : `content-length: ${body.length}\r\n`;
		const head = this.head(path, request.headers);
		const text = typeof head === 'string' ? `${request.method} ${head}${length}\r\n` : '';
		const call = new PendingCall(text, body, handler);
		handler.onRequestStart?.(call);
		if (call.aborted) return;
		if (typeof head !== 'string') return refuseLater(call, head);
		if (this.destroyed) return handler.onResponseError?.(call, closedError());
		const connection = this.take();
		if (connection !== null) connection.send(call);
		else if (this.connections.size < maximumConnections) this.open(call);
		else this.wait(call);
	}

	free(connection: CallConnection): void {
		const call = this.nextWaiting();
		if (call !== null) return connection.send(call);
		connection.expires = performance.now() + Math.min(connection.keepAliveMs ?? keepAliveMs, keepAliveMs);
		this.idle.push(connection);
		this.sweep ??= setInterval(() => this.closeOld(), sweepMs).unref();
	}

	gone(connection: CallConnection): void {
		this.connections.delete(connection);
		const at = this.idle.indexOf(connection);
		if (at >= 0) this.idle.splice(at, 1);
		const call = this.nextWaiting();
		if (call !== null) this.open(call);
	}

	headOf(text: string): ReplyHead | null {
		if (text !== this.lastText || this.lastHead === null) {
			this.lastHead = readHead(text);
			this.lastText = text;
		}
		return this.lastHead;
	}

	/** Closes all connections; who waits for an answer is told why. */
	async destroy(error = closedError()): Promise<void> {
		if (this.sweep !== null) clearInterval(this.sweep);
		this.sweep = null;
		this.destroyed = true;
		this.endPatience();
		for (const call of this.waiting.clear()) refuse(call, error);
		for (const connection of this.connections) connection.break(error);
	}

	private take(): CallConnection | null {
		const connection = this.idle.pop();
		if (connection === undefined) return null;
		if (connection.usable && performance.now() < connection.expires) return connection;
		connection.destroy();
		return this.take();
	}

	private open(call: PendingCall): void {
		const connection = new CallConnection(this);
		this.connections.add(connection);
		connection.send(call);
	}

	private wait(call: PendingCall): void {
		if (this.waiting.size >= maximumWaiting) return refuse(call, busyError());
		call.line = this.waiting;
		call.since = performance.now();
		this.waiting.push(call);
		this.patience ??= setInterval(() => this.refuseOld(), sweepMs).unref();
	}

	private nextWaiting(): PendingCall | null {
		const call = this.waiting.shift();
		if (call !== null) call.line = null;
		return call;
	}

	private refuseOld(): void {
		const old = performance.now() - longestWaitMs;
		for (;;) {
			const { first } = this.waiting;
			if (first === null) return this.endPatience();
			if (first.since > old) return;
			this.waiting.remove(first);
			refuse(first, busyError());
		}
	}

	private endPatience(): void {
		if (this.patience !== null) clearInterval(this.patience);
		this.patience = null;
	}

	private closeOld(): void {
		const now = performance.now();
		const old = this.idle.filter((connection) => now >= connection.expires);
		for (const connection of old) connection.destroy();
		if (this.connections.size > old.length || this.sweep === null) return;
		clearInterval(this.sweep);
		this.sweep = null;
	}

	/** The head as far as it is the same for many requests, from the path on; why there is none. */
	private head(path: string, headers: readonly string[]): string | Error {
		if (path === this.lastPath && same(headers, this.lastHeaders)) return this.lastStart;
		let text = `${path}${this.start}`;
		for (let at = 0; at < headers.length; at += 2) {
			const [name, value] = [headers[at] ?? '', headers[at + 1] ?? ''];
			if (!token.test(name) || !isHeaderValue(value))
				return new Error(`the header ${JSON.stringify(name)} cannot be sent`);
			text += `${name}: ${value}\r\n`;
		}
		// Headers repeat names that clients choose.
		if (text.length > longestRemembered) return text;
		this.lastPath = path;
		this.lastHeaders = headers;
		this.lastStart = text;
		return text;
	}
}

function refuse(call: PendingCall, error: Error): void {
	call.line = null;
	call.handler.onResponseError?.(call, error);
}

export function busyError(): Error {
	return Object.assign(new Error('all connections are busy'), { code: allBusy });
}

/** Whoever sends something has to have it in hand before it hears of the end. */
function refuseLater(call: PendingCall, error: Error): void {
	setImmediate(() => {
		if (!call.aborted) call.handler.onResponseError?.(call, error);
	});
}

function closedError(): Error {
	return new Error('the connections were closed');
}

function same(a: readonly string[], b: readonly string[]): boolean {
	if (a === b) return true;
	if (a.length !== b.length) return false;
	for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
	return true;
}
