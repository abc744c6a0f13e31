import { randomUUID } from 'node:crypto';
import type { Facts } from '../../facts/facts.ts';
import type { HeldBytes } from '../../http/held-bytes.ts';
import { decodeString, isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import type { Connections } from '../connections/connections.ts';
import { code, mcpError } from '../errors.ts';
import type { LargeResult } from '../large-result.ts';
import type { Answer, Ask, Call, JsonText, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import type { CallReply } from './reply.ts';

/** A server that asks more often than this in one call is given up. */
const maximumRounds = 10;
/** A server that asks for more at once, other members counted, is not understood. */
const maximumAsked = 1_000;
/** A server that wants nothing but another try is asked again after this pause. */
const paceMs = 250;

/**
 * The calls of a client with a session to a server without: a result of type `input_required` becomes real requests to
 * the client on the call's stream, and their answers go with the next try of the same call (MCP 2026-07-28,
 * "Multi-round-trip requests").
 */
export class InputRounds implements Sink, Ticket {
	private readonly call: Call;
	private readonly reply: CallReply;
	private readonly connections: Connections;
	private readonly facts: Facts;
	private ticket: Ticket | null = null;
	private rounds = 0;
	private timer: NodeJS.Timeout | null = null;
	private asking: RoundAsk[] = [];
	private over = false;
	/** Answers of the last round, which the next try of the call carries. */
	private held: HeldBytes[] | null = null;

	constructor(call: Call, reply: CallReply, connections: Connections, facts: Facts) {
		this.call = call;
		this.reply = reply;
		this.connections = connections;
		this.facts = facts;
	}

	begin(): void {
		this.ticket = this.connections.start(this.call, this.facts, this);
	}

	note(notice: Notice): void {
		this.reply.note(notice);
	}

	ask(ask: Ask): void {
		this.reply.ask(ask);
	}

	paused(): void {
		this.reply.paused();
	}

	done(result: Result): void {
		if (result.type !== 'input_required') {
			this.end();
			return this.reply.done(result);
		}
		if (this.over) return;
		this.letGo();
		if (++this.rounds > maximumRounds) {
			return this.fail(mcpError(code.internal, `the server asked for input more than ${maximumRounds} times`));
		}
		const wanted = readInputRequired(result.text);
		if (wanted === null) return this.fail(mcpError(code.internal, 'the server sent an input_required that is none'));
		if (wanted.requests.length === 0) {
			this.timer = setTimeout(() => this.again(null, wanted.state), paceMs);
			return;
		}
		this.round(wanted.requests, wanted.state);
	}

	inPieces(result: LargeResult): readonly JsonText[] | null {
		return this.reply.inPieces(result);
	}

	pass(pieces: readonly JsonText[]): void {
		this.end();
		this.reply.pass(pieces);
	}

	fail(error: McpError): void {
		this.end();
		this.reply.fail(error);
	}

	cancel(reason?: string): void {
		this.end();
		if (this.timer !== null) clearTimeout(this.timer);
		for (const ask of this.asking.splice(0)) ask.withdraw();
		this.ticket?.cancel(reason);
	}

	private end(): void {
		this.over = true;
		if (this.held !== null) this.letGo();
	}

	private letGo(): void {
		const { held } = this;
		this.held = null;
		for (const one of held ?? []) one.release();
	}

	private round(requests: readonly InputRequest[], state: JsonText | null): void {
		const answers = new Map<string, JsonText>();
		this.asking = requests.map(
			({ key, method, params }) =>
				new RoundAsk(method, params, (answer) => {
					if (this.over) return;
					if ('error' in answer) {
						for (const other of this.asking.splice(0)) other.withdraw();
						return this.fail(answer.error);
					}
					if (answer.holder) (this.held ??= []).push(answer.holder.hold(answer.result.length));
					answers.set(key, answer.result);
					if (answers.size === requests.length) this.again(answers, state);
				}),
		);
		for (const ask of [...this.asking]) this.reply.ask(ask);
	}

	private again(answers: ReadonlyMap<string, JsonText> | null, state: JsonText | null): void {
		if (this.over) return;
		this.asking = [];
		const responses =
			answers === null
				? null
				: Buffer.concat([
						Buffer.from('{'),
						...[...answers].flatMap(([key, result], index) => [
							Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(key)}:`),
							result,
						]),
						Buffer.from('}'),
					]);
		const call: Call = { ...this.call, inputs: { responses, state } };
		this.ticket = this.connections.start(call, this.facts, this);
	}
}

interface InputRequest {
	readonly key: string;
	readonly method: string;
	readonly params: JsonText | null;
}

/** What an `input_required` result asks for; null when it asks for nothing at all. */
function readInputRequired(text: JsonText): { requests: InputRequest[]; state: JsonText | null } | null {
	const scanned = scanJson(text, { inputRequests: {} }, maximumAsked);
	if (isScanFault(scanned)) return null;
	const find = (members: readonly Member[] | null | undefined, key: string) => members?.find((one) => one.key === key);
	const part = (member: Member | undefined) =>
		member === undefined ? null : scanned.text.subarray(member.start, member.end);
	const state = part(find(scanned.members, 'requestState'));
	const requests: InputRequest[] = [];
	for (const member of find(scanned.members, 'inputRequests')?.members ?? []) {
		const inner = scanJson(Buffer.from(scanned.text.subarray(member.start, member.end)), {});
		if (isScanFault(inner)) return null;
		const method = inner.members?.find((one) => one.key === 'method');
		if (method === undefined || inner.text[method.start] !== 0x22) return null;
		const params = inner.members?.find((one) => one.key === 'params');
		requests.push({
			key: member.key,
			method: decodeString(inner.text, method.start, method.end),
			params: params === undefined ? null : inner.text.subarray(params.start, params.end),
		});
	}
	return requests.length === 0 && state === null ? null : { requests, state };
}

/** Clients with a handshake want an id for each URL that a user is sent to. */
function withElicitationId(params: JsonText | null): JsonText | null {
	if (params === null || !params.includes('"url"')) return params;
	const scanned = scanJson(params, {});
	if (isScanFault(scanned) || scanned.members === null) return params;
	const mode = scanned.members.find((one) => one.key === 'mode');
	if (mode === undefined || scanned.text.toString('latin1', mode.start, mode.end) !== '"url"') return params;
	if (scanned.members.some((one) => one.key === 'elicitationId')) return params;
	const at = scanned.start + 1;
	return splice(scanned.text, [{ start: at, end: at, text: `"elicitationId":"${randomUUID()}",` }]);
}

/** One question of a round. */
class RoundAsk implements Ask {
	readonly method: string;
	readonly params: JsonText | null;
	private readonly answered: (answer: Answer) => void;
	private open = true;
	private withdrawn: (() => void) | null = null;

	constructor(method: string, params: JsonText | null, answered: (answer: Answer) => void) {
		this.method = method;
		this.params = method === 'elicitation/create' ? withElicitationId(params) : params;
		this.answered = answered;
	}

	answer(answer: Answer): void {
		if (!this.open) return;
		this.open = false;
		this.answered(answer);
	}

	/** The server waits for the next try, not for news. */
	progress(): void {}

	onWithdrawn(then: () => void): void {
		this.withdrawn = then;
	}

	withdraw(): void {
		if (!this.open) return;
		this.open = false;
		this.withdrawn?.();
	}
}
