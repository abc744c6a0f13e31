import { maskerFor } from '../admin/mask.ts';
import { secretsIn } from '../admin/secret-texts.ts';
import type { HttpTargetConfig, McpLimits, StdioTargetConfig, TargetConfig } from '../config/ir.ts';
import type { Target } from '../mcp/model.ts';
import { createStdioTarget, type StdioTarget } from '../mcp/upstream/stdio-target.ts';
import { createTarget } from '../mcp/upstream/target.ts';
import { HttpPool } from '../mcp/upstream/transport/http-pool.ts';
import { type SseOptions, SseTransport } from '../mcp/upstream/transport/sse.ts';
import { StdioTransport } from '../mcp/upstream/transport/stdio.ts';
import { StreamableHttpTransport } from '../mcp/upstream/transport/streamable-http.ts';
import { LineRate } from '../processes/line-rate.ts';
import { keepStray, ProcessOutput } from '../processes/process-output.ts';
import type { Command, Processes } from '../processes/processes.ts';
import type { Logger } from '../telemetry/log.ts';

/** Opens targets, and owns what they share: the pools of connections to HTTP servers. */
export class Targets {
	private readonly processes: Processes;
	private readonly logger: Logger;
	private readonly maximumAnswerBytes: number;
	private readonly maximumLineBytes: number;
	private readonly pools = new Map<string, HttpPool>();
	/** With the labels of their processes. */
	private readonly stdioTargets = new Map<Target, { readonly target: StdioTarget; readonly label: string }>();
	/** Origins of the HTTP targets that are open. */
	private readonly origins = new Map<Target, string>();

	constructor(processes: Processes, logger: Logger, limits: McpLimits) {
		this.processes = processes;
		this.logger = logger;
		this.maximumAnswerBytes = limits.maxResultSize;
		this.maximumLineBytes = limits.maxLineSize;
	}

	/** Makes the target of a backend; nothing is opened before somebody calls it. Who opens it releases it. */
	open(backend: string, config: TargetConfig): Target {
		if (config.kind === 'stdio') {
			const target = this.stdio(backend, config);
			this.stdioTargets.set(target, { target, label: targetLabel(backend, config.name) });
			return target;
		}
		const target = config.kind === 'mcp' ? this.streamableHttp(config) : this.overSse(config);
		this.origins.set(target, new URL(config.url).origin);
		return target;
	}

	/** Nobody uses the target any more: what no other target shares with it ends. */
	async release(target: Target): Promise<void> {
		const started = this.stdioTargets.get(target);
		if (started !== undefined) {
			this.stdioTargets.delete(target);
			await started.target.close();
			const { label } = started;
			if (![...this.stdioTargets.values()].some((other) => other.label === label)) this.processes.forget(label);
		}
		const origin = this.origins.get(target);
		if (origin === undefined) return;
		this.origins.delete(target);
		if ([...this.origins.values()].includes(origin)) return;
		const pool = this.pools.get(origin);
		this.pools.delete(origin);
		await pool?.destroy();
	}

	async close(): Promise<void> {
		await Promise.all([...this.stdioTargets.values()].map(({ target }) => target.close()));
		await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
	}

	private stdio(backend: string, config: StdioTargetConfig): StdioTarget {
		const { name, startTimeout, idleTimeout, sharing, prewarm, callTimeout, maxConcurrentCalls } = config;
		const label = targetLabel(backend, name);
		const { processes } = this;
		const command = commandOf(config, this.maximumLineBytes);
		const supervision = processes.supervision(label);
		const shown = maskerFor(secretsIn(config));
		const outputs = new WeakMap<object, ProcessOutput>();
		const rate = new LineRate(stderrBurst, stderrPerSecond, () => performance.now());
		const onStderr = (line: string) => {
			if (!this.logger.enabled('debug')) return;
			const before = rate.pass();
			if (before === null) return;
			if (before > 0) this.logger.debug(`${before} lines of stderr left out`, { target: name });
			this.logger.debug(shown(line), { target: name, stream: 'stderr' });
		};
		return createStdioTarget({
			...{ name, startTimeout, idleTimeout, sharing, prewarm, callTimeout, maxConcurrentCalls },
			warn: (message) => this.logger.warn(message, { target: name }),
			isFull: () => processes.isFull(label, command.maximum),
			printed: (transport) => outputs.get(transport)?.printed ?? null,
			start: (owner, spare) => {
				const stray: string[] = [];
				const transport = new StdioTransport({
					...{ processes, label, command, owner, spare, onStderr },
					onJunk: (line) => {
						supervision.junkLines++;
						keepStray(stray, line);
						this.junk(name, line, shown);
					},
					onFault: (fault) => {
						const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
						this.logger.error('internal error', { target: name, error: text });
					},
				});
				outputs.set(transport, new ProcessOutput(processes.supervision(label).stderr, stray));
				return transport;
			},
		});
	}

	private overSse(config: HttpTargetConfig): Target {
		return createTarget({
			...timesOf(config),
			name: config.name,
			warn: (message) => this.logger.warn(message, { target: config.name }),
			overHttp: true,
			sessionsEnd: () => true,
			openTransport: () => this.sse(config, {}),
		});
	}

	/** A server that turns out to speak HTTP+SSE at this URL is spoken to so from then on. */
	private streamableHttp(config: HttpTargetConfig): Target {
		const { name, url } = config;
		const pool = this.poolOf(url);
		// One for all sessions.
		const parsed = new URL(url);
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
			...timesOf(config),
			name,
			warn: (message) => this.logger.warn(message, { target: name }),
			overHttp: true,
			sessionsEnd: () => speaksSse,
			openTransport: () =>
				speaksSse ? this.sse(config, found) : new StreamableHttpTransport(parsed, pool, this.maximumAnswerBytes),
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

	private junk(target: string, text: Buffer, shown = (line: string) => line): void {
		if (!this.logger.enabled('debug')) return;
		const line = shown(text.toString('utf8', 0, 2000)).slice(0, 200);
		this.logger.debug('dropped a line that is no answer', { target, line });
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

/** What a child may write to stderr at once, and goes on writing, before lines are left out of the log. */
const stderrBurst = 200;
const stderrPerSecond = 50;

function commandOf(config: StdioTargetConfig, maximumLineBytes: number): Command {
	const { cmd: command, args, env, clearEnv, cwd, maxProcesses } = config;
	return {
		...{ command, args, env, clearEnv, maximumLineBytes },
		...(cwd === null ? {} : { cwd }),
		...(maxProcesses === null ? {} : { maximum: maxProcesses }),
	};
}

function timesOf({ startTimeout, callTimeout, maxConcurrentCalls }: HttpTargetConfig) {
	return { startTimeout, callTimeout, maxConcurrentCalls };
}

/** Names a target across all backends. */
export function targetLabel(backend: string, target: string): string {
	return `${backend}/${target}`;
}
