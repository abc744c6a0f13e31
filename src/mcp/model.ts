import type { Holder } from '../http/held-bytes.ts';
import type { Member, Scanned } from '../lib/json-scan.ts';
import type { Edit } from '../lib/splice.ts';
import type { Circuit } from './health/circuit.ts';
import type { Failure } from './health/failure.ts';
import type { LargeResult } from './large-result.ts';
import type { ResultForms } from './result-forms.ts';

export type { Failure } from './health/failure.ts';

/**
 * The neutral model: what a call is, whoever sent it and whoever answers it. Shaped like MCP 2026-07-28, payloads
 * kept as JSON text. Client codecs (`wire/`) make it, upstream dialects (`upstream/`) speak it; nothing here and
 * nothing between them knows a protocol version.
 */

/** JSON as bytes on one line, already checked by the scanner. Never decoded unless something must look inside. */
export type JsonText = Buffer;

/** Who calls, as far as upstreams may know. */
export interface Caller {
	/** Digest of the verified identity; without authentication `anonymous`, and from where if servers may ask it something. */
	readonly principal: string;
	/** The client's `clientInfo` object as it sent it. */
	readonly clientInfo: JsonText | null;
	/** The client's capabilities object as it sent it. */
	readonly capabilities: JsonText;
	/** Minimum level of log notifications wanted, `null` for none asked. */
	readonly logLevel: string | null;
	/**
	 * Whether the client opened a session with a handshake. It is best served by servers that do the same: what they
	 * ask in the middle of a call then passes as it is.
	 */
	readonly handshake: boolean;
	/** Whether the client declared that servers may ask it something (elicitation, sampling, roots). */
	readonly interactive: boolean;
}

/** One request on its way to an upstream. */
export interface Call {
	readonly method: string;
	/** The params object as the client wrote it: members of the root, and of `_meta`. */
	readonly params: Scanned;
	/** Changes to `params` that the way collected (names, URIs), in rising order, outside `_meta`. */
	readonly edits: readonly Edit[];
	/** Members of `_meta` that travel on; the codec has removed those that belong to the client's connection. */
	readonly meta: readonly Member[];
	/** The tool or prompt name or the resource URI as the upstream knows it, when the method has one. */
	readonly name: string | null;
	/** What an earlier try of the call was asked for; null on the first try, and where `params` itself holds it. */
	readonly inputs: Inputs | null;
	/** Headers of the client's request, whose `Mcp-Param-*` must fit the arguments; null where there are none to check. */
	readonly mirrored: Readonly<Record<string, string | string[] | undefined>> | null;
	readonly wantsProgress: boolean;
	readonly caller: Caller;
	readonly origin: 'client' | 'gateway';
}

/** Answers to a result of type `input_required`, to be sent with the call's next try. */
export interface Inputs {
	/** The `inputResponses` object; null when nothing was asked. */
	readonly responses: JsonText | null;
	/** The `requestState` of the server, a JSON string exactly as it came; null when there was none. */
	readonly state: JsonText | null;
}

/** Takes a call back. */
export interface Ticket {
	cancel(reason?: string): void;
}

/** Where a call's outcome goes: any number of notes and questions, then exactly one `done` or `fail`. */
export interface Sink {
	note(notice: Notice): void;
	/** The server asks the client something and waits for the answer before it goes on. */
	ask(ask: Ask): void;
	/** The server wants no connection kept open for the call: it is asked for the rest later. Whoever can may do likewise. */
	paused?(): void;
	done(result: Result): void;
	fail(error: McpError): void;
	/** A large result as it would go on; null or absent: it must be put together, scanned whole, and given to `done`. */
	inPieces?(result: LargeResult): readonly JsonText[] | null;
	/** Instead of `done`: takes what `inPieces` gave. */
	pass?(pieces: readonly JsonText[]): void;
}

/** A notification from a server. `params` is an object text or null. */
export interface Notice {
	readonly method: string;
	readonly params: JsonText | null;
}

/** A notification from a client that travels on, such as `notifications/roots/list_changed`. */
export interface ClientNotice extends Notice {
	/** Counts what is kept of it until servers have taken it; null or absent: nobody does. */
	readonly holder?: Holder | null;
}

/** A question of a server to its client in the middle of a call: elicitation, sampling, roots, or a vendor's own. */
export interface Ask {
	/** `elicitation/create`, `sampling/createMessage`, `roots/list` … */
	readonly method: string;
	/** The params object; null when the server sent none. */
	readonly params: JsonText | null;
	/** Answers it. Only the first answer counts, and none after the server has withdrawn the question. */
	answer(answer: Answer): void;
	/** Passes on how far the client is; `params` is that of `notifications/progress`. `holder` as in `Answer`. */
	progress(params: JsonText, holder?: Holder | null): void;
	/** `then` is called once if the question becomes void: the server took it back, or its call has ended. */
	onWithdrawn(then: () => void): void;
}

