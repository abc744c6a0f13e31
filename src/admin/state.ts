/** The shapes that the admin API sends and the UI reads. Types only: the UI imports nothing else of the gateway. */

/** How a target is right now, in the words that stand on the screen. */
export type TargetState = 'idle' | 'starting' | 'ready' | 'degraded' | 'failed';

/** A target with its live state. */
export interface TargetView {
	/** Unique: `<backend key>/<target name>`. */
	id: string;
	name: string;
	kind: 'stdio' | 'mcp' | 'sse';
	/** The command with its arguments, or the URL. */
	endpoint: string;
	state: TargetState;
	/** Why it is so, as one sentence; empty when ready. "command `uvx` was not found" */
	reason: string;
	/** What a person can do about it; may be empty. */
	remedy: string;
	/** RFC 3339: since when the state holds. */
	since: string;
	exitCode: number | null;
	signal: string | null;
	/**
	 * The last lines that the process which failed wrote to stderr, oldest first, at most 50. Of one that failed at its
	 * start, the first lines of stdout that were no messages follow as `stdout: …`.
	 */
	stderr: string[];
	/** From the server's own handshake, when it has been reached. */
	server: { name: string; version: string; protocolVersion: string } | null;
	/** Numbers of listed items, null while unknown or not supported. */
	tools: number | null;
	prompts: number | null;
	resources: number | null;
	/** Lists that clients do not get from it, or not whole, as of the last time that anybody asked. */
	missingLists: MissingListView[];
	/** Items that clients do not see, as far as their lists have been read, at most 1,000 of a list. */
	hidden: HiddenItemView[];
	/** `open`: it failed again and again, and nothing is asked of it until `retryAt`; `half-open`: it is being tried. */
	circuit: 'closed' | 'open' | 'half-open';
	/** Failures in a row: starts that failed, calls without sign of life, connections that could not be made. */
	failures: number;
	/** RFC 3339: when it is tried next; null while its circuit is closed. */
	retryAt: string | null;
	/** Upstream connections that are open now. */
	connections: number;
	/** Child processes alive now (stdio only). */
	processes: number;
	/** How its processes fare; null for targets that are not started here. */
	process: ProcessView | null;
}

/** The processes of one target, all together. */
export interface ProcessView {
	state: 'stopped' | 'starting' | 'ready' | 'backing off' | 'crash-looping';
	/** Why the last one ended, when nobody wanted it to; empty otherwise. */
	reason: string;
	/** RFC 3339: since when the state holds. */
	since: string;
	/** Ends that nobody wanted, since the start of the gateway. */
	ends: number;
	/** Lines of stdout that were no messages, since the start of the gateway. */
	junkLines: number;
}

export interface MissingListView {
	/** `tools`, `prompts`, `resources` or `resourceTemplates`. */
	list: string;
	/** `the server failed tools/list: no answer within 30 s` */
	reason: string;
}

export interface HiddenItemView {
	/** `tools`, `prompts`, `resources` or `resourceTemplates`. */
	list: string;
	/** Its name or URI at the server. */
	name: string;
	/** `tools.exclude names it`, `also served by "b" under the same name` */
	reason: string;
}

export interface BackendView {
	key: string;
	kind: 'mcp';
	weight: number;
	targets: TargetView[];
	statefulMode: string;
	prefixMode: string;
	nameStyle: string;
	failureMode: string;
}

export interface RouteView {
	/** `default/route0` */
	key: string;
	name: string;
	/** "Route 1": the n-th route of its listener, counted from 1, or its name when the file gives one. */
	label: string;
	hostnames: string[];
	/** `/*`, `= /exact`, `~ regex`, with method, as short text */
	matches: string[];
	policies: string[];
	backends: BackendView[];
	/** The URL a client on this machine uses. */
	url: string;
	/** The path part of `url`. */
	path: string;
}

export interface ListenerView {
	name: string;
	gateway: string;
	protocol: string;
	hostname: string | null;
	routes: RouteView[];
}

export interface BindView {
	key: string;
	port: number;
	/** Addresses that are really bound, such as `0.0.0.0:3000`. */
	addresses: string[];
	listeners: ListenerView[];
}

/** One thing that is wrong with the file as it is now. */
export interface ConfigErrorView {
	file: string;
	/** 1-based; 0 when it has no place. */
	line: number;
	column: number;
	/** `binds[0].listeners[0]`; may be empty. */
	path: string;
	message: string;
	/** What to do about it; may be empty. */
	remedy: string;
}

/** How what runs stands to what is written. */
export interface ConfigView {
	/** False: the file has errors, and what was read before goes on. */
	synchronized: boolean;
	/** RFC 3339: since when it is so; with `synchronized` when the configuration was applied. */
	since: string;
	/** Empty while synchronized. */
	errors: ConfigErrorView[];
	/** Settings that differ in the file and are only read at the start, such as `config.adminAddr`. */
	needsRestart: string[];
}

/** GET /api/state, and each `state` event of GET /api/events. */
export interface StateSnapshot {
	/** Grows by one with each change. */
	revision: number;
	version: string;
	/** RFC 3339 */
	startedAt: string;
	/** RFC 3339: when this snapshot was taken. */
	now: string;
	/** Name or path of the configuration that is running. */
	configSource: string;
	config: ConfigView;
	/** Of the configuration, each as `path: what is suspicious; what helps`. */
	warnings: string[];
	binds: BindView[];
	sessions: number;
	/** HTTP requests answered since the start. */
	requests: number;
	childProcesses: number;
	memoryBytes: number;
	/** What runs out, so that requests are refused; empty most of the time. */
	pressure: PressureView[];
}

/** Something that runs out. */
export interface PressureView {
	/** `heap`, `memory`, `descriptors` or `event_loop`. */
	kind: string;
	/** `descriptors: 120 of 128 are open` */
	text: string;
	remedy: string;
	/** RFC 3339 */
	since: string;
}

/** POST /api/playground/connect: body. The gateway opens an MCP session through its own listener. */
export interface PlaygroundConnect {
	/** `bind/3000` */
	bind: string;
	/** `RouteView.key` and the listener it is on. */
	listener: string;
	route: string;
	/** Sent as `Authorization: Bearer …` when not empty. */
	bearerToken?: string;
}

/** The answer to connect. Errors are `ApiError` with a 4xx or 5xx status. */
export interface PlaygroundSession {
	id: string;
	protocolVersion: string;
	serverInfo: { name: string; version: string };
	instructions: string;
	capabilities: Record<string, unknown>;
	tools: PlaygroundTool[];
	/** Milliseconds that initialize and the lists took. */
	durationMs: number;
	endpoint: string;
}

export interface PlaygroundTool {
	name: string;
	title?: string;
	description?: string;
	inputSchema: Record<string, unknown>;
	outputSchema?: Record<string, unknown>;
	annotations?: Record<string, unknown>;
}

/** POST /api/playground/sessions/{id}/call: body; the answer is a `PlaygroundResult`. */
export interface PlaygroundCall {
	/** JSON-RPC method, such as `tools/call`. */
	method: string;
	params: Record<string, unknown>;
}

/** What came back: the JSON-RPC reply as it was on the wire, and the notifications before it. */
export interface PlaygroundResult {
	httpStatus: number;
	durationMs: number;
	/** The JSON-RPC response object. */
	response: Record<string, unknown>;
	notifications: Record<string, unknown>[];
}

/** Body of every refusal of the admin API. */
export interface ApiError {
	error: string;
	/** What to do about it; may be empty. */
	remedy: string;
	/** Technical detail, may be empty. */
	detail: string;
}
