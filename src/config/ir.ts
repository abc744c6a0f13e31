/**
 * The configuration as the gateway understands it: plain data, every default filled in, every shorthand expanded.
 * `config/` makes it from text; `runtime/` compiles it. Durations are milliseconds.
 */

/** A whole configuration. */
export interface GatewayConfig {
	settings: Settings;
	binds: Bind[];
	/** Accepted, but worth a line in the log. */
	warnings: Problem[];
}

/** A place in a configuration. */
export interface ProblemPlace {
	/** File name as the user wrote it, `<stdin>` or `<command line>`. */
	file: string;
	/** 1-based; 0 when the problem has no place, such as a missing file. */
	line: number;
	column: number;
	/** `binds[0].listeners[0].routes[1]`; empty for the document itself. */
	path: string;
}

/** One thing that is wrong (or only suspicious) in a configuration, with the place where it stands. */
export interface Problem extends ProblemPlace {
	/** What is wrong. */
	message: string;
	/** What to write instead; empty when the message already says it. */
	remedy: string;
}

/** The `config:` section after defaults and environment variables. Read at start only. */
export interface Settings {
	adminAddress: Address | null;
	statsAddress: Address | null;
	readinessAddress: Address | null;
	ipv6: boolean;
	/** RUST_LOG syntax: `info`, `warn,agentgateway::mcp=debug`. */
	logLevel: string;
	logFormat: 'text' | 'json';
	/** 32 bytes as hex; null: random per start. */
	sessionKey: string | null;
	sessionTtl: number;
	/** How long a session waits for its targets before it opens without the late ones. Default 10 s. */
	targetStartTimeout: number;
	limits: McpLimits;
	/** How long in-flight work may go on after SIGTERM. Default 5 s. */
	drainDeadline: number;
	/** How long a connection on which nothing happens stays open after SIGTERM at least. Default 0. */
	drainMinimum: number;
	/** The URL under which clients reach the gateway, when a proxy stands in front. */
	publicUrl: string | null;
	/** Further Host values that are accepted on what arrives over loopback. */
	allowedHosts: string[];
	/** Token for the admin API when it is reached from elsewhere; null: random per start. */
	adminToken: string | null;
}

/** What one client or one target can make the gateway hold. Sizes are bytes. */
export interface McpLimits {
	/** Largest body of a request from a client. Default 4 MiB. */
	maxBodySize: number;
	/** Largest answer of a target. Default 64 MiB. */
	maxResultSize: number;
	/** Longest line of a child process. Default 16 MiB. */
	maxLineSize: number;
	/** Calls under way in one session. Default 1000. */
	maxCallsPerSession: number;
	/** Items taken of one list of a target. Default 10,000. */
	maxListItems: number;
	/** Pages taken of one list of a target. Default 100. */
	maxListPages: number;
	/** Events that wait on one stream for its client. Default 1000. */
	maxStreamEvents: number;
	/** Their size. Default 1 MiB. */
	maxStreamBytes: number;
	/** Events that a session keeps for a client that resumes a stream. Default 1000; 0: none. */
	replayEvents: number;
	/** Their size. Default 4 MiB. */
	replayBytes: number;
	/** Longest id of a request as JSON. Default 256. */
	maxIdBytes: number;
	/** Messages in one batch. Default 50. */
	maxBatch: number;
	/** Sessions of one backend. Default 10,000. */
	maxSessions: number;
	/** Sessions at one target that clients without a session share. Default 32. */
	maxPooledSessions: number;
	/** Child processes of all stdio targets. Default 1000. */
	maxProcesses: number;
	/** Child processes that one principal holds; null: no limit. */
	maxProcessesPerPrincipal: number | null;
	/** How long a session with child processes outlives the streams of its client. Default 2 m. */
	vanishedTimeout: number;
	/** How long a call waits for answers that its client brings with a further request. Default 5 m. */
	parkTimeout: number;
}

/** Where to listen. */
export type Address = { kind: 'tcp'; host: string; port: number } | { kind: 'unix'; path: string };

export interface Bind {
	/** `bind/3000` */
	key: string;
	port: number;
	listeners: Listener[];
}

