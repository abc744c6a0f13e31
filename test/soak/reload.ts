import { Agent, request } from 'undici';
import { fixtureServer, until } from '../processes/children.ts';
import { editGateway, fileOf, routeTo } from '../reload/edited-gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';

export interface ReloadLoad {
	/** How often the file changes. */
	readonly reloads: number;
	/** `tools/call` a second, over the whole time, to a route that does not change. */
	readonly rate: number;
	/** Sessions with an open stream on that route. */
	readonly streams: number;
}

export interface ReloadFigures {
	readonly calls: number;
	/** Calls whose answer was not the right one, in words. */
	readonly failed: readonly string[];
	/** Streams that ended, or did not tell of the last change. */
	readonly lost: number;
	/** Processes of the unchanged target over the whole time; two if it was left alone: clients with sessions share one. */
	readonly processes: number;
	/** Milliseconds from writing the file until it was in effect. */
	readonly applied: { readonly p50: number; readonly worst: number };
	/** Calls a second that were reached. */
	readonly rate: number;
}

const shared = (name: string, extra = '') =>
	`- name: ${name}\n  stdio:\n    sharing: all\n    cmd: ${JSON.stringify(process.execPath)}\n    args: [${JSON.stringify(fixtureServer)}]${extra}`;

/**
 * Changes the file of a gateway again and again, while clients call and listen on a route that stays: other routes, ports,
 * targets and policies come and go, broken files in between.
 */
export async function reloadUnderLoad({ reloads, rate, streams }: ReloadLoad): Promise<ReloadFigures> {
	const kept = routeTo('/kept', [shared('kept'), shared('second')]);
	const gateway = await editGateway(fileOf([kept]));
	const agent = new Agent({ connections: 64 });
	try {
		const url = `${gateway.url()}/kept`;
		const listeners = await openStreams(url, streams, agent);
		const load = new Load(url, agent, rate, listeners.clients);
		const running = load.run();
		const times: number[] = [];
		for (let at = 0; at < reloads; at++) {
			const began = performance.now();
			const view = await gateway.edit(variant(kept, at));
			if (view.synchronized !== (at % 10 !== 9)) throw new Error(`reload ${at}: ${JSON.stringify(view)}`);
			if (view.synchronized) times.push(performance.now() - began);
		}
		load.stop();
		await running;
		// Those that are still there hear of this.
		await gateway.edit(
			fileOf([routeTo('/kept', [shared('kept', '\n  tools: { exclude: [crash] }'), shared('second')])]),
		);
		await until('the streams have heard', 10_000, () => listeners.heard() === streams).catch(() => {});
		times.sort((a, b) => a - b);
		return {
			calls: load.calls,
			failed: load.failed,
			lost: streams - listeners.heard() + listeners.ended(),
			processes: load.processes.size,
			applied: { p50: Math.round(times[times.length >> 1] ?? 0), worst: Math.round(times.at(-1) ?? 0) },
			rate: Math.round(load.rate),
		};
	} finally {
		await agent.destroy();
		await gateway.end();
	}
}

/** The n-th edit: the route that is under load stays as it is. */
function variant(kept: string, at: number): string {
	const other = routeTo(`/other-${at % 3}`, [shared(`t${at % 4}`)]);
	const cors = at % 2 === 0 ? '' : "policies: { cors: { allowOrigins: ['https://a.example'] } }";
	if (at % 10 === 9) return `${fileOf([kept])}  broken`;
	if (at % 5 === 4) return fileOf([routeTo('/kept-too', [shared('kept')], cors), kept, other]);
	if (at % 5 === 3) return `${fileOf([kept, other])}- port: 0\n  listeners:\n  - routes:\n${other}\n`;
	return fileOf(at % 2 === 0 ? [other, kept] : [kept, other, routeTo('/policy', [shared('t9')], cors)]);
}

async function openStreams(url: string, count: number, agent: Agent) {
	const clients: LegacyClient[] = [];
	const open: { seen: string; ended: boolean }[] = [];
	for (let at = 0; at < count; at++) {
		const client = await LegacyClient.open(url, agent);
		clients.push(client);
		const stream = { seen: '', ended: false };
		open.push(stream);
		const headers = { 'mcp-session-id': client.session, accept: 'text/event-stream' };
		// A connection of its own: the others are for calls.
		const { body } = await request(url, { headers, dispatcher: new Agent({ bodyTimeout: 0 }) });
		body.on('data', (chunk: Buffer) => (stream.seen += chunk));
		body.on('error', () => (stream.ended = true));
		body.on('end', () => (stream.ended = true));
	}
	return {
		clients,
		heard: () => open.filter(({ seen }) => seen.includes('tools/list_changed')).length,
		ended: () => open.filter(({ ended }) => ended).length,
	};
}

/** Calls at a steady rate, however long the answers take. */
class Load {
	calls = 0;
	readonly failed: string[] = [];
	readonly processes = new Set<string>();
	rate = 0;
	private readonly clients: readonly (LegacyClient | ModernClient)[];
	private readonly wanted: number;
	private stopped = false;

	constructor(url: string, agent: Agent, wanted: number, sessions: readonly LegacyClient[]) {
		const modern = Array.from({ length: 8 }, () => new ModernClient(url, agent));
		this.clients = [...sessions.slice(0, 56), ...modern];
		this.wanted = wanted;
	}

	async run(): Promise<void> {
		const began = performance.now();
		const open = new Set<Promise<void>>();
		while (!this.stopped) {
			const due = ((performance.now() - began) / 1000) * this.wanted;
			while (this.calls < due) {
				const call = this.call(this.calls++).finally(() => open.delete(call));
				open.add(call);
			}
			await new Promise((resolve) => setTimeout(resolve, 4));
		}
		await Promise.all(open);
		this.rate = this.calls / ((performance.now() - began) / 1000);
	}

	stop(): void {
		this.stopped = true;
	}

	private async call(at: number): Promise<void> {
		const client = this.clients[at % this.clients.length];
		try {
			if (at % 17 === 0) this.processes.add((await client?.tool('kept_pid')) ?? '');
			else if ((await client?.tool('kept_echo', `{"text":"n${at}"}`)) !== `n${at}`) this.failed.push('another answer');
		} catch (error) {
			this.failed.push(String(error));
		}
	}
}
