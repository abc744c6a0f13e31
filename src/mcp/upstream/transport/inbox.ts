import { Dictionary } from '../../../lib/dictionary.ts';
import { isScanFault, type Member, type Scanned } from '../../../lib/json-scan.ts';
import type { Ticket } from '../../model.ts';
import { replyFault } from './io-fault.ts';
import { framedFrom, readResultFrame } from './result-frame.ts';
import { envelopeMember, isMessage, messagesOf, scanMessage } from './scan-message.ts';
import type { Receiver, TransportFault } from './transport.ts';

/** Messages that come before anybody listens wait, up to this many and this many bytes. */
const maximumEarly = 100;
const maximumEarlyBytes = 1024 * 1024;

/** How the answers of nearly all servers begin, within so many bytes. */
const answerHead = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,\s*"(?:result|error|jsonrpc)"/;
const headBytes = 128;

/**
 * Sorts what comes over a channel that all requests share: answers by their id, progress by its token, the rest to
 * whoever listens.
 */
export class Inbox {
	private readonly open = new Dictionary<Receiver>();
	private readonly onJunk: (text: Buffer) => void;
	private readonly onSettled: ((id: number) => void) | null;
	private listener: Receiver | null = null;
	private readonly early: Scanned[] = [];
	private earlyBytes = 0;
	private ended: TransportFault | null = null;

	/**
	 * `onJunk` gets what is no JSON-RPC message, answers nothing that was asked, or came too early for too long;
	 * `onSettled` the id of what was answered.
	 */
	constructor(onJunk: (text: Buffer) => void, onSettled: ((id: number) => void) | null = null) {
		this.onJunk = onJunk;
		this.onSettled = onSettled;
	}

	/** A request whose answer is awaited. */
	add(id: number, receiver: Receiver): void {
		this.open.add(id, receiver);
	}

	/** Nobody waits for this answer any longer. */
	delete(id: number): void {
		this.open.delete(id);
	}

	/** Fails one request, if it is still open. */
	fail(id: number, fault: TransportFault): void {
		const receiver = this.open.get(id);
		if (receiver === undefined) return;
		this.open.delete(id);
		receiver.failed(fault);
	}

	listen(receiver: Receiver): Ticket {
		this.listener = receiver;
		this.earlyBytes = 0;
		for (const message of this.early.splice(0)) receiver.message(message, null);
		if (this.ended !== null) receiver.failed(this.ended);
		return {
			cancel: () => {
				if (this.listener === receiver) this.listener = null;
			},
		};
	}

	/** Takes a message as it came: an object, or an array of them. */
	take(text: Buffer): void {
		if (text.length >= framedFrom && this.unread(text)) return;
		const scanned = scanMessage(text);
		if (isScanFault(scanned)) return this.unreadable(text, scanned.fault);
		const batch = messagesOf(scanned);
		if (batch === null) this.sort(scanned);
		else for (const message of batch) this.sort(message);
	}

	/** The channel is gone: fails all requests and the listener, or whoever listens later. */
	end(fault: TransportFault): void {
		this.ended = fault;
		const receivers = this.open.all();
		this.open.clear();
		for (const receiver of receivers) receiver.failed(fault);
		this.listener?.failed(fault);
	}

	/** Whether whoever asked takes a large response without its result having been looked into. */
	private unread(text: Buffer): boolean {
		const frame = readResultFrame([text]);
		if (frame === null || this.open.get(frame.id)?.unread?.(frame) !== true) return false;
		this.open.delete(frame.id);
		this.onSettled?.(frame.id);
		return true;
	}

	/** Whoever waits for an answer that cannot be read would wait for ever. */
	private unreadable(text: Buffer, fault: string): void {
		const id = answerHead.exec(text.toString('latin1', 0, headBytes))?.[1];
		if (id !== undefined) this.fail(Number(id), replyFault(`it sent what is not acceptable JSON (${fault})`));
		this.onJunk(text);
	}

	private sort(message: Scanned): void {
		if (!isMessage(message)) return this.junk(message);
		const method = envelopeMember(message, 'method');
		if (method === undefined) return this.settle(message);
		const receiver = this.progressReceiver(message, method) ?? this.listener;
		if (receiver === null) this.keep(message);
		else receiver.message(message, null);
	}

	private settle(message: Scanned): void {
		const id = numberAt(message.text, envelopeMember(message, 'id'));
		const receiver = id === null ? undefined : this.open.get(id);
		if (id === null || receiver === undefined) return this.junk(message);
		this.open.delete(id);
		this.onSettled?.(id);
		receiver.message(message, null);
	}

	/** Progress belongs to the request whose id is its token. */
	private progressReceiver({ text, members }: Scanned, method: Member): Receiver | null {
		if (text.toString('latin1', method.start, method.end) !== '"notifications/progress"') return null;
		const params = members?.find((member) => member.key === 'params');
		const token = params?.members?.find((member) => member.key === 'progressToken');
		const id = numberAt(text, token);
		return id === null ? null : (this.open.get(id) ?? null);
	}

	private keep(message: Scanned): void {
		const length = message.end - message.start;
		if (this.early.length >= maximumEarly || this.earlyBytes + length > maximumEarlyBytes) return this.junk(message);
		this.earlyBytes += length;
		this.early.push(message);
	}

	private junk({ text, start, end }: Scanned): void {
		this.onJunk(text.subarray(start, end));
	}
}

function numberAt(text: Buffer, member: Member | undefined): number | null {
	if (member === undefined) return null;
	const value = Number(text.toString('latin1', member.start, member.end));
	return Number.isSafeInteger(value) ? value : null;
}
