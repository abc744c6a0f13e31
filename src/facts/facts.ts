/** Knows which names servers list; any other name is what somebody thought up. */
export interface Catalogue {
	/** `name`: as `cutLabel` leaves it. */
	lists(target: string, name: string): boolean;
}

/**
 * What is known of a request and of the MCP call in it, by the names that access log and metrics print.
 * A stage fills in what it learns; absent values stay undefined. Texts that clients and servers choose are cut by
 * `cutText`: telemetry remembers the facts of a request for as long as no other comes.
 */
export interface Facts {
	bind: string;
	gateway?: string;
	listener?: string;
	route?: string;
	routeRule?: string;
	endpoint?: string;
	sourceAddress: string;
	method: string;
	host: string;
	path: string;
	httpVersion: string;
	status?: number;
	protocol?: 'http' | 'mcp';
	/** Backend name for the metrics. */
	backend?: string;
	mcpMethod?: string;
	mcpTarget?: string;
	/** `tool`, `prompt`, `resource` … */
	mcpResourceType?: string;
	/** The item's own name at its server. */
	mcpResource?: string;
	/** Whether the item is one that its server has. */
	mcpCatalogue?: Catalogue;
	/** Never whole: the first eight characters. */
	mcpSession?: string;
	mcpErrorCode?: number;
	mcpErrorMessage?: string;
	error?: string;
	/** One of the `reason` values of the contract: `Upstream`, `NotFound`, `MCP` … */
	reason?: string;
	/** Milliseconds on the monotonic clock. */
	startedAt: number;
	responseBytes?: number;
}

/** What is known when a request arrives. */
type FirstFacts = Pick<Facts, 'bind' | 'sourceAddress' | 'method' | 'host' | 'path' | 'httpVersion' | 'startedAt'>;

/** Facts with room for all that will be learnt: an object that grows member by member is copied again and again. */
export function newFacts(first: FirstFacts): Facts {
	const { bind, sourceAddress, method, host, path, httpVersion, startedAt } = first;
	return {
		bind,
		gateway: undefined,
		listener: undefined,
		route: undefined,
		routeRule: undefined,
		endpoint: undefined,
		sourceAddress,
		method,
		host,
		path,
		httpVersion,
		status: undefined,
		protocol: undefined,
		backend: undefined,
		mcpMethod: undefined,
		mcpTarget: undefined,
		mcpResourceType: undefined,
		mcpResource: undefined,
		mcpCatalogue: undefined,
		mcpSession: undefined,
		mcpErrorCode: undefined,
		mcpErrorMessage: undefined,
		error: undefined,
		reason: undefined,
		startedAt,
		responseBytes: undefined,
	};
}
