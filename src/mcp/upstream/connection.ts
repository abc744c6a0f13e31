import type { Holder } from '../../http/held-bytes.ts';
import { decodeString, type Member, type Scanned } from '../../lib/json-scan.ts';
import { SlotList } from '../../lib/slot-list.ts';
import { code, mcpError } from '../errors.ts';
import type {
	Call,
	Caller,
	ClientNotice,
	Failure,
	McpError,
	Result,
	ServerFacts,
	Sink,
	Ticket,
	Topic,
	UpstreamEvents,
} from '../model.ts';
import { ownCall } from '../own-call.ts';
import { callHeaders, mirrorFault } from './call-headers.ts';
import { noticeText } from '../rpc-text.ts';
import type { Dialect } from './dialect.ts';
import { memberOf, readError, requestText, subscriptionKey, textOf, withoutSubscription } from './message.ts';
import { type LostCalls, safeMethods } from './lost-calls.ts';
import { type CallOwner, OpenCall, type Sent } from './open-call.ts';
import { asksOutOfPlace, failureOf, unanswered } from './failure-of.ts';
import { type AskOwner, ServerAsk } from './server-ask.ts';
import { type ToolHeaders, ToolListing } from './tool-headers.ts';
import type { TopicStream } from './topic-stream.ts';
import type { Clocked } from './call-clock.ts';
import type { Vitals } from './vitals.ts';
import { endsTransport, type Transport, type TransportFault } from './transport/transport.ts';

/** What a connection reports outside calls. */
export type ConnectionEvents = Pick<UpstreamEvents, 'failed' | 'note' | 'ask'>;

/** Hears how calls were refused. */
export interface Refusals {
	refused(error: number): void;
	failed(fault: TransportFault): void;
}

/** A negotiated connection: sends calls, sorts what comes back. One for both eras; the dialect is the difference. */
export class Connection implements AskOwner, CallOwner, Clocked {
	slot = -1;
	readonly server: ServerFacts;
	readonly dialect: Dialect;
	topics: TopicStream | null = null;
	/** null: such calls fail. */
	lost: LostCalls | null = null;
	/** Whether the server has answered a call. */
	served = false;
	/** Hears of refusals; null where a server cannot be replaced behind the connection. */
	check: Refusals | null = null;
	/** What the target's tools want mirrored in headers. */
	readonly tools: ToolHeaders;
	private readonly target: string;
	private readonly transport: Transport;
	private readonly caller: Caller;
	private readonly events: ConnectionEvents;
	/** Calls under way; what a server says outside of any is looked up here. */
	private readonly calls = new SlotList<OpenCall>();
	private readonly asks: ServerAsk[] = [];
	private acknowledging: Map<number, (scanned: Scanned) => void> | null = null;
	private readonly vitals: Vitals;
	/** No call can be too late before. */
	private dueAt = 0;
	private nextId: number;
	private failed = false;

	constructor(
		options: {
			target: string;
			transport: Transport;
			dialect: Dialect;
			server: ServerFacts;
			caller: Caller;
			tools: ToolHeaders;
			vitals: Vitals;
		},
		events: ConnectionEvents,
		firstId: number,
	) {
		this.target = options.target;
		this.transport = options.transport;
		this.dialect = options.dialect;
		this.server = options.server;
		this.caller = options.caller;
		this.tools = options.tools;
		this.vitals = options.vitals;
		this.events = events;
		this.nextId = firstId;
	}

	get now(): number {
		return this.vitals.clock.now;
	}

	/** Whether calls are under way. */
	get busy(): boolean {
		return this.calls.size > 0;
	}

	start(call: Call, sink: Sink, before = firstTime): Ticket {
		const refusal = this.dialect.refusal(call) ?? mirrorFault(call, this.tools);
		if (refusal !== null) {
			sink.fail(refusal);
			return nothingToCancel;
		}
		// What a tool wants mirrored is in its schema, which has to be known before it can be called.
		if (this.dialect.mirrors && call.method === 'tools/call' && !this.tools.complete && !before.repeated)
			return new ToolListing(this, call, sink);
		return this.send(call, sink, before);
	}

