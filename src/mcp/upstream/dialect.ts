import type { Member, Scanned } from '../../lib/json-scan.ts';
import { code, mcpError } from '../errors.ts';
import type { Call, Caller, Failure, McpError, Notice, ServerFacts, Sink, Ticket, UpstreamEvents } from '../model.ts';
import { memberOf, OnceSink, readError, requestText, textOf } from './message.ts';
import type { Receiver, Transport, TransportFault } from './transport/transport.ts';

/** What differs between the eras of servers. */
export interface Dialect {
	/** Members of `_meta` that each request carries, without braces; empty for none. */
	requestMeta(caller: Caller): string;
	/** Flat HTTP headers of a call. */
	headers(call: Call): readonly string[];
	/** Flat HTTP headers of notifications and of the listening stream. */
	readonly postHeaders: readonly string[];
	/** Type of a result, and whether results carry it themselves. */
	resultType(result: Member, text: Buffer): { type: string; stamped: boolean };
	/** What to do beside forgetting, when a call is cancelled: a notification to send, or nothing. */
	cancelNotice(id: number, reason: string | undefined): Buffer | null;
}

/** A negotiated connection: sends calls, sorts what comes back. One for both eras; the dialect is the difference. */
export class Connection {
	readonly server: ServerFacts;
	private readonly target: string;
	private readonly transport: Transport;
	private readonly dialect: Dialect;
	private readonly events: UpstreamEvents;
	private nextId: number;
	private failed = false;

	constructor(
		target: string,
		transport: Transport,
		dialect: Dialect,
		server: ServerFacts,
		events: UpstreamEvents,
		firstId: number,
	) {
		this.target = target;
		this.transport = transport;
		this.dialect = dialect;
		this.server = server;
		this.events = events;
		this.nextId = firstId;
	}

	start(call: Call, sink: Sink): Ticket {
		const id = this.nextId++;
		const message = requestText(id, call, this.dialect.requestMeta(call.caller));
		const open = new OpenCall(this, id, sink);
		const ticket = this.transport.request({ id, message, headers: this.dialect.headers(call) }, open);
		open.sent(ticket);
		return open;
	}

	/** An id that no other request of this connection has. */
	takeId(): number {
		return this.nextId++;
	}

	notify(notice: Notice): void {
		const params = notice.params === null ? '' : `,"params":${notice.params.toString()}`;
		this.post(Buffer.from(`{"jsonrpc":"2.0","method":${JSON.stringify(notice.method)}${params}}`));
	}

	/** A message that is no answer: a notification, or a request of the server. `sink` is its call's, if it has one. */
	unsolicited(scanned: Scanned, sink: Sink | null): void {
		const method = memberOf(scanned.members, 'method');
		if (method === null) return;
		const name = JSON.parse(textOf(scanned, method).toString()) as unknown;
		if (typeof name !== 'string') return;
		const id = memberOf(scanned.members, 'id');
		if (id !== null) return this.answer(textOf(scanned, id).toString(), name);
		if (name === 'notifications/subscriptions/acknowledged') return;
		const params = memberOf(scanned.members, 'params');
		// List changes say nothing but their name; what a server adds belongs to its own subscription.
		const bare = params === null || name.endsWith('/list_changed');
		const notice = { method: name, params: bare ? null : textOf(scanned, params) };
		// What concerns lists and resources is the whole session's, whatever stream it came on.
		const wide = name.endsWith('/list_changed') || name === 'notifications/resources/updated';
		if (sink !== null && !wide) sink.note(notice);
		else this.events.note(notice);
	}

	readResult(scanned: Scanned, result: Member): { text: Buffer; type: string; stamped: boolean } {
		return { text: textOf(scanned, result), ...this.dialect.resultType(result, scanned.text) };
	}

	cancelled(id: number, reason: string | undefined): void {
		const notice = this.dialect.cancelNotice(id, reason);
		if (notice !== null) this.post(notice);
	}

	errorOf(scanned: Scanned, member: Member): McpError {
		return readError(scanned, member, this.target);
	}

	/** The transport gave up on a call; a process that ended takes the whole connection along. */
	faulted(fault: TransportFault): McpError {
		const failure = failureOf(fault);
		// A session that the server has forgotten is as dead as a process; whoever holds the connection opens another.
		if (fault.kind === 'process' || (fault.kind === 'http' && fault.sessionLost)) this.fail(failure);
		return mcpError(code.internal, `target "${this.target}" did not answer: ${failure.reason}`, this.target);
	}

	fail(failure: Failure): void {
		if (this.failed) return;
		this.failed = true;
		this.events.failed(failure);
	}

	private post(message: Buffer): void {
		this.transport.post(message, this.dialect.postHeaders);
	}

	/** Servers may ping; what else they ask has no way to the client in this version. */
	private answer(id: string, method: string): void {
		const body =
			method === 'ping'
				? '"result":{}'
				: `"error":{"code":-32601,"message":${JSON.stringify(`${method} is not passed on to clients by this gateway`)}}`;
		this.post(Buffer.from(`{"jsonrpc":"2.0","id":${id},${body}}`));
	}
}

/** A call that is on its way. */
class OpenCall implements Receiver, Ticket {
	private readonly connection: Connection;
	private readonly id: number;
	private readonly sink: OnceSink;
	private ticket: Ticket | null = null;

	constructor(connection: Connection, id: number, sink: Sink) {
		this.connection = connection;
		this.id = id;
		this.sink = new OnceSink(sink);
	}

	sent(ticket: Ticket): void {
		this.ticket = ticket;
	}

	message(scanned: Scanned): void {
		if (this.sink.open === null) return;
		const result = memberOf(scanned.members, 'result');
		if (result !== null) return this.sink.take()?.done(this.connection.readResult(scanned, result));
		const error = memberOf(scanned.members, 'error');
		if (error !== null) return this.sink.take()?.fail(this.connection.errorOf(scanned, error));
		this.connection.unsolicited(scanned, this.sink.open);
	}

	failed(fault: TransportFault): void {
		const error = this.connection.faulted(fault);
		this.sink.take()?.fail(error);
	}

	cancel(reason?: string): void {
		const sink = this.sink.take();
		if (sink === null) return;
		this.ticket?.cancel(reason);
		this.connection.cancelled(this.id, reason);
		sink.fail(mcpError(code.cancelled, reason ?? 'cancelled'));
	}
}

/** A transport's fault in words for a person. */
export function failureOf(fault: TransportFault): Failure {
	if (fault.kind === 'process') return fault;
	const none = { exitCode: null, signal: null, stderr: [] };
	if (fault.kind === 'io') return { reason: fault.reason, remedy: fault.remedy, ...none };
	const text = fault.body.toString('utf8', 0, 200).trim();
	const remedy =
		fault.status === 401 || fault.status === 403
			? 'The server wants credentials; targets with credentials are not supported by this version.'
			: 'Check the URL of the target.';
	return { reason: `it answered HTTP ${fault.status}${text === '' ? '' : `: ${text}`}`, remedy, ...none };
}
