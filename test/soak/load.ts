import { Agent } from 'undici';
import { LegacyClient, ModernClient, type RpcClient } from '../support/rpc-client.ts';
import { sleep } from './soak.ts';

export interface LoadOptions {
	/** The endpoint. */
	url: string;
	/** Names of tools that give back `arguments.value`, called in turn. */
	tools: readonly string[];
	/** Half of them of the old era, half of the new one. */
	clients: number;
	/** Calls a second of all together; default as many as there can be. */
	rate?: number;
	/** Milliseconds that the tool waits: a random number up to this. */
	ms?: number;
	eras?: readonly ('legacy' | 'modern')[];
}

/** One call under way. */
export interface OpenCall {
	began: number;
	what: string;
}

/** Clients that call without pause and check that each answer is the one to their own call. */
export class Load {
	/** Milliseconds of each answered call since the last `take`. */
	latencies: number[] = [];
	/** Calls that were answered wrongly or not at all. */
	failures: { at: number; began: number; text: string }[] = [];
	answered = 0;
	readonly open = new Set<OpenCall>();
	private readonly options: LoadOptions;
	private readonly agent: Agent;
	private readonly sessions: LegacyClient[] = [];
	private lanes: Promise<void>[] = [];
	private running = true;
	private next = 0;

	constructor(options: LoadOptions) {
		this.options = options;
		this.agent = new Agent({ connections: options.clients, connect: { timeout: 30_000 } });
	}

	/** Opens the clients, then starts to call. */
	async start(): Promise<this> {
		const { clients, url, eras = ['legacy', 'modern'] } = this.options;
		const list: RpcClient[] = [];
		for (let index = 0; index < clients; index++) {
			if (eras[index % eras.length] === 'modern') list.push(new ModernClient(url, this.agent));
			else {
				const client = await LegacyClient.open(url, this.agent);
				this.sessions.push(client);
				list.push(client);
			}
		}
		this.lanes = list.map((client) => this.lane(client));
		return this;
	}

	/** What was measured since the last time. */
	take(): number[] {
		const taken = this.latencies;
		this.latencies = [];
		return taken;
	}

	/** Lets the open calls end, and the clients go. `end`: their sessions, too. */
	async stop(end = true): Promise<void> {
		this.running = false;
		await Promise.all(this.lanes);
		if (end) await Promise.all(this.sessions.map((one) => one.end().catch(() => 0)));
		await this.agent.destroy();
	}

	/** Stops to begin calls; those under way go on. */
	pause(): void {
		this.running = false;
	}

	private async lane(client: RpcClient): Promise<void> {
		const { tools, clients, rate, ms = 0 } = this.options;
		const pace = rate === undefined ? 0 : (1000 * clients) / rate;
		let due = performance.now() + Math.random() * pace;
		while (this.running) {
			if (pace > 0) {
				await sleep(Math.max(0, due - performance.now()));
				due = Math.max(due + pace, performance.now() - pace);
				if (!this.running) return;
			}
			const number = this.next++;
			const tool = tools[number % tools.length] ?? '';
			const value = `${tool} ${number}`;
			const args = JSON.stringify({ value, text: value, ms: Math.round(Math.random() * ms) });
			await this.call(client, tool, value, args);
		}
	}

	private async call(client: RpcClient, tool: string, value: string, args: string): Promise<void> {
		const began = performance.now();
		const open = { began, what: value };
		this.open.add(open);
		const answer = await client.tool(tool, args).catch((error: unknown) => error);
		this.open.delete(open);
		const at = performance.now();
		if (answer === value) {
			this.answered++;
			this.latencies.push(at - began);
			return;
		}
		const text = answer instanceof Error ? answer.message : `the answer to another call: ${String(answer)}`;
		this.failures.push({ at, began, text: `${value}: ${text.slice(0, 300)}` });
		// One that cannot be answered is not asked for without pause.
		await sleep(5);
	}
}