	/** Sends a call at once. What comes of it is for the sink to hear, even a bug: nothing is thrown. */
	send(call: Call, sink: Sink, before: Sent): OpenCall {
		const id = this.nextId++;
		if (this.slot < 0) {
			this.dueAt = 0;
			this.vitals.clock.watch(this);
		}
		const open = new OpenCall(this, id, call, sink, before);
		this.calls.add(open);
		try {
			const message = requestText(id, call, this.dialect.requestMeta(call.caller));
			const headers = callHeaders(call, this.dialect, this.tools);
			open.sent(this.transport.request({ id, message, headers }, open));
		} catch (fault) {
			this.vitals.onFault(fault);
			open.abandon(mcpError(code.internal, `the call could not be sent to target "${this.target}"`, this.target));
		}
		return open;
	}

	/** The server says that the headers do not fit its tools: they are read anew, and the call is sent once more. */
	relist(call: Call, sink: Sink): Ticket {
		return new ToolListing(this, call, sink);
	}

	/** An id that no other request of this connection has. */
	takeId(): number {
		return this.nextId++;
	}

	notify(notice: ClientNotice): void {
		if (this.dialect.takes(notice)) this.post(noticeText(notice.method, notice.params), notice.holder);
	}

	setLevel(level: string): void {
		// Servers without a handshake are told the level with each call.
		if (!this.dialect.handshake || !('logging' in this.server.capabilities)) return;
		this.start(ownCall('logging/setLevel', { level }, this.caller), silent);
	}

	watch(topic: Topic, done: (refusal: McpError | null) => void): void {
		if (this.topics !== null) return this.topics.watch(topic, done);
		if (topic.kind === 'task') return done(null);
		this.start(ownCall('resources/subscribe', { uri: topic.id }, this.caller), {
			...silent,
			done: () => done(null),
			fail: done,
		});
	}

	unwatch(topic: Topic): void {
		if (this.topics !== null) return this.topics.unwatch(topic);
		if (topic.kind === 'resource') this.start(ownCall('resources/unsubscribe', { uri: topic.id }, this.caller), silent);
	}

	/** A message that is no answer: a notification, or a request of the server. `call` is the one it came with, if any. */
	unsolicited(scanned: Scanned, call: OpenCall | null): void {
		const method = memberOf(scanned.members, 'method');
		if (method === null) return;
		if (scanned.text[method.start] !== 0x22 || method.end - method.start > maximumNameBytes) return;
		const name = decodeString(scanned.text, method.start, method.end);
		const id = memberOf(scanned.members, 'id');
		if (id !== null && id.end - id.start > maximumNameBytes) return;
		if (id !== null) return this.asked(textOf(scanned, id).toString(), name, scanned, call);
		const params = memberOf(scanned.members, 'params');
		if (name === 'notifications/subscriptions/acknowledged') return this.acknowledged(scanned, params);
		if (name === 'notifications/cancelled') return this.withdrawn(scanned, params);
		// List changes say nothing but their name; what a server adds belongs to its own subscription.
		const bare = params === null || name.endsWith('/list_changed');
		const notice = { method: name, params: bare ? null : withoutSubscription(scanned, params) };
		if (name === 'notifications/progress') return this.progressOwner(scanned, params, call)?.note(notice);
		// What concerns lists, resources and tasks is the whole session's, whatever stream it came on.
		if (wide.test(name)) {
			if (name === 'notifications/tools/list_changed') this.tools.outdate();
			return this.events.note(notice);
		}
		const sink = (call ?? this.newestCall())?.sink ?? null;
		if (sink !== null) sink.note(notice);
		else this.events.note(notice);
	}

