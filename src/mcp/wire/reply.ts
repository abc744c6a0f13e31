import type { Facts } from '../../facts/facts.ts';
import { cutText } from '../../lib/cut.ts';
import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { logLevels } from '../dispatch.ts';
import { code, mcpError, stopping } from '../errors.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';
import type { LargeResult } from '../large-result.ts';
import type { Ask, JsonText, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { errorResponse, noticeText, resultPieces, resultResponse } from '../rpc-text.ts';
import type { ReplyChannel, Stoppable } from './channel.ts';

/** What an era of clients wants of replies. */
export interface ReplyCodec {
	/** The result object as this era reads it. */
	result(result: Result): Buffer;
	/** The same of a large result; null: it has to be put together for `result`. */
	inPieces(result: LargeResult): readonly JsonText[] | null;
	/** HTTP status for an error that comes before anything was streamed. */
	status(error: McpError): number;
	/** The error as this era knows it. */
	error(error: McpError): McpError;
	/** Whether a client that goes away takes its call back. */
	readonly cancelsWhenGone: boolean;
}

/** Who can put a server's question to the client, on the channel of the call in whose middle it came. */
export interface Asker {
	askOn(channel: Pick<ReplyChannel, 'send'>, ask: Ask): void;
}

/** The reply to one request: turns what comes of a call into messages of the client's era. */
export class CallReply implements Sink, Stoppable {
	private readonly channel: ReplyChannel;
	private readonly id: Buffer;
	private readonly codec: ReplyCodec;
	private readonly facts: Facts;
	/** The client's progress token as JSON text. */
	private readonly token: Buffer | null;
	/** null: clients of this kind are not asked in mid-call. */
	private readonly asker: Asker | null;
	/** Log notifications below it are held back, all of them for null; undefined: the server decides. */
	logLevel: string | null | undefined = undefined;
	private settled = false;
	private ticket: Ticket | null = null;
	/** Called once when the call has ended, however it did. */
	ended: (() => void) | null = null;

	constructor(
		channel: ReplyChannel,
		id: Buffer,
		token: Buffer | null,
		codec: ReplyCodec,
		facts: Facts,
		asker: Asker | null,
	) {
		this.channel = channel;
		this.id = id;
		this.token = token;
		this.codec = codec;
		this.facts = facts;
		this.asker = asker;
		channel.answering = this;
		if (codec.cancelsWhenGone) channel.onGone(() => this.gone());
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

	/** The gateway waits no longer. */
	stop(): void {
		if (this.settled) return;
		// First the answer: what is taken back may answer by itself.
		this.refuse(stopping, 503);
		this.ticket?.cancel(stopping.message);
	}

	get deserted(): boolean {
		return this.channel.deserted === true;
	}

	/** Sends a message on the call's own stream. */
	send(message: Buffer): void {
		if (!this.settled) this.channel.send(message);
	}

	note(notice: Notice): void {
		if (this.settled || (this.logLevel !== undefined && isBelow(notice, this.logLevel))) return;
		// Nobody asked for it, and the token in it is the gateway's own.
		if (this.token === null && notice.method === 'notifications/progress') return;
		const params = notice.params === null ? null : this.restoreToken(notice);
		if (!this.channel.send(noticeText(notice.method, params))) this.cancel('the client does not read');
	}

	ask(ask: Ask): void {
		if (this.settled || this.asker === null) refuseAsk(ask);
		else this.asker.askOn(this.channel, ask);
	}

	paused(): void {
		if (!this.settled) this.channel.pause?.();
	}

	done(result: Result): void {
		// It has just been scanned, and what follows may scan it again: others have a turn between.
		if (result.text.length >= largeFrom) setImmediate(() => this.answer(result));
		else this.answer(result);
	}

	private answer(result: Result): void {
		if (this.settled) return;
		const text = this.codec.result(result);
		if (text.length >= piecesFrom && this.channel.finishPieces !== undefined) this.pass([text]);
		else this.settle(200, resultResponse(this.id, text));
	}

	inPieces(result: LargeResult): readonly JsonText[] | null {
		return this.settled ? null : this.codec.inPieces(result);
	}

	pass(pieces: readonly Buffer[]): void {
		if (this.settled) return;
		this.settled = true;
		const message = resultPieces(this.id, pieces);
		if (this.channel.finishPieces !== undefined) this.channel.finishPieces(message);
		else this.channel.finish(Buffer.concat(message), 200);
		this.ended?.();
	}

	fail(error: McpError): void {
		if (this.settled) return;
		const shown = this.codec.error(error);
		this.refuse(shown, shown.retryAfter === undefined ? this.codec.status(shown) : 429);
	}

	private refuse(error: McpError, status: number): void {
		this.facts.mcpErrorCode = error.code;
		this.facts.mcpErrorMessage = cutText(error.message);
		this.facts.reason = 'MCP';
		this.settle(status, errorResponse(this.id, error));
	}

	private settle(status: number, message: Buffer): void {
		this.settled = true;
		this.channel.finish(message, status);
		this.ended?.();
	}

	private gone(): void {
		if (this.settled) return;
		this.settled = true;
		this.ticket?.cancel('the client went away');
		// Nobody reads it, but the channel has to end.
		this.channel.finish(errorResponse(this.id, mcpError(code.cancelled, 'the client went away')), 200);
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

/** Larger results take milliseconds to scan. */
const largeFrom = 512 * 1024;

/** Larger results are not copied behind their envelope. */
const piecesFrom = 16 * 1024;

/** Whether a notification is a log message that its client did not ask for. */
function isBelow(notice: Notice, minimum: string | null): boolean {
	if (notice.method !== 'notifications/message') return false;
	if (minimum === null || notice.params === null) return true;
	const scanned = scanJson(notice.params, {});
	const level = isScanFault(scanned) ? undefined : scanned.members?.find(({ key }) => key === 'level');
	if (level === undefined) return false;
	return (
		logLevels.indexOf(notice.params.toString('latin1', level.start + 1, level.end - 1)) < logLevels.indexOf(minimum)
	);
}
