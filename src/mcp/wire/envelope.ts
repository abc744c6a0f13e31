import {
	decodeString,
	isScanFault,
	type Member,
	type ScanFault,
	type Scanned,
	scanJson,
	scanWithin,
} from '../../lib/json-scan.ts';
import { code } from '../errors.ts';
import type { Answer } from '../model.ts';
import { selfFault } from './self-description.ts';

/** A JSON-RPC message from a client, checked. */
export interface Envelope {
	readonly kind: 'request' | 'notification' | 'response';
	/** The id as JSON text, string or number; null for notifications. */
	readonly id: Buffer | null;
	/** Empty for responses. */
	readonly method: string;
	/** The params object; `{}` when the message has none. */
	readonly params: Scanned;
	/** Members of `params._meta`. */
	readonly meta: readonly Member[];
	/** What a response says; null for requests and notifications. */
	readonly answer: Answer | null;
}

/** Why a message was refused, and how to say so. */
export interface EnvelopeFault {
	readonly status: number;
	readonly code: number;
	readonly message: string;
	/** The id to answer with, as JSON text; null when it could not be read. */
	readonly id: Buffer | null;
}

/** Of a message or of all messages of a batch, their params and their `_meta` together. Recording 350,000, as 4 MiB can hold, takes half a second. */
const maximumMembers = 10_000;

/**
 * Reads one JSON-RPC 2.0 message. Refused with HTTP 400: what is no JSON (-32700), what is no message (-32600), ids
 * that are neither a string nor a safe integer, and those of more than `maximumId` bytes: they are kept for as long as
 * a call lasts.
 */
export function readEnvelope(body: Buffer, maximumId: number): Envelope | EnvelopeFault {
	return fromScan(scanJson(body, messageLook, maximumMembers), maximumId);
}

const messageLook = { params: { _meta: {}, ref: {} }, error: {} };

function fromScan(scanned: Scanned | ScanFault, maximumId: number): Envelope | EnvelopeFault {
	if (isScanFault(scanned)) return notJson(scanned);
	if (scanned.members === null) {
		const batch = scanned.text[scanned.start] === 0x5b;
		return refused(
			code.invalidRequest,
			batch ? 'a batch is not taken here' : 'the body is not a JSON-RPC message',
			null,
		);
	}
	return fromMembers(scanned, scanned.members, maximumId);
}

/** Whether a body holds several messages. */
export function isBatch(body: Buffer): boolean {
	let at = 0;
	while (at < body.length && (body[at] ?? 0) <= 0x20) at++;
	return body[at] === 0x5b;
}

/**
 * Reads the messages of a batch, each for itself. Refused with HTTP 400 as a whole: what is no JSON (-32700), an empty
 * batch, and one of more than `maximum` messages (-32600), and more members than one message may have (-32700).
 */
export function readBatch(
	body: Buffer,
	maximum: number,
	maximumId: number,
): readonly (Envelope | EnvelopeFault)[] | EnvelopeFault {
	const scanned = scanJson(body, {});
	if (isScanFault(scanned)) return notJson(scanned);
	const items = itemsOf(scanned, maximum);
	if (items === null) return refused(code.invalidRequest, `a batch has at most ${maximum} messages`, null);
	if (items.length === 0) return refused(code.invalidRequest, 'the batch is empty', null);
	const budget = { left: maximumMembers };
	const messages: (Envelope | EnvelopeFault)[] = [];
	for (const item of items) {
		const message = scanWithin(item, messageLook, budget);
		if (budget.left < 0)
			return refused(code.parse, `the messages of a batch have at most ${maximumMembers} members in all`, null);
		messages.push(fromScan(message, maximumId));
	}
	return messages;
}

export function isEnvelopeFault(envelope: Envelope | EnvelopeFault): envelope is EnvelopeFault {
	return 'status' in envelope;
}

/** A param that is a string; null when it is missing or something else. */
export function stringParam(envelope: Envelope, key: string): string | null {
	const member = envelope.params.members?.find((one) => one.key === key);
	const { text } = envelope.params;
	return member !== undefined && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}

function notJson({ fault, at }: ScanFault): EnvelopeFault {
	const number = fault === 'duplicate-key' ? code.invalidRequest : code.parse;
	return refused(number, `the body is not acceptable JSON: ${fault} at byte ${at}`, null);
}

/**
 * The items of an array that was scanned; null when there are more than `maximum`. The scanner could record them, but
 * would do so for a million empty ones, too.
 */