	/** `then` hears when the server acknowledges the `subscriptions/listen` with this id; null: nobody waits any more. */
	onAcknowledged(id: number, then: ((scanned: Scanned) => void) | null): void {
		if (then === null) this.acknowledging?.delete(id);
		else (this.acknowledging ??= new Map()).set(id, then);
	}

	answered(): void {
		this.served = true;
		this.vitals.circuit.succeeded();
	}

	readResult(call: Call, scanned: Scanned, result: Member): Result {
		this.answered();
		const text = textOf(scanned, result);
		const { type, stamped } = this.dialect.resultType(result, scanned.text);
		if (call.method !== 'tools/list') return { text, type, stamped };
		return { text: this.tools.learn(call, text, this.dialect.mirrors), type, stamped };
	}

	/** A call is over: what was asked in its middle needs no answer. */
	ended(call: OpenCall): void {
		this.calls.remove(call);
		if (this.asks.length === 0) return;
		// What came on no call's own stream may be another call's, as long as there is one. A client with a session can
		// answer it even then: it may have had nothing to do with any call, such as for the roots that have changed.
		const last = !this.caller.handshake && call.mayBeAsked && this.newestCall() === null;
		for (const ask of [...this.asks]) if (ask.call === call || (ask.call === 'any' && last)) ask.withdraw();
	}

	cancelled(id: number, reason: string | undefined): void {
		const notice = this.dialect.cancelNotice(id, reason);
		if (notice !== null) this.post(notice);
	}

	errorOf(scanned: Scanned, member: Member): McpError {
		this.answered();
		const error = readError(scanned, member, this.target);
		this.check?.refused(error.code);
		return error;
	}

	recover(call: Call, sink: Sink, fault: TransportFault, { repeated, tries }: Sent): Ticket | null {
		const { lost } = this;
		if (fault.kind === 'io' && fault.neverRan && !fault.over) {
			// What the gateway itself is short of says nothing of the server.
			if (fault.retryAfter === undefined) this.vitals.circuit.failed('unreachable', failureOf(fault));
			return lost?.unreached(call, sink, tries) ?? null;
		}
		if (lost === null || repeated) return null;
		// An answer that is only fetched (any more) was run.
		if (fault.kind === 'http' && fault.sessionLost && fault.neverRan) return lost.forgotten(call, sink);
		const broke = fault.kind === 'io' && !fault.answered && !fault.over;
		return broke && safeMethods.has(call.method) ? lost.broken(call, sink) : null;
	}

	/** The transport gave up on a call; a process that ended takes the whole connection along. */
	faulted(fault: TransportFault): McpError {
		const failure = failureOf(fault);
		// A session that the server has forgotten is as dead as a process; whoever holds the connection opens another.
		if (endsTransport(fault)) this.fail(failure);
		else this.check?.failed(fault);
		return unanswered(this.target, failure);
	}

	fail(failure: Failure): void {
		if (this.failed) return;
		this.failed = true;
		this.abandon(failure.reason);
		this.events.failed(failure);
	}

	/** The connection ends: whoever still waits is told so. */
	abandon(reason: string): void {
		for (const ask of [...this.asks]) ask.withdraw();
		const error = unanswered(this.target, { reason });
		this.calls.each((call) => call.abandon(error));
	}

	post(message: Buffer, holder: Holder | null = null): void {
		if (this.failed) return;
		const held = holder?.hold(message.length) ?? null;
		this.transport.post({ message, headers: this.dialect.postHeaders, held });
	}

	settled(ask: ServerAsk): void {
		const at = this.asks.indexOf(ask);
		if (at < 0) return;
		this.asks.splice(at, 1);
		this.stand(ask);
	}

	/** Gives up calls without sign of life; false when there are none at all. */
	look(now: number): boolean {
		if (this.calls.size === 0) return false;
		if (now < this.dueAt) return true;
		for (const ask of this.asks) this.stand(ask);
		const { timeout } = this.vitals.clock;
		this.dueAt = now + Math.min(timeout, silenceMs);
		let silent = false;
		this.calls.each((call) => {
			const end = call.signAt + timeout;
			if (end <= now) return this.late(call);
			silent ||= now - call.signAt >= silenceMs;
			this.dueAt = Math.min(this.dueAt, end, Math.max(call.signAt, now - lookAgainMs) + silenceMs);
		});
		if (silent) this.transport.suspect?.();
		return this.calls.size > 0;
	}

