import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultLimits } from '../../src/config/expand/limits.ts';
import type { Facts } from '../../src/facts/facts.ts';
import { Heartbeat } from '../../src/lib/heartbeat.ts';
import { McpEndpoint } from '../../src/mcp/endpoint.ts';
import { Findings } from '../../src/mcp/lists/findings.ts';
import { Health } from '../../src/mcp/health/health.ts';
import { createNaming } from '../../src/mcp/names.ts';
import { SharedLists } from '../../src/mcp/lists/shared-lists.ts';
import { createTarget } from '../../src/mcp/upstream/target.ts';
import type { StdioServer } from '../../src/mcp/wire/stdio-server.ts';
import { Learnt, messageFault, parsed, replyFault } from './check-reply.ts';
import type { ClientMessage } from './client-grammar.ts';
import { FuzzExchange } from './fuzz-exchange.ts';
import { Lines } from './lines.ts';
import { MemoryServer, type MemoryServerOptions } from './memory-server.ts';
import type { Random } from './random.ts';

const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
/** Silent servers are given up within seconds. */
const patienceMs = 15_000;

/** An endpoint in memory with servers behind it, all but one of which say what they like. */
export class World {
	readonly faults: string[] = [];
	readonly learnt = new Learnt();
	readonly servers: readonly MemoryServer[];
	private readonly endpoint: McpEndpoint;
	private readonly stdio: StdioServer;
	private readonly heartbeat = new Heartbeat((fault) => this.faults.push(`a beat threw: ${String(fault)}`), 20);
	private readonly lines = new Lines();
	/** Headers of a session that only the canary uses. */
	private own: Record<string, string> = {};
	private open: FuzzExchange[] = [];
	/** Without an answer when their round was over: it may come late, but it must come. */
	private late: FuzzExchange[] = [];

	/** `more`: other servers than the usual ones, beside the one that the canary calls. */
	constructor(random: Random, more: readonly MemoryServerOptions[] | null = null) {
		const server = (name: string, modern: boolean, over: 'stdio' | 'http', honest = false) =>
			new MemoryServer({ name, modern, over, honest }, random, this.faults);
		const usual = () => [
			...[
				server('a', false, 'stdio'),
				server('b', true, 'http'),
				server('d', false, 'http'),
				server('e', true, 'stdio'),
			],
		];
		const own = more?.map((options) => new MemoryServer(options, random, this.faults)) ?? usual();
		this.servers = [...own, server('c', false, 'stdio', true)];
		this.endpoint = openEndpoint(this.servers, this.heartbeat, (fault) =>
			this.faults.push(`thrown: ${shownFault(fault)}`),
		);
		this.stdio = this.endpoint.serveStdio({
			facts: () => stdioFacts,
			write: (message) => this.line(message),
			overflow: () => this.faults.push('overflow of a queue that nobody fills'),
			ended() {},
		});
	}

	/** Messages that the servers have sent. */
	get sent(): number {
		return this.servers.reduce((sum, server) => sum + server.sent, 0);
	}

	/** Opens one session of each version, and one for the canary. */
	async start(): Promise<void> {
		this.own = await this.session('2025-11-25');
		for (const version of versions) this.learnt.sessions.push(await this.session(version));
		this.send({ ...post({}, initialize('2025-11-25')), front: 'stdio' });
	}

	/** Sends a message; whatever the gateway throws is a fault. */
	send(message: ClientMessage): void {
		try {
			if (message.front === 'http') this.open.push(this.begin(message));
			else if (!message.body.includes(0x0a)) {
				const key = this.lines.sent(parsed(message.body));
				this.stdio.take(Buffer.from(message.body));
				this.lines.taken(key);
			}
		} catch (fault) {
			this.faults.push(`thrown: ${shownFault(fault)}`);
		}
	}

	/** Lets the servers answer once. */
	async turn(odd = true): Promise<void> {
		this.guarded(() => {
			for (const server of this.servers)
				if (odd) server.flush();
				else server.settle();
		});
		await nextTurn();
	}

	/** Lets a round come to its end, and checks how it was answered. */
	async settle(random: Random): Promise<void> {
		for (let turn = 0; turn < 4; turn++) await this.turn();
		let quiet = 0;
		for (let turn = 0; turn < 200 && quiet < 3; turn++) {
			await this.turn(false);
			quiet = this.servers.some((server) => server.busy) ? 0 : quiet + 1;
		}
		for (const exchange of this.open)
			if (!exchange.ended && (lasts(exchange) || random.once(20))) this.guarded(() => exchange.leave());
		const all = [...this.late, ...this.open];
		this.late = [];
		this.open = [];
		for (const exchange of all) {
			if (lasts(exchange)) this.guarded(() => exchange.leave());
			if (exchange.closed) await this.check(exchange);
			else this.late.push(exchange);
		}
	}

