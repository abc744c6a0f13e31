import type { Member, Scanned } from '../lib/json-scan.ts';
import type { Edit } from '../lib/splice.ts';

/**
 * The neutral model: what a call is, whoever sent it and whoever answers it. Shaped like MCP 2026-07-28, payloads
 * kept as JSON text. Client codecs (`wire/`) make it, upstream dialects (`upstream/`) speak it; nothing here and
 * nothing between them knows a protocol version.
 */

/** JSON as bytes on one line, already checked by the scanner. Never decoded unless something must look inside. */
export type JsonText = Buffer;

/** Who calls, as far as upstreams may know. */
export interface Caller {
	/** Digest of the verified identity; `anonymous` without authentication. */
	readonly principal: string;
	/** The client's `clientInfo` object as it sent it. */
	readonly clientInfo: JsonText | null;
	/** The client's capabilities object as it sent it. */
	readonly capabilities: JsonText;
	/** Minimum level of log notifications wanted, `null` for none asked. */
	readonly logLevel: string | null;
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
	readonly wantsProgress: boolean;
	readonly caller: Caller;
	readonly origin: 'client' | 'gateway';
}

/** Takes a call back or holds its notifications. */
export interface Ticket {
	cancel(reason?: string): void;
}

/** Where a call's outcome goes: any number of notes, then exactly one `done` or `fail`. */
export interface Sink {
	note(notice: Notice): void;
	done(result: Result): void;
	fail(error: McpError): void;
}

/** A notification from a server. `params` is an object text or null. */
export interface Notice {
	readonly method: string;
	readonly params: JsonText | null;
}

/** A notification from a client that travels on, such as `notifications/roots/list_changed`. */
export type ClientNotice = Notice;

/** The result of a call. */
export interface Result {
	/** The result object. */
	readonly text: JsonText;
	/** `complete`, `input_required` or an extension's value. */
	readonly type: string;
	/** Whether `text` itself carries `resultType` and cache fields; codecs add or remove them for their client. */
	readonly stamped: boolean;
}

/** A refusal or failure in JSON-RPC terms. */
export interface McpError {
	readonly code: number;
	readonly message: string;
	readonly data: JsonText | null;
	/** The target that failed, for the access log. */
	readonly target?: string;
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
}

/** Why an upstream cannot serve, for a person to read. */
export interface Failure {
	/** One sentence without the target's name: "command `uvx` was not found". */
	readonly reason: string;
	/** What to do about it; may be empty. */
	readonly remedy: string;
	readonly exitCode: number | null;
	readonly signal: string | null;
	/** Last stderr lines, oldest first. */
	readonly stderr: readonly string[];
}

/** One open connection to one server. After `UpstreamEvents.failed` or `close` each call fails at once. */
export interface Upstream {
	/** Sends a call. The sink is settled exactly once, also after `cancel`. */
	start(call: Call, sink: Sink): Ticket;
	notify(notice: ClientNotice): void;
	/** Ends the connection and whatever stands behind it, a child process included. */
	close(): Promise<void>;
	/** Process id of the child, null for other transports. */
	readonly pid: number | null;
}

/** What an upstream reports outside calls. `ready` or `failed` comes first; `failed` may follow `ready` once. */
export interface UpstreamEvents {
	ready(server: ServerFacts): void;
	failed(failure: Failure): void;
	/** list_changed, resources/updated, log messages that belong to no call. */
	note(notice: Notice): void;
}

/** A configured MCP server. */
export interface Target {
	readonly name: string;
	/** Opens a connection of its own for `caller`. Never throws; what goes wrong comes as `events.failed`. */
	open(caller: Caller, events: UpstreamEvents): Upstream;
}