	/** While its client is asked, a call does not grow older. */
	private stand({ call }: ServerAsk): void {
		this.calls.each((one) => {
			if (one === call || (call === 'any' && one.mayBeAsked)) one.signAt = this.now;
		});
	}

	private late(call: OpenCall): void {
		const { circuit, clock } = this.vitals;
		const reason = `it gave no sign of life for ${clock.timeout / 1000} s (callTimeout)`;
		circuit.failed('timeout', { reason, remedy: '', exitCode: null, signal: null, stderr: [] }, clock.timeout);
		call.refuse(unanswered(this.target, { reason }), reason);
	}

	/**
	 * A request of the server. What came on a stream of its own, or over a channel that all calls share, cannot be told
	 * apart by call; then it goes to the call that began last, which an exclusive connection makes the right one.
	 */
	private asked(id: string, method: string, scanned: Scanned, call: OpenCall | null): void {
		if (method === 'ping') return this.post(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}`));
		const params = memberOf(scanned.members, 'params');
		const asking = call ?? this.newestCall();
		if (!this.dialect.handshake) return asking?.refuse(asksOutOfPlace(this.target, method));
		const ask = new ServerAsk(
			this,
			id,
			method,
			params === null ? null : textOf(scanned, params),
			call ?? (asking === null ? null : 'any'),
		);
		if (this.asks.length >= maximumAsks) {
			return ask.answer({ error: mcpError(code.internal, 'too many requests of this server wait for an answer') });
		}
		this.asks.push(ask);
		const sink = asking?.sink ?? null;
		if (sink !== null) sink.ask(ask);
		else this.events.ask(ask);
	}

	private acknowledged(scanned: Scanned, params: Member | null): void {
		const id = memberOf(memberOf(params?.members, '_meta')?.members, subscriptionKey);
		if (id !== null) this.acknowledging?.get(Number(textOf(scanned, id).toString()))?.(scanned);
	}

	private withdrawn(scanned: Scanned, params: Member | null): void {
		const id = memberOf(params?.members, 'requestId');
		if (id === null) return;
		const text = textOf(scanned, id).toString();
		for (const ask of [...this.asks]) if (ask.id === text) ask.withdraw();
	}

	/** Progress names its call by the token, which is the request's id. */
	private progressOwner(scanned: Scanned, params: Member | null, call: OpenCall | null): Sink | null {
		if (call !== null) return call.sink;
		const token = memberOf(params?.members, 'progressToken');
		const id = token === null ? Number.NaN : Number(textOf(scanned, token).toString());
		let owner: Sink | null = null;
		this.calls.each((one) => {
			if (one.id !== id) return;
			one.signAt = this.now;
			owner = one.sink;
		});
		return owner;
	}

	private newestCall(): OpenCall | null {
		let newest: OpenCall | null = null;
		this.calls.each((call) => {
			if (call.askable && (newest === null || call.id > newest.id)) newest = call;
		});
		return newest;
	}
}

/** No method has a name this long, and no request an id: each that waits would hold it. */
const maximumNameBytes = 1024;
/** After so long without sign of life it is looked whether the other end is still there, and again and again. */
const silenceMs = 20_000;
const lookAgainMs = 5000;
/** More questions of one server at a time are refused. */
const maximumAsks = 1000;

const wide = /\/list_changed$|^notifications\/(resources\/updated|tasks(\/status)?|elicitation\/complete)$/;

const firstTime: Sent = { repeated: false, tries: 0 };
const silent: Sink = { note() {}, ask() {}, done() {}, fail() {} };
const nothingToCancel: Ticket = { cancel() {} };