	/** Waits for what comes late. */
	async finish(random: Random): Promise<void> {
		const end = performance.now() + patienceMs;
		while ((this.late.length > 0 || this.lines.open > 0) && performance.now() < end) {
			await new Promise((resolve) => setTimeout(resolve, 20));
			for (const id of this.lines.questions.splice(0))
				this.stdio.take(Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":{"code":-1,"message":"no"}}`));
			await this.settle(random);
		}
		for (const exchange of this.late) this.faults.push(`no answer to ${shown(exchange.sent)}`);
		if (this.lines.open > 0)
			this.faults.push(
				`no answer to ${this.lines.open} requests over stdio: ${this.lines.unanswered.slice(0, 5).join('\n  ')}`,
			);
		this.faults.push(...this.lines.faults);
	}

	/** A call to the honest server, in both eras, is answered as if nothing had happened. */
	async canary(): Promise<void> {
		for (const message of this.calls('c_canary')) {
			const reply = this.begin(message);
			for (let turn = 0; turn < 400 && !reply.ended; turn++) await this.turn(false);
			if (!reply.text().includes('"content":[{"type":"text","text":"hello"}]'))
				this.faults.push(`the canary got ${reply.status} ${reply.text()}`);
		}
	}

	/** A call of a tool in each era. */
	calls(tool: string): readonly ClientMessage[] {
		const call = (rest: string) =>
			`{"jsonrpc":"2.0","id":"canary","method":"tools/call","params":{"name":"${tool}"${rest}}}`;
		const meta =
			'"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}';
		const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool };
		return [post(this.own, call('')), post(modern, call(`,"_meta":{${meta}}`))];
	}

	/** Ends everything. */
	async close(): Promise<void> {
		await this.stdio.close();
		await this.endpoint.close();
		this.heartbeat.stop();
	}

	private async check(exchange: FuzzExchange): Promise<void> {
		const fault = replyFault(exchange, this.learnt);
		if (fault !== null) {
			const got = `${exchange.status} ${exchange.text().slice(0, 1_000)}`;
			this.faults.push(`${fault}\n  sent ${shown(exchange.sent)}\n  got ${got}`);
		}
		if (exchange.method !== 'DELETE' || exchange.status !== 204) return;
		const { sessions } = this.learnt;
		const at = sessions.findIndex((one) => one['mcp-session-id'] === exchange.headers['mcp-session-id']);
		const version = sessions[at]?.['mcp-protocol-version'];
		if (version !== undefined) sessions[at] = await this.session(version);
	}

	private async session(version: string): Promise<Record<string, string>> {
		const reply = this.begin(post({}, initialize(version)));
		for (let turn = 0; turn < 2_000 && !reply.ended; turn++) await this.turn(false);
		const id = reply.header('mcp-session-id');
		if (id === null) throw new Error(`no session of ${version}: ${reply.status} ${reply.text()}`);
		return { 'mcp-session-id': id, 'mcp-protocol-version': version };
	}

	private begin(message: ClientMessage): FuzzExchange {
		const exchange = new FuzzExchange(message);
		this.endpoint.handle(exchange);
		return exchange;
	}

	private line(message: Buffer): boolean {
		const value = parsed(message) as Parameters<typeof messageFault>[0] | undefined;
		if (value === undefined || message.includes(0x0a)) this.faults.push(`no line of JSON: ${shown(message)}`);
		else {
			this.learnt.message(value);
			this.lines.came(value);
			const fault = messageFault(value);
			if (fault !== null) this.faults.push(`over stdio: ${fault} in ${shown(message)}`);
		}
		return true;
	}

	private guarded(act: () => void): void {
		try {
			act();
		} catch (fault) {
			this.faults.push(`thrown: ${shownFault(fault)}`);
		}
	}
}

function shownFault(fault: unknown): string {
	return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}

function openEndpoint(
	servers: readonly MemoryServer[],
	heartbeat: Heartbeat,
	onFault: (fault: unknown) => void,
): McpEndpoint {
	const names = servers.map((server) => server.options.name);
	const targets = servers.map((server) =>
		createTarget({
			name: server.options.name,
			overHttp: server.options.over === 'http',
			warn() {},
			onFault,
			openTransport: () => server.openTransport(),
		}),
	);
	const ignore = () => {};
	return new McpEndpoint({
		federation: {
			targets,
			naming: createNaming(targets, 'conditional'),
			lists: new SharedLists(),
			watch: new Health(names, () => new Date(), ignore),
			findings: new Findings(ignore, ignore),
			...{ listLimits: { pages: 20, items: 1_000, bytes: 1_000_000 }, strict: false, startTimeout: 300, warn: ignore },
			...{ refuseWhenMissing: 'never' },
		},
		...{ stateful: true, sessionTtl: 600_000, version: '0.0.0', scope: 'fuzz', heartbeat },
		...{ limits: { ...defaultLimits, parkTimeout: 100 }, key: Buffer.alloc(32), keyLasts: true, holder: 'fuzz' },
		guard: () => null,
		refuse: (exchange, refusal) => exchange.respond(refusal.status, [], refusal.message),
	});
}

function post(headers: Readonly<Record<string, string>>, body: string): ClientMessage {
	const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
	return {
		method: 'POST',
		headers: { ...usual, ...headers },
		body: Buffer.from(body),
		front: 'http',
	};
}

function initialize(version: string): string {
	const params = `{"protocolVersion":"${version}","capabilities":{"elicitation":{},"sampling":{},"roots":{}}}`;
	return `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
}

/** Whether it ends only when its client goes. */
function lasts(exchange: FuzzExchange): boolean {
	if (exchange.method === 'GET') return true;
	if (exchange.ended || exchange.status !== 200) return false;
	// Who is asked something and does not answer has to wait.
	return exchange.sent.includes('subscriptions/listen') || /"id":[^,]+,"method":/.test(exchange.text());
}

function shown(bytes: Buffer): string {
	return JSON.stringify(bytes.toString('latin1', 0, 2_000));
}

const stdioFacts: Facts = {
	...{ bind: 'stdio', sourceAddress: 'stdio', method: '', host: '', path: '', httpVersion: '', startedAt: 0 },
};