/** What a client answers to a question. */
export type Answer = ({ readonly result: JsonText } | { readonly error: McpError }) & {
	/** Counts what is kept of it until the server has taken it; null or absent: nobody does. */
	readonly holder?: Holder | null;
};

/** The result of a call. */
export interface Result {
	/** The result object. */
	readonly text: JsonText;
	/** `complete`, `input_required` or an extension's value. */
	readonly type: string;
	/** Whether `text` itself carries `resultType` and cache fields; codecs add or remove them for their client. */
	readonly stamped: boolean;
	/** Only on a result that goes to many: what codecs have made of it. */
	readonly forms?: ResultForms;
}

/** A refusal or failure in JSON-RPC terms. */
export interface McpError {
	readonly code: number;
	readonly message: string;
	readonly data: JsonText | null;
	/** The target that failed, for the access log. */
	readonly target?: string;
	/** Nothing was done because too much is under way: the client may ask again after so many seconds. */
	readonly retryAfter?: number;
}

/** What a server said of itself when the connection opened. */
export interface ServerFacts {
	readonly serverInfo: { readonly name: string; readonly version: string };
	/** The serverInfo object as sent. */
	readonly serverInfoText: JsonText;
	readonly protocolVersion: string;
	readonly capabilities: Readonly<Record<string, unknown>>;
	readonly capabilitiesText: JsonText;
	readonly instructions: string | null;
	/** Whether the connection began with a handshake, and so holds state: a log level, subscriptions, who asks. */
	readonly handshake: boolean;
}

/** One open connection to one server. After `UpstreamEvents.failed` or `close` each call fails at once. */
export interface Upstream {
	/**
	 * Sends a call. The sink is settled exactly once, also after `cancel`. Nothing is thrown: a call may begin where
	 * another one ends, which must not suffer from it.
	 */
	start(call: Call, sink: Sink): Ticket;
	notify(notice: ClientNotice): void;
	/** Sets the minimum level of what the server logs for this connection from now on. */
	setLevel(level: string): void;
	/** Begins to hear of a resource or a task. `done` gets the server's refusal, or null. */
	watch(topic: Topic, done: (refusal: McpError | null) => void): void;
	/** Ends what `watch` began. */
	unwatch(topic: Topic): void;
	/** Asks for a sign of life, beside all limits; what the server answers counts like any answer. Absent: it cannot be. */
	ping?(): void;
	/**
	 * Ends the connection and whatever stands behind it, a child process included. With `keepSession` the server's session
	 * stays, for who wants to go on with it.
	 */
	close(keepSession?: boolean): Promise<void>;
	/** Whether the server has answered a call. */
	readonly served: boolean;
	/** Process id of the child, null for other transports. */
	readonly pid: number | null;
	/** Whether calls are under way. */
	readonly busy: boolean;
	/**
	 * Since when, on the clock of `performance.now()`, the server could tell of changed lists at any time; null or absent:
	 * it could not now.
	 */
	readonly hearsSince?: number | null;
	/** What another connection needs to go on with the server's session; null when there is none. */
	readonly resumption: Resumption | null;
}

/** A session at a server that outlives the connection. */
export interface Resumption {
	readonly sessionId: string;
	readonly protocolVersion: string;
}

/** What an upstream reports outside calls. `ready` or `failed` comes first; `failed` may follow `ready` once. */
export interface UpstreamEvents {
	/** `kept`: the server was not asked for it; this is what it said to others before. */
	ready(server: ServerFacts, kept?: boolean): void;
	failed(failure: Failure): void;
	/** list_changed, resources/updated, log messages that belong to no call. */
	note(notice: Notice): void;
	/** The server asks something although no call is open. */
	ask(ask: Ask): void;
}

/** One thing whose changes a server reports to those who ask for it, by the name that the server gave it. */
export interface Topic {
	readonly kind: 'resource' | 'task';
	/** URI of the resource, id of the task. */
	readonly id: string;
}

/** A configured MCP server. */
export interface Target {
	readonly name: string;
	/** Whether its sessions live in this process, as with a child: nobody else can go on with them. */
	readonly local: boolean;
	/** Whether it makes sense to ask it. */
	readonly circuit: Circuit;
	/**
	 * Opens a connection of its own for `caller`, with `resume` in a session that the server already has. Never throws;
	 * what goes wrong comes as `events.failed`.
	 */
	open(caller: Caller, events: UpstreamEvents, resume: Resumption | null): Upstream;
}
