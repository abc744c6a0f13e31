import { mcpConfig } from '../../support/gateway.ts';
import { Load } from '../load.ts';
import { atMost, none, sleep, type Soak } from '../soak.ts';
import { echoServer, echoTarget, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** Load that stops: the process must come to rest. */
export const quiet: Soak = {
	name: 'quiet',
	async run(scope) {
		const [rounds, clients, seconds] = scope.short ? [1, 20, 1] : [10, 500, 3];
		const yaml = mcpConfig([httpTarget('http', await echoServer(scope)), echoTarget('stdio', 'modern')].join('\n'));
		const gateway = await startGateway(scope, yaml, { env: { PROBE_STALLS: 'off' } });
		await warm(scope, gateway, ['http_echo', 'stdio_echo']);
		const failed: string[] = [];
		let busiest = 0;
		for (let round = 0; round < rounds; round++) {
			const tools = ['http_echo', 'stdio_echo'];
			// Sessions with a child each would measure the children; new clients share theirs.
			const load = await new Load({ url: `${gateway.url()}/mcp`, tools, clients, eras: ['modern'] }).start();
			await sleep(seconds * 1000);
			await load.stop(round % 2 === 0);
			failed.push(...load.failures.map(({ text }) => text));
			await sleep(scope.short ? 500 : 5000);
			const { processor: before } = await gateway.measure();
			await sleep(scope.short ? 1000 : 5000);
			const { processor: after } = await gateway.measure();
			busiest = Math.max(busiest, (after - before) / (scope.short ? 10_000 : 50_000));
		}
		return [
			atMost(`load of ${clients} clients stops, ${rounds} times: processor 5 s later`, 1, busiest, ' %'),
			none('load stops: calls that failed before', failed),
			...(await endRows(scope, gateway)),
		];
	},
};
