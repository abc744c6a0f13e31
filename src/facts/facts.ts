/**
 * What is known of a request and of the MCP call in it, by the names that access log and metrics print.
 * A stage fills in what it learns; absent values stay undefined.
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
