import { randomBytes } from 'node:crypto';
import type { Holder } from '../../http/held-bytes.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import type { Seal } from '../../lib/seal.ts';
import { code, mcpError } from '../errors.ts';
import { refuseAsk } from './refuse-ask.ts';
import type { Ask, Caller, JsonText, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { openState, type RequestBinding, sealState } from './request-state.ts';
import { UrlAsk, wantedUrls } from './url-elicitation.ts';

/** Questions that come within this time of each other are put to the client together. */
const gatherMs = 10;
/** More questions of one call do not wait for its client. */
const maximumAsks = 1000;
/** More calls than this do not wait for their clients, nor more bytes of them: each is kept as it came. */
const maximumParked = 10_000;
const maximumHeld = 64 * 1024 * 1024;

/** The calls of one backend whose clients have gone to find an answer. */
export class Parking implements Beating {
	slot = -1;
	private readonly parked = new Map<string, ParkedCall>();
	/** Bytes of the messages of those calls. */
	private held = 0;
	private readonly heartbeat: Heartbeat;
	private readonly seal: Seal;
	/** Milliseconds that a call waits for its client. */
	private readonly patience: number;

	constructor(heartbeat: Heartbeat, seal: Seal, patience: number) {
		this.heartbeat = heartbeat;
		this.seal = seal;
		this.patience = patience;
		heartbeat.add(this);
	}

	/** Calls that wait. */
	get size(): number {
		return this.parked.size;
	}

	/** Keeps a call, and gives the state by which its client finds it again; null when too many are kept. */
	put(call: ParkedCall, binding: RequestBinding): string | null {
		if (this.parked.size >= maximumParked || this.held + call.bytes > maximumHeld) return null;
		const id = randomBytes(12).toString('base64url');
		this.parked.set(id, call);
		this.held += call.bytes;
		call.expiresAt = performance.now() + this.patience;
		return sealState({ ...binding, id, expiresAt: Date.now() + this.patience }, this.seal);
	}

	/**
	 * The call that a state stands for. `foreign`: the state is none of ours and may be the server's own. An error: it
	 * was ours, but is too old, used, or of another call.
	 */
	take(state: string, binding: RequestBinding): ParkedCall | McpError | 'foreign' {
		const opened = openState(state, binding, Date.now(), this.seal);
		if (opened === 'foreign') return 'foreign';
		const call = typeof opened === 'string' ? undefined : this.parked.get(opened.id);
		if (call === undefined || typeof opened === 'string') {
			const why = opened === 'mismatch' ? 'belongs to another call' : 'has expired or was used already';
			return mcpError(code.invalidParams, `params.requestState ${why}; make the call anew`);
		}
		this.forget(opened.id, call);
		return call;
	}

	beat(now: number): void {
		for (const [id, call] of this.parked) {
			if (now < call.expiresAt) continue;
			this.forget(id, call);
			call.expire();
		}
	}

	close(): void {
		this.heartbeat.remove(this);
		for (const call of this.parked.values()) call.expire();
		this.parked.clear();
		this.held = 0;
	}

	private forget(id: string, call: ParkedCall): void {
		if (this.parked.delete(id)) this.held -= call.bytes;
	}
}

/**
 * A call whose server asks in its middle, for a client that is asked by results: the questions become a result of
 * type `input_required`, the call waits, and the client's next try answers them and takes up where it was left
 * (MCP 2026-07-28, "Multi-round-trip requests").
 */
export class ParkedCall implements Sink, Ticket {
	expiresAt = 0;
	/** Of the message that holds the call. */
	readonly bytes: number;
	private readonly parking: Parking;
	private readonly binding: RequestBinding;
	private readonly caller: Caller;
	private readonly released: () => void;
	/** The client's request that waits for an outcome now; null while the call is parked. */
	private reply: Sink | null;
	private start: ((sink: Sink) => Ticket) | null = null;
	private ticket: Ticket | null = null;
	private urlsShown = false;
	private readonly asks = new Map<string, Ask>();
	private asked = 0;
	private gathering: NodeJS.Timeout | null = null;
	/** What the server said while nobody was there to hear it. */
	private outcome: { readonly result: Result } | { readonly error: McpError } | null = null;
	private over = false;
	private held = true;

	/** `released` is called once when the call is over: what it holds is free. `bytes`: of the message that holds the call. */
	constructor(parking: Parking, binding: RequestBinding, caller: Caller, reply: Sink, released: () => void, bytes = 0) {
		this.bytes = bytes;
		this.parking = parking;
		this.binding = binding;
		this.caller = caller;
		this.reply = reply;
		this.released = released;
	}

	/** `start` sends the call; it is sent again when the server wants its user to do something first. */
	begin(start: (sink: Sink) => Ticket): void {
		this.start = start;
		const ticket = start(this);
		if (this.held) this.ticket = ticket;
	}

	/**
	 * The client comes back with answers, an `inputResponses` object by key, and waits for the outcome. `holder` counts
	 * what goes on to servers; null: nobody does.
	 */
	resume(reply: Sink, answers: ReadonlyMap<string, JsonText>, holder: Holder | null = null): void {
		this.reply = reply;
		for (const [key, result] of answers) {
			const ask = this.asks.get(key);
			if (ask === undefined || !answersAsk(ask, result)) continue;
			this.asks.delete(key);
			ask.answer({ result, holder });
		}
		if (this.outcome !== null) this.settle();
		else if (this.asks.size > 0) this.gather();
	}

	note(notice: Notice): void {
		this.reply?.note(notice);
	}

	ask(ask: Ask): void {
		if (this.over || this.asks.size >= maximumAsks || !mayBeAsked(this.caller, ask)) return refuseAsk(ask);
		const key = `input-${++this.asked}`;
		this.asks.set(key, ask);
		ask.onWithdrawn(() => this.asks.delete(key));
		this.gather();
	}

	done(result: Result): void {
		this.outcome ??= { result };
		this.settle();
	}

	fail(error: McpError): void {
		const urls = this.over || this.outcome !== null ? null : wantedUrls(error);
		if (urls !== null && !this.urlsShown) return this.showUrls(urls, error);
		this.outcome ??= { error };
		this.settle();
	}

	cancel(reason?: string): void {
		const { ticket } = this;
		this.end();
		ticket?.cancel(reason);
	}

	/** Nobody came back. */
	expire(): void {
		for (const ask of this.asks.values()) {
			ask.answer({ error: mcpError(code.internal, 'the client did not answer in time') });
		}
		this.cancel('the client did not answer in time');
	}

	/** Once: a server that wants the same again after it was done is not to be satisfied. */
	private showUrls(urls: readonly JsonText[], error: McpError): void {
		this.urlsShown = true;
		let open = urls.length;
		let accepted = true;
		for (const url of urls) {
			this.ask(
				new UrlAsk(url, (yes) => {
					accepted &&= yes;
					if (--open > 0 || this.over) return;
					if (accepted && this.start !== null) this.begin(this.start);
					else this.fail(error);
				}),
			);
		}
	}

	private gather(): void {
		if (this.reply === null || this.gathering !== null) return;
		this.gathering = setTimeout(() => {
			this.gathering = null;
			if (this.reply !== null && this.outcome === null && this.asks.size > 0) this.park(this.reply);
		}, gatherMs);
	}

	private park(reply: Sink): void {
		this.reply = null;
		const state = this.parking.put(this, this.binding);
		if (state === null) {
			reply.fail(mcpError(code.internal, 'too many calls wait for their clients'));
			return this.expire();
		}
		reply.done({ text: inputRequired(this.asks, state), type: 'input_required', stamped: true });
	}

	private settle(): void {
		const { reply, outcome } = this;
		this.release();
		if (reply === null || outcome === null) return;
		this.end();
		if ('result' in outcome) reply.done(outcome.result);
		else reply.fail(outcome.error);
	}

	private end(): void {
		this.over = true;
		this.reply = null;
		if (this.gathering !== null) clearTimeout(this.gathering);
		this.release();
	}

	/** Once is enough, however often it is called. */
	private release(): void {
		if (!this.held) return;
		this.held = false;
		// The outcome may wait for minutes; the request it came of need not.
		this.start = null;
		this.ticket = null;
		this.released();
	}
}

/** The result that asks the client. */
function inputRequired(asks: ReadonlyMap<string, Ask>, state: string): JsonText {
	const parts: Buffer[] = [Buffer.from('{"resultType":"input_required","inputRequests":{')];
	let first = true;
	for (const [key, { method, params }] of asks) {
		parts.push(Buffer.from(`${first ? '' : ','}${JSON.stringify(key)}:{"method":${JSON.stringify(method)}`));
		if (params !== null && method !== 'roots/list') parts.push(Buffer.from(',"params":'), params);
		parts.push(Buffer.from('}'));
		first = false;
	}
	parts.push(Buffer.from(`},"requestState":${JSON.stringify(state)}}`));
	return Buffer.concat(parts);
}

/** Kinds of questions, and the capability with which a client says that it answers them. */
const capabilityOf: Readonly<Record<string, string>> = {
	'elicitation/create': 'elicitation',
	'sampling/createMessage': 'sampling',
	'roots/list': 'roots',
};

function mayBeAsked(caller: Caller, { method }: Ask): boolean {
	if (!Object.hasOwn(capabilityOf, method)) return false;
	const declared = JSON.parse(caller.capabilities.toString()) as Record<string, unknown>;
	return Object.hasOwn(declared, capabilityOf[method] ?? '');
}

const actions: ReadonlySet<unknown> = new Set(['accept', 'decline', 'cancel']);

/** Whether a response is one to this question; others count as missing, so that the client is asked again. */
function answersAsk({ method }: Ask, result: JsonText): boolean {
	if (result.length > 256 * 1024) return result[0] === 0x7b;
	const value: unknown = JSON.parse(result.toString());
	if (typeof value !== 'object' || value === null) return false;
	if (method === 'elicitation/create') return 'action' in value && actions.has(value.action);
	if (method === 'roots/list') return 'roots' in value && Array.isArray(value.roots);
	return 'role' in value && typeof value.role === 'string';
}
