import type { Exchange, ReplyStream } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { code, errorText, mcpError } from '../errors.ts';
import type { McpError, Notice, Result, Sink, Ticket } from '../model.ts';

/** What an era of clients wants of replies. */
export interface ReplyCodec {
	/** The result object as this era reads it. */
	result(result: Result): Buffer;
	/** HTTP status for an error that comes before anything was streamed. */
	status(error: McpError): number;
	/** The error as this era knows it. */
	error(error: McpError): McpError;
	/** Whether a client that goes away takes its call back. */
	readonly cancelsWhenGone: boolean;
}

/** After so much silence a JSON reply becomes a stream with keep-alive comments, so that nobody hangs up. */
const silenceMs = 15_000;
/** A client that lets more than this pile up is not reading. */
const maximumBuffered = 1024 * 1024;

/**
 * The reply to one POSTed request: JSON when nothing comes before the result, an SSE stream when something does or
 * when the call is silent for 15 seconds (Streamable HTTP, "Sending Messages to the Server").
 */
export class CallReply implements Sink, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly id: Buffer;
	private readonly codec: ReplyCodec;
	private readonly headers: readonly string[];
	private readonly heartbeat: Heartbeat;
	/** The client's progress token as JSON text. */
	private readonly token: Buffer | null;
	private stream: ReplyStream | null = null;
	private lastWrite = performance.now();
	private settled = false;
	private ticket: Ticket | null = null;
	/** Called once when the call has ended, however it did. */
	ended: (() => void) | null = null;

	constructor(
		exchange: Exchange,
		id: Buffer,
		token: Buffer | null,
		codec: ReplyCodec,
		headers: readonly string[],
		heartbeat: Heartbeat,
	) {
		this.exchange = exchange;
		this.id = id;
		this.token = token;
		this.codec = codec;
		this.headers = headers;
		this.heartbeat = heartbeat;
		heartbeat.add(this);
		exchange.onGone(() => this.gone());
	}

	/** Hands over the way to take the call back. */
	follow(ticket: Ticket): void {
		if (!this.settled) this.ticket = ticket;
	}

	/** The client takes the call back. */
	cancel(reason?: string): void {
		if (this.settled) return;
		this.ticket?.cancel(reason);
		this.fail(mcpError(code.cancelled, 'the request was cancelled'));
	}

	note(notice: Notice): void {
		if (this.settled) return;
		const stream = this.open();
		const params = notice.params === null ? null : this.restoreToken(notice);
		stream.write(eventOf(noticeText(notice.method, params)));
		this.lastWrite = performance.now();
		if (stream.buffered > maximumBuffered) this.cancel('the client does not read');
	}

	done(result: Result): void {
		if (this.settled) return;
		const body = Buffer.concat([responseHead, this.id, resultKey, this.codec.result(result), closing]);
		this.settle(200, body);
	}

	fail(error: McpError): void {
		if (this.settled) return;
		const shown = this.codec.error(error);
		this.exchange.facts.mcpErrorCode = shown.code;
		this.exchange.facts.mcpErrorMessage = shown.message;
		this.exchange.facts.reason = 'MCP';
		const body = Buffer.concat([responseHead, this.id, errorKey, errorText(shown), closing]);
		this.settle(this.codec.status(shown), body);
	}

	beat(now: number): void {
		if (now - this.lastWrite < silenceMs) return;
		this.lastWrite = now;
		this.open().write(': keep-alive\n\n');
	}

	private settle(status: number, body: Buffer): void {
		this.settled = true;
		this.heartbeat.remove(this);
		if (this.stream === null)
			this.exchange.respond(status, ['content-type', 'application/json', ...this.headers], body);
		else {
			this.stream.write(eventOf(body));
			this.stream.end();
		}
		this.ended?.();
	}

	private open(): ReplyStream {
		this.stream ??= this.exchange.stream(200, [...streamHeaders, ...this.headers]);
		return this.stream;
	}

	private gone(): void {
		if (this.settled || !this.codec.cancelsWhenGone) return;
		this.settled = true;
		this.heartbeat.remove(this);
		this.ticket?.cancel('the client went away');
		this.ended?.();
	}

	/** Upstreams report progress under a token of their own; the client knows only the one that it sent. */
	private restoreToken(notice: Notice): Buffer | null {
		if (notice.params === null || this.token === null || notice.method !== 'notifications/progress')
			return notice.params;
		const scanned = scanJson(notice.params, {});
		if (isScanFault(scanned)) return notice.params;
		const member = scanned.members?.find((one) => one.key === 'progressToken');
		if (member === undefined) return notice.params;
		return splice(scanned.text, [{ start: member.start, end: member.end, text: this.token }]);
	}
}

/** Headers of every event stream. The last one keeps nginx from holding events back. */
export const streamHeaders: readonly string[] = [
	'content-type',
	'text/event-stream',
	'cache-control',
	'no-cache, no-transform',
	'x-accel-buffering',
	'no',
];

/** A notification as a JSON-RPC message. */
export function noticeText(method: string, params: Buffer | null): Buffer {
	const head = `{"jsonrpc":"2.0","method":${JSON.stringify(method)}`;
	if (params === null) return Buffer.from(`${head}}`);
	return Buffer.concat([Buffer.from(`${head},"params":`), params, closing]);
}

/** A message as one SSE event. The scanner has left no line break in it. */
export function eventOf(message: Buffer): Buffer {
	return Buffer.concat([eventHead, message, eventEnd]);
}

/** A whole JSON-RPC error response; `id` is JSON text, null when the request's id is unknown. */
export function errorResponse(id: Buffer | null, number: number, message: string, data: Buffer | null = null): Buffer {
	return Buffer.concat([
		responseHead,
		id ?? Buffer.from('null'),
		errorKey,
		errorText({ code: number, message, data }),
		closing,
	]);
}

const responseHead = Buffer.from('{"jsonrpc":"2.0","id":');
const resultKey = Buffer.from(',"result":');
const errorKey = Buffer.from(',"error":');
const closing = Buffer.from('}');
const eventHead = Buffer.from('event: message\ndata: ');
const eventEnd = Buffer.from('\n\n');
