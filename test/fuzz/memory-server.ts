import type { Transport } from '../../src/mcp/upstream/transport/transport.ts';
import { MemoryHttp } from './memory-http.ts';
import { MemoryPipe } from './memory-pipe.ts';
import type { Random } from './random.ts';
import type { ServerLog, Waiting } from './server-log.ts';

export interface MemoryServerOptions {
	readonly name: string;
	/** Without a handshake, as of 2026-07-28. */
	readonly modern: boolean;
	readonly over: 'stdio' | 'http';
	/** Answers everything as it should. */
	readonly honest: boolean;
	/** Answers calls with these messages instead, in which `$id` stands for the id of the request. */
	readonly script?: readonly string[];
}

/** An MCP server in memory, of which answers come when they are asked for, in any order. */
export class MemoryServer {
	readonly options: MemoryServerOptions;
	private readonly log: ServerLog;
	private readonly answered: Waiting[] = [];

	constructor(options: MemoryServerOptions, random: Random, faults: string[]) {
		this.options = options;
		this.log = { random, faults, waiting: [], sent: 0, script: options.script ?? null };
	}

	get sent(): number {
		return this.log.sent;
	}

	/** Whether requests wait for an answer. */
	get busy(): boolean {
		return this.log.waiting.length > 0;
	}

	openTransport(): Transport {
		const { over, modern } = this.options;
		return over === 'stdio' ? new MemoryPipe(this.log, modern) : new MemoryHttp(this.log, modern).transport();
	}

	/** Answers what has come so far: one in two as it should, when the server is not honest. */
	flush(): void {
		const { random, waiting } = this.log;
		for (const one of random.shuffle(waiting.splice(0))) {
			const greeting = one.asked.method === 'initialize' || one.asked.method === 'server/discover';
			if (one.scripted()) continue;
			if (this.options.honest || !random.once(greeting ? 60 : 2)) one.right();
			else {
				one.odd();
				this.answered.push(one);
			}
		}
	}

	/** Answers all that may still be open. */
	settle(): void {
		for (const one of this.log.waiting.splice(0)) if (!one.scripted()) one.right();
		for (const one of this.answered.splice(0)) one.right();
	}
}
