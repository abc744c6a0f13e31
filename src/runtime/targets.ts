import type { TargetConfig } from '../config/ir.ts';
import type { Target } from '../mcp/model.ts';
import { createTarget } from '../mcp/upstream/target.ts';
import { StdioTransport } from '../mcp/upstream/transport/stdio.ts';
import { HttpPool } from '../mcp/upstream/transport/http-pool.ts';
import { StreamableHttpTransport } from '../mcp/upstream/transport/streamable-http.ts';
import type { Processes } from '../processes/processes.ts';
import type { Logger } from '../telemetry/log.ts';

/** Opens targets, and owns what they share: the pools of connections to HTTP servers. */
export class Targets {
	private readonly processes: Processes;
	private readonly logger: Logger;
	private readonly pools = new Map<string, HttpPool>();

	constructor(processes: Processes, logger: Logger) {
		this.processes = processes;
		this.logger = logger;
	}

	/** Makes the target of a backend; nothing is opened before somebody calls it. */
	open(backend: string, config: TargetConfig): Target {
		const { name } = config;
		if (config.kind === 'mcp') {
			const pool = this.poolOf(new URL(config.url).origin);
			return createTarget({
				name,
				overHttp: true,
				handshakeOnly: false,
				openTransport: () => new StreamableHttpTransport(config.url, pool),
			});
		}
		const command = { command: config.cmd, args: config.args, env: config.env, clearEnv: config.clearEnv };
		return createTarget({
			name,
			overHttp: false,
			handshakeOnly: false,
			openTransport: () =>
				new StdioTransport({
					processes: this.processes,
					label: targetLabel(backend, name),
					command,
					onStderr: (line) => this.logger.debug(line, { target: name, stream: 'stderr' }),
					onJunk: (line) =>
						this.logger.debug('dropped a line that is no answer', {
							target: name,
							line: line.toString('utf8', 0, 200),
						}),
				}),
		});
	}

	async close(): Promise<void> {
		await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
	}

	private poolOf(origin: string): HttpPool {
		let pool = this.pools.get(origin);
		if (pool === undefined) {
			pool = new HttpPool(origin);
			this.pools.set(origin, pool);
		}
		return pool;
	}
}

/** Names a target across all backends. */
export function targetLabel(backend: string, target: string): string {
	return `${backend}/${target}`;
}
