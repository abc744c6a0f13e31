import { Agent } from 'undici';
import { mcpConfig } from '../../support/gateway.ts';
import { LegacyClient, ModernClient, type RpcClient } from '../../support/rpc-client.ts';
import { relativeSlope } from '../figures.ts';
import { many } from '../sessions.ts';
import { atMost, none, type Row, type Scope, sleep, type Soak } from '../soak.ts';
import { echoServer, echoTarget, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** Sessions come, work and go, over and over; what the gateway holds may not grow. */
export const churn: Soak = {
	name: 'churn',
	async run(scope) {
		const [cycles, sessions, withChild] = scope.short ? [2, 40, 2] : [20, 1000, 10];
		const stdio = mcpConfig(echoTarget('one')).split('binds:\n')[1] ?? '';
		const gateway = await startGateway(scope, `${await config(scope)}${stdio}`);
		await warm(scope, gateway, ['old_echo', 'new_echo']);
		await warm(scope, gateway, ['echo'], 1);
		const heap: number[] = [];
		const wrong: string[] = [];
		for (let cycle = 0; cycle < cycles; cycle++) {
			const agent = new Agent({ connections: 32 });
			await many(sessions, 32, (index) => life(`${gateway.url()}/mcp`, agent, index, wrong));
			await many(withChild, 2, (index) => life(`${gateway.url(1)}/mcp`, agent, index, wrong));
			await agent.destroy();
			await sleep(scope.short ? 200 : 1500);
			const { heap: used, external, rss } = await gateway.measure(true);
			heap.push(used + external);
			scope.say(`cycle ${cycle + 1}: ${(heap.at(-1) ?? 0) / 1e6} MB, ${rss / 1e6} MB resident`);
		}
		return [...slope(heap, sessions), none('churn: calls that failed', wrong), ...(await endRows(scope, gateway))];
	},
};

async function config(scope: Scope): Promise<string> {
	const targets = [httpTarget('old', await echoServer(scope)), httpTarget('new', await echoServer(scope, 'modern'))];
	return mcpConfig(targets.join('\n'));
}

/** What a session does in its life: a stream, two calls, its end. Every fourth client has none, every fifth vanishes. */
async function life(url: string, agent: Agent, index: number, wrong: string[]): Promise<void> {
	const client = index % 4 === 0 ? new ModernClient(url, agent) : await LegacyClient.open(url, agent);
	const stream = client instanceof LegacyClient && index % 3 === 0 ? await client.listen() : null;
	const names = await client.toolNames();
	for (const name of names.filter((one) => one.endsWith('echo') || one === 't0').slice(0, 2))
		await call(client, name, wrong);
	stream?.close();
	if (client instanceof LegacyClient) {
		const status = await client.end();
		if (status >= 300) wrong.push(`DELETE answered ${status}`);
	}
}

async function call(client: RpcClient, tool: string, wrong: string[]): Promise<void> {
	const answer = await client.tool(tool, '{"value":"v","ms":0}').catch((error: Error) => error.message);
	if (!['v', 't0'].includes(answer)) wrong.push(answer);
}

function slope(heap: readonly number[], sessions: number): Row[] {
	// The first cycles fill caches and compile code.
	const settled = heap.slice(3);
	if (settled.length < 3) return [];
	const what = `${sessions} sessions, ${heap.length} cycles: heap after collection, slope from cycle 4`;
	return [atMost(what, 0.5, 100 * relativeSlope(settled), ' % a cycle')];
}
