import type { Loose } from '../support/wire-client.ts';

/** A notification, or a question of a server. */
export interface Said {
	readonly method: string;
	readonly params: Loose;
}

export interface UseOptions {
	onProgress?(params: Loose): void;
	signal?: AbortSignal;
	/** New era: the least level of log messages for this request. */
	logLevel?: string;
}

/** Which list changes and resources a client wants to hear of. */
export interface Wanted {
	readonly lists: boolean;
	readonly uris: readonly string[];
}

/** What a client needs to know to open. */
export interface PeerOptions {
	/** Address of the gateway: `/mcp` of it. */
	readonly url: string;
	/** The gateway's configuration file, for clients that start a gateway of their own. */
	readonly config?: string;
	readonly capabilities: Record<string, unknown>;
	/** The first `answer` of the peer; default `agree`. */
	readonly answer?: Peer['answer'];
}

/** An MCP client of any kind; what it gives and throws is JSON of its era. */
export interface Peer {
	readonly facts: {
		readonly name: string | undefined;
		readonly capabilities: Loose;
		readonly instructions: string | undefined;
		readonly version: string | undefined;
	};
	/** Notifications so far, those of progress left out. */
	readonly notes: Said[];
	/** What servers asked so far. */
	readonly asked: Said[];
	/** What is said to a server that asks; a test may exchange it. */
	answer(method: string, params: Loose): unknown;
	/** Sends a request, answers what is asked meanwhile, gives the result; throws a `Refused` for an error. */
	use(method: string, params?: Record<string, unknown>, options?: UseOptions): Promise<Loose>;
	/** Sends a notification. */
	tell(method: string): Promise<unknown>;
	/** Resolves once notifications will come; gives what ends it. */
	watch(wanted: Wanted): Promise<() => Promise<void>>;
	close(): Promise<void>;
}

/** An error response. */
export class Refused extends Error {
	readonly code: number;
	readonly data: Loose;

	constructor(code: number, message: string, data: Loose) {
		super(message);
		this.code = code;
		this.data = data;
	}
}

/** Says yes to everything, with the first thing that fits. */
export function agree(method: string, params: Loose): unknown {
	if (method === 'roots/list') return { roots: [{ uri: 'file:///matrix', name: 'Matrix' }] };
	if (method === 'sampling/createMessage') {
		const text = `about ${params.messages[0].content.text}`;
		return { role: 'assistant', model: 'matrix', stopReason: 'endTurn', content: { type: 'text', text } };
	}
	if (params.mode === 'url') return { action: 'accept' };
	const values: Record<string, unknown> = { string: 'Ada', boolean: true, integer: 7, number: 7.5, array: [] };
	const properties = Object.entries(params.requestedSchema.properties as Record<string, Loose>);
	return { action: 'accept', content: Object.fromEntries(properties.map(([key, one]) => [key, valueFor(one)])) };

	function valueFor(schema: Loose): unknown {
		const choices = schema.enum ?? schema.oneOf?.map((one: Loose) => one.const);
		if (schema.default !== undefined) return schema.default;
		return choices?.[0] ?? values[schema.type as string];
	}
}