export interface Listener {
	name: string;
	/** Always `default/default` in metrics and logs for `binds`; `default/<name>` for `gateways`. */
	gateway: string;
	/** Exact or `*.suffix`; null matches all. */
	hostname: string | null;
	protocol: 'HTTP';
	routes: Route[];
}

export interface Route {
	/** `default/route0`: namespace and name, unique on its listener. */
	key: string;
	name: string;
	ruleName: string | null;
	hostnames: string[];
	matches: Match[];
	policies: RoutePolicies;
	backends: WeightedBackend[];
	/** Where the route stands in the file, for messages. */
	place: string;
}

export interface Match {
	path: { kind: 'exact' | 'pathPrefix' | 'regex'; value: string };
	method: string | null;
	headers: ValueMatch[];
	query: ValueMatch[];
}

export interface ValueMatch {
	name: string;
	kind: 'exact' | 'regex';
	value: string;
}

/** One optional field per policy, named after its YAML key. */
export interface RoutePolicies {
	cors?: CorsPolicy;
}

export interface CorsPolicy {
	allowOrigins: string[];
	allowMethods: string[];
	allowHeaders: string[];
	exposeHeaders: string[];
	allowCredentials: boolean;
	/** Seconds; null when not written. */
	maxAge: number | null;
}

export interface WeightedBackend {
	weight: number;
	backend: BackendConfig;
}

/** Backends by kind. Today only MCP; `host`, `dynamic` and others join here. */
export type BackendConfig = McpBackendConfig;

export interface McpBackendConfig {
	kind: 'mcp';
	/** `default/route0/backend0`, or the name given in `backends`. Unique in a configuration. */
	key: string;
	targets: TargetConfig[];
	statefulMode: 'stateful' | 'stateless';
	prefixMode: 'conditional' | 'always' | 'never';
	/** `strict`: names of tools and prompts keep within `[a-zA-Z0-9_-]{1,64}`. */
	nameStyle: 'relaxed' | 'strict';
	/** `tolerant` when not written: a target that is away hurts nobody, and joins later. */
	failureMode: 'tolerant' | 'failOpen' | 'failClosed';
	/** null: the automatic rule for what arrives over loopback. */
	dnsRebindingProtection: boolean | null;
}

export type TargetConfig = StdioTargetConfig | HttpTargetConfig;

/** What clients see of a target's lists. An absent list is shown as it is. */
export interface CurationConfig {
	tools?: ItemRulesConfig;
	prompts?: ItemRulesConfig;
	/** Names are URIs, and for templates URI templates. */
	resources?: ItemRulesConfig;
}

/** Rules for the items of one list, by their names at the server. */
export interface ItemRulesConfig {
	/** Patterns with `*` and `?`; null: everything. */
	include: string[] | null;
	exclude: string[];
	/** Name at the server → name for clients. */
	rename: Record<string, string>;
	/** Name at the server → description for clients. */
	describe: Record<string, string>;
}

/** What one target is given of time and of calls. */
export interface CallConfig {
	/** A call without sign of life for so long is given up; 0: never. Default 1 h. */
	callTimeout: number;
	/** Calls under way at once; null: no limit. */
	maxConcurrentCalls: number | null;
}

export interface StdioTargetConfig extends CallConfig {
	kind: 'stdio';
	name: string;
	curation?: CurationConfig;
	cmd: string;
	args: string[];
	env: Record<string, string>;
	clearEnv: boolean;
	/** Folder to run in; null: the gateway's own. */
	cwd: string | null;
	/** From the start until the handshake is answered. Default 2 m. */
	startTimeout: number;
	/** Without a call for so long, a process is ended until the next one; null: never. */
	idleTimeout: number | null;
	/** Processes of the target at once; null: no limit of its own. */
	maxProcesses: number | null;
	/** Whether one process is kept in reserve. */
	prewarm: boolean;
	/** Who shares a process of a server with a handshake. */
	sharing: 'session' | 'principal' | 'all';
}

export interface HttpTargetConfig extends CallConfig {
	/** `mcp` is Streamable HTTP, `sse` the older HTTP+SSE. */
	kind: 'mcp' | 'sse';
	name: string;
	curation?: CurationConfig;
	/** Absolute `http:` or `https:` URL with its path. */
	url: string;
	/** For the connection and the handshake. Default 30 s. */
	startTimeout: number;
}
