import { Agent, request } from 'node:http';
import { nodeTarget, type RunningGateway, root, runGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';

/** What became of the calls of one round. */
export interface Tally {
	answered: number;
	/** Calls that were sent and got no result. */
	failed: string[];
}

/** Clients that call as fast as answers come, each over one connection at a time, until nobody listens any more. */
export class Load {
	readonly tally: Tally = { answered: 0, failed: [] };
	private readonly url: string;
	private readonly workers: Promise<void>[];

	constructor(url: string, clients: number, tool: (client: number) => string) {
		this.url = url;
		this.workers = Array.from({ length: clients }, (_, at) => this.work(tool(at)));
	}

	/** Resolves when every client has found the port closed. */
	async over(): Promise<Tally> {
		await Promise.all(this.workers);
		return this.tally;
	}

	private async work(tool: string): Promise<void> {
		const agent = new Agent({ keepAlive: true, maxSockets: 1 });
		for (let id = 1; ; id++) {
			const outcome = await callOnce(this.url, agent, tool, id);
			if (outcome === 'nobody listens') break;
			if (outcome === 'answered') this.tally.answered++;
			else this.tally.failed.push(outcome);
		}
		agent.destroy();
	}
}

/** One call of a client of 2026-07-28. */
export function callOnce(url: string, agent: Agent, tool: string, id: number): Promise<string> {
	const meta =
		'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
	const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":{"ms":20},${meta}}}`;
	const headers = {
		'content-type': 'application/json',
		accept: 'application/json, text/event-stream',
		'mcp-protocol-version': '2026-07-28',
		'mcp-method': 'tools/call',
		'mcp-name': tool,
	};
	return new Promise((resolve) => {
		const sent = performance.now();
		const asked = request(url, { method: 'POST', agent, headers }, (response) => {
			let text = '';
			response.on('data', (chunk) => (text += String(chunk)));
			response.on('error', (error) => resolve(`broken reply: ${error.message}`));
			response.on('close', () => {
				const whole = response.complete && response.statusCode === 200 && text.includes(`"id":${id}`);
				resolve(whole && text.includes('"result"') ? 'answered' : `${response.statusCode} ${text}`);
			});
		});
		asked.on('error', (error: NodeJS.ErrnoException) =>
			resolve(
				error.code === 'ECONNREFUSED'
					? 'nobody listens'
					: `no reply: ${error.code}, ${error.syscall}, on ${asked.reusedSocket ? 'an old' : 'a new'} connection, sent ${Math.round(performance.now() - sent)} ms before`,
			),
		);
		asked.end(body);
	});
}

/** A gateway with a target over HTTP (`web_echo`, 20 ms) and one over stdio (`own_late`, 20 ms). */
export async function gatewayOfTwo(
	env: Record<string, string>,
): Promise<{ gateway: RunningGateway; end(): Promise<void> }> {
	const server = await HttpMcpServer.start({ eras: ['modern'] });
	server.override('tools/call', ({ id }, response) => {
		const result = { resultType: 'complete', content: [{ type: 'text', text: 'x'.repeat(1000) }] };
		const text = JSON.stringify({ jsonrpc: '2.0', id, result });
		setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(text), 20);
	});
	const own = nodeTarget('own', `${root}/test/fixtures/stdio-server.mjs`);
	const gateway = await runGateway(twoTargets(`- name: web\n  mcp: { host: "${server.url}" }\n${own}`), { env });
	return { gateway, end: () => server.close() };
}

function twoTargets(targets: string): string {
	return `
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
${targets.replace(/^/gm, '          ')}
`;
}

/** A gateway ends in the middle of the load of 16 clients; gives what became of the calls, and how long the end took. */
export async function endUnderLoad(): Promise<Tally & { tookMs: number; code: number | null; log: string }> {
	const { gateway, end } = await gatewayOfTwo({});
	const load = new Load(`${gateway.url()}/mcp`, 16, (client) => (client % 2 === 0 ? 'web_echo' : 'own_late'));
	while (load.tally.answered < 100 && load.tally.failed.length === 0) await pause(5);
	await pause(Math.random() * 50);
	const began = performance.now();
	const code = await gateway.stop();
	const tookMs = performance.now() - began;
	const tally = await load.over();
	await end();
	return { ...tally, tookMs, code, log: gateway.log() };
}

export function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