function itemsOf({ text, start, end }: Scanned, maximum: number): Buffer[] | null {
	const items: Buffer[] = [];
	let depth = 0;
	let from = start + 1;
	const take = (to: number) => {
		const item = text.subarray(from, to);
		if (!isBlank(item)) items.push(Buffer.from(item));
		from = to + 1;
	};
	for (let at = start + 1; at < end - 1; at++) {
		const byte = text[at];
		if (byte === 0x22) at = endOfString(text, at);
		else if (byte === 0x7b || byte === 0x5b) depth++;
		else if (byte === 0x7d || byte === 0x5d) depth--;
		else if (byte === 0x2c && depth === 0) {
			if (items.length === maximum) return null;
			take(at);
		}
	}
	take(end - 1);
	return items.length > maximum ? null : items;
}

/** A loop: a call for each of four million spaces took 30 ms. */
function isBlank(text: Buffer): boolean {
	for (let at = 0; at < text.length; at++) if ((text[at] ?? 0) > 0x20) return false;
	return true;
}

/** The closing quote of a string that was scanned. */
function endOfString(text: Buffer, start: number): number {
	let at = start + 1;
	while (text[at] !== 0x22) at += text[at] === 0x5c ? 2 : 1;
	return at;
}

function fromMembers(scanned: Scanned, members: readonly Member[], maximumId: number): Envelope | EnvelopeFault {
	const text = scanned.text;
	const find = (key: string) => members.find((member) => member.key === key);
	const idMember = find('id');
	const id = idMember === undefined ? null : readId(text, idMember, maximumId);
	if (id === 'bad')
		return refused(code.invalidRequest, `id must be a string of at most ${maximumId} bytes or a safe integer`, null);
	const version = find('jsonrpc');
	if (version === undefined || text.toString('utf8', version.start, version.end) !== '"2.0"') {
		return refused(code.invalidRequest, 'jsonrpc must be "2.0"', id);
	}
	const methodMember = find('method');
	if (methodMember === undefined) {
		const answer = readAnswer(text, find('result'), find('error'));
		if (id !== null && answer !== null)
			return { kind: 'response', id, method: '', params: noParams(), meta: [], answer };
		return refused(code.invalidRequest, 'the message has neither method nor result', id);
	}
	if (text[methodMember.start] !== 0x22) return refused(code.invalidRequest, 'method must be a string', id);
	const method = decodeString(text, methodMember.start, methodMember.end);
	const params = find('params');
	if (params === undefined)
		return { kind: id === null ? 'notification' : 'request', id, method, params: noParams(), meta: [], answer: null };
	if (params.members === null || text[params.start] !== 0x7b) {
		return refused(code.invalidParams, 'params must be an object', id);
	}
	const meta = params.members.find((member) => member.key === '_meta');
	if (meta !== undefined && text[meta.start] !== 0x7b)
		return refused(code.invalidParams, '_meta must be an object', id);
	const large = selfFault(method, params.members, meta?.members ?? []);
	if (large !== null) return refused(code.invalidParams, large, id);
	return {
		kind: id === null ? 'notification' : 'request',
		id,
		method,
		params: { text, start: params.start, end: params.end, members: params.members },
		meta: meta?.members ?? [],
		answer: null,
	};
}

/** What a client answers to a question. An error that is none gets words of ours. */
function readAnswer(text: Buffer, result: Member | undefined, error: Member | undefined): Answer | null {
	if (result !== undefined) return { result: text.subarray(result.start, result.end) };
	if (error === undefined) return null;
	const find = (key: string) => error.members?.find((member) => member.key === key);
	const [number, message, data] = [find('code'), find('message'), find('data')];
	const value = number === undefined ? Number.NaN : Number(text.toString('latin1', number.start, number.end));
	return {
		error: {
			code: Number.isSafeInteger(value) ? value : code.internal,
			message:
				message !== undefined && text[message.start] === 0x22
					? decodeString(text, message.start, message.end)
					: 'the client gave an error without a message',
			data: data === undefined ? null : text.subarray(data.start, data.end),
		},
	};
}

function readId(text: Buffer, member: Member, maximum: number): Buffer | null | 'bad' {
	const raw = text.subarray(member.start, member.end);
	if (raw[0] === 0x22) return raw.length - 2 <= maximum ? raw : 'bad';
	if (raw.length <= maximum && isShortNumber(raw)) return raw;
	const number = raw.toString('latin1');
	return raw.length <= maximum && /^-?\d{1,16}$/.test(number) && Number.isSafeInteger(Number(number)) ? raw : 'bad';
}

/** Up to 15 digits, as nearly every id is: safe without a look at its value. */
function isShortNumber(raw: Buffer): boolean {
	if (raw.length > 15) return false;
	for (let at = 0; at < raw.length; at++) {
		const byte = raw[at] as number;
		if (byte < 0x30 || byte > 0x39) return false;
	}
	return raw.length > 0;
}

function refused(fault: number, message: string, id: Buffer | null): EnvelopeFault {
	return { status: 400, code: fault, message, id };
}

function noParams(): Scanned {
	return { text: Buffer.from('{}'), start: 0, end: 2, members: [] };
}
