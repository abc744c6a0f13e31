import type { ClientMemory } from './client-grammar.ts';
import type { FuzzExchange } from './fuzz-exchange.ts';

const statuses = new Set([200, 202, 204, 400, 404, 405, 406, 413, 415, 429, 503]);

export interface Message {
	readonly jsonrpc?: unknown;
	readonly id?: unknown;
	readonly method?: unknown;
	readonly result?: { readonly requestState?: unknown } | null;
	readonly error?: { readonly code?: unknown; readonly message?: unknown };
}

/** What clients learn from replies, for what they send next. */
export class Learnt implements ClientMemory {
	readonly sessions: Readonly<Record<string, string>>[] = [];
	readonly asked: string[] = [];
	readonly states: string[] = [];

	message(message: Message): void {
		if (message.method !== undefined && message.id !== undefined) keep(this.asked, JSON.stringify(message.id));
		const state = message.result?.requestState;
		if (typeof state === 'string') keep(this.states, JSON.stringify(state));
	}
}

function keep(list: string[], one: string): void {
	list.push(one);
	if (list.length > 16) list.shift();
}

/** What is wrong with the reply to a message, null when nothing is. */
export function replyFault(exchange: FuzzExchange, learnt: Learnt): string | null {
	if (exchange.fault !== null) return exchange.fault;
	if (exchange.status === 0) return exchange.closed ? null : 'no answer';
	if (!statuses.has(exchange.status)) return `status ${exchange.status}`;
	const type = exchange.header('content-type') ?? '';
	const text = exchange.text();
	if (exchange.method !== 'POST') return null;
	const sent = parsed(exchange.sent);
	if (type === 'application/json') return jsonFault(text, sent, learnt);
	if (type !== 'text/event-stream') return null;
	const messages = text.split('\n').filter((line) => line.startsWith('data: '));
	let answers = 0;
	for (const line of messages) {
		const message = parsed(line.slice(6)) as Message | undefined;
		if (message === undefined) return `an event is no JSON: ${line}`;
		if (message === null) continue;
		learnt.message(message);
		const fault = messageFault(message);
		if (fault !== null) return fault;
		if (message.method === undefined && sameId(message, sent)) answers++;
	}
	if (Array.isArray(sent) || !exchange.ended) return null;
	return answers === 1 ? null : `${answers} answers`;
}

function jsonFault(text: string, sent: unknown, learnt: Learnt): string | null {
	const reply = parsed(text);
	if (reply === undefined) return 'the reply is no JSON';
	const messages = (Array.isArray(reply) ? reply : [reply]) as Message[];
	for (const message of messages) {
		learnt.message(message);
		const fault = messageFault(message);
		if (fault !== null) return fault;
		if (message.method === undefined && !Array.isArray(sent) && message.id !== null && !sameId(message, sent))
			return 'the answer has the id of another request';
	}
	return null;
}

/** What a JSON-RPC message from the gateway lacks. */
export function messageFault(message: Message): string | null {
	if (typeof message !== 'object' || message === null || message.jsonrpc !== '2.0') return 'no JSON-RPC message';
	if (message.method !== undefined) return typeof message.method === 'string' ? null : 'method is no string';
	if (message.id === undefined) return 'an answer without id';
	const { result, error } = message;
	if ((result === undefined) === (error === undefined)) return 'neither or both of result and error';
	if (error === undefined) return null;
	return Number.isSafeInteger(error.code) && typeof error.message === 'string' ? null : 'an odd error object';
}

function sameId(message: Message, sent: unknown): boolean {
	return typeof sent === 'object' && sent !== null && 'id' in sent && sent.id === message.id;
}

/** undefined: it is no JSON. */
export function parsed(text: Buffer | string): unknown {
	try {
		return JSON.parse(text.toString()) as unknown;
	} catch {
		return undefined;
	}
}
