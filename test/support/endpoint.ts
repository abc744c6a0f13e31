import { defaultLimits } from '../../src/config/expand/limits.ts';
import type { McpLimits } from '../../src/config/ir.ts';
import { Heartbeat } from '../../src/lib/heartbeat.ts';
import { type EndpointOptions, McpEndpoint } from '../../src/mcp/endpoint.ts';
import { Findings } from '../../src/mcp/lists/findings.ts';
import { Health } from '../../src/mcp/health/health.ts';
import type { MissingRule } from '../../src/mcp/missing.ts';
import { createNaming } from '../../src/mcp/names.ts';
import { FakeExchange } from './fake-exchange.ts';
import { SharedLists } from '../../src/mcp/lists/shared-lists.ts';
import type { Target } from '../../src/mcp/model.ts';

export interface EndpointChoice extends Partial<Omit<EndpointOptions, 'limits' | 'federation'>> {
	readonly limits?: Partial<McpLimits>;
	/** Default `never`. */
	readonly refuseWhenMissing?: MissingRule;
	/** Milliseconds between two beats. Default 50. */
	readonly beat?: number;
}

/** An endpoint in memory, in front of fake targets. */
export class TestEndpoint {
	readonly mcp: McpEndpoint;
	private readonly heartbeat: Heartbeat;

	constructor(
		targets: readonly Target[],
		{ beat = 50, refuseWhenMissing = 'never', limits, ...choice }: EndpointChoice = {},
	) {
		this.heartbeat = new Heartbeat(rethrow, beat);
		const names = targets.map((target) => target.name);
		this.mcp = new McpEndpoint({
			federation: {
				targets,
				naming: createNaming([...targets], 'conditional'),
				watch: new Health(
					names,
					() => new Date(),
					() => {},
				),
				findings: new Findings(
					() => {},
					() => {},
				),
				listLimits: { pages: 100, items: 10_000, bytes: 1_000_000 },
				lists: new SharedLists(),
				strict: false,
				refuseWhenMissing,
				startTimeout: 300,
				warn: () => {},
			},
			stateful: true,
			sessionTtl: 60_000,
			version: '0.0.0',
			limits: { ...defaultLimits, ...limits },
			scope: 'route/backend',
			key: Buffer.alloc(32),
			keyLasts: true,
			holder: 'first',
			heartbeat: this.heartbeat,
			guard: () => null,
			refuse: (exchange, refusal) => exchange.respond(refusal.status, [], refusal.message),
			...choice,
		});
	}

	/** Begins a request; its reply may still be under way. */
	begin(method: string, headers: Record<string, string>, body: unknown = ''): FakeExchange {
		const exchange = new FakeExchange(method, headers, body);
		this.mcp.handle(exchange);
		return exchange;
	}

	post(headers: Record<string, string>, body: unknown): Promise<FakeExchange> {
		return this.begin('POST', headers, body).whole();
	}

	/** Opens a session and gives the headers of its requests. */
	async open(protocolVersion = '2025-11-25', capabilities: object = {}): Promise<Record<string, string>> {
		const params = { protocolVersion, capabilities, clientInfo: { name: 'c', version: '1' } };
		const reply = await this.post({}, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
		const id = reply.replyHeaders['mcp-session-id'];
		if (id === undefined) throw new Error(`no session: ${reply.status} ${reply.written}`);
		return { 'mcp-session-id': id };
	}

	async close(): Promise<void> {
		await this.mcp.close();
		this.heartbeat.stop();
	}
}

function rethrow(fault: unknown): void {
	throw fault;
}
