import type { HttpTargetConfig, StdioTargetConfig, TargetConfig } from '../config/ir.ts';
import type { Target } from '../mcp/model.ts';
import { createTarget } from '../mcp/upstream/target.ts';
import { HttpPool } from '../mcp/upstream/transport/http-pool.ts';
import { type SseOptions, SseTransport } from '../mcp/upstream/transport/sse.ts';
import { StdioTransport } from '../mcp/upstream/transport/stdio.ts';
import { StreamableHttpTransport } from '../mcp/upstream/transport/streamable-http.ts';
import type { Processes } from '../processes/processes.ts';
import type { Logger } from '../telemetry/log.ts';

/** Opens targets, and owns what they share: the pools of connections to HTTP servers. */
export class Targets {
	private readonly processes: Processes;
	private readonly logger: Logger;
	private readonly maximumAnswerBytes: number;
	private readonly pools = new Map<string, HttpPool>();

	/** `maximumAnswerBytes` of one answer, one event, or one line of a child process. */
	constructor(processes: Processes, logger: Logger, maximumAnswerBytes: number) {
		this.processes = processes;
		this.logger = logger;
		this.maximumAnswerBytes = maximumAnswerBytes;
	}

	/** Makes the target of a backend; nothing is opened before somebody calls it. */
	open(backend: string, config: TargetConfig): Target {
		switch (config.kind) {
			case 'stdio':
				return this.stdio(backend, config);
			case 'mcp':
				return this.streamableHttp(config);
			case 'sse':
				return createTarget({
					name: config.name,
					warn: (message) => this.logger.warn(message, { target: config.name }),
					overHttp: true,
					sessionsEnd: () => true,
					openTransport: () => this.sse(config, {}),
				});
		}
	}

	async close(): Promise<void> {
		await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
	}

	private stdio(backend: string, { name, cmd, args, env, clearEnv }: StdioTargetConfig): Target {
		const command = { command: cmd, args, env, clearEnv, maximumLineBytes: this.maximumAnswerBytes };
		return createTarget({
			name,
			warn: (message) => this.logger.warn(message, { target: name }),
			overHttp: false,
			openTransport: () =>
				new StdioTransport({
					processes: this.processes,
					label: targetLabel(backend, name),
					command,
					onStderr: (line) => this.logger.debug(line, { target: name, stream: 'stderr' }),
					onJunk: (line) => this.junk(name, line),
					onFault: (fault) => {
						const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
						this.logger.error('internal error', { target: name, error: text });
					},
				}),
		});
	}

	/** A server that turns out to speak HTTP+SSE at this URL is spoken to so from then on. */
	private streamableHttp(config: HttpTargetConfig): Target {
		const { name, url } = config;
		const pool = this.poolOf(url);
		let speaksSse = false;
		const found = {
			// The server refused to be posted to: what it says in a stream, if it is one, it says at once.
			endpointTimeout: 3000,
			onEndpoint: () => {
				if (!speaksSse)
					this.logger.info('the server speaks HTTP+SSE; as an "sse" target it is found sooner', { target: name });
				speaksSse = true;
			},
			onRefused: () => {
				speaksSse = false;
			},
		};
		return createTarget({
			name,
			warn: (message) => this.logger.warn(message, { target: name }),
			overHttp: true,
			sessionsEnd: () => speaksSse,
			openTransport: () =>
				speaksSse ? this.sse(config, found) : new StreamableHttpTransport(url, pool, this.maximumAnswerBytes),
			openFallback: () => this.sse(config, found),
		});
	}

	private sse({ name, url }: HttpTargetConfig, found: Partial<SseOptions>): SseTransport {
		return new SseTransport({
			url,
			pool: this.poolOf(url),
			maximumAnswerBytes: this.maximumAnswerBytes,
			onJunk: (text) => this.junk(name, text),
			...found,
		});
	}

	private junk(target: string, text: Buffer): void {
		this.logger.debug('dropped a line that is no answer', { target, line: text.toString('utf8', 0, 200) });
	}

	private poolOf(url: string): HttpPool {
		const { origin } = new URL(url);
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
