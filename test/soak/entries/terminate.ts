import { mcpConfig } from '../../support/gateway.ts';
import { Load } from '../load.ts';
import { atMost, none, type Scope, sleep, type Soak } from '../soak.ts';
import { echoServer, echoTarget, httpTarget, startGateway } from '../started.ts';

/** SIGTERM in the middle of work: what had begun is finished, then the process ends. */
export const terminate: Soak = {
	name: 'terminate',
	async run(scope) {
		const rounds = scope.short ? 1 : 50;
		const yaml = mcpConfig([httpTarget('http', await echoServer(scope)), echoTarget('stdio')].join('\n'));
		const [lost, bad]: string[][] = [[], []];
		let slowest = 0;
		for (let round = 0; round < rounds; round++)
			slowest = Math.max(slowest, await oneRound(scope, yaml, lost ?? [], bad ?? []));
		return [
			none(`SIGTERM under load, ${rounds} times: calls in flight that failed`, lost ?? []),
			atMost('SIGTERM under load: slowest exit', 2000, slowest, ' ms'),
			none('SIGTERM under load: exit codes, error lines, processes left', bad ?? []),
		];
	},
};

async function oneRound(scope: Scope, yaml: string, lost: string[], bad: string[]): Promise<number> {
	const gateway = await startGateway(scope, yaml);
	const tools = ['http_echo', 'stdio_echo'];
	const load = await new Load({ url: `${gateway.url()}/mcp`, tools, clients: 16, ms: 200 }).start();
	await sleep(300 + Math.random() * 300);
	const signalled = performance.now();
	// Only what has certainly arrived counts: the gateway may close a connection on which a request is just being sent.
	const inFlight = new Set([...load.open].filter(({ began }) => began < signalled - 20).map(({ began }) => began));
	gateway.process.kill('SIGTERM');
	load.pause();
	await gateway.exited;
	const took = performance.now() - signalled;
	await load.stop(false);
	lost.push(...load.failures.filter(({ began }) => inFlight.has(began)).map(({ text }) => text));
	if (gateway.process.exitCode !== 0) bad.push(`exit ${gateway.process.exitCode ?? gateway.process.signalCode}`);
	bad.push(...(await gateway.finish()));
	return took;
}
