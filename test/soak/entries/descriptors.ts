import { RawClient } from '../../http/raw-client.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { atMost, none, sleep, type Soak } from '../soak.ts';
import { echoServer, endRows, httpTarget, startGateway } from '../started.ts';

/** More connections than descriptors: who comes is refused, what is open works on, and room is room again. */
export const descriptors: Soak = {
	name: 'descriptors',
	async run(scope) {
		const rounds = scope.short ? 1 : 10;
		const yaml = mcpConfig(httpTarget('one', await echoServer(scope)));
		const gateway = await startGateway(scope, yaml, {
			shell: 'ulimit -n 128',
			errors: /descriptor|EMFILE/i,
		});
		const client = await LegacyClient.open(`${gateway.url()}/mcp`);
		const wrong: string[] = [];
		let slowest = 0;
		for (let round = 0; round < rounds; round++) {
			await client.tool('echo', '{"value":"v","ms":0}');
			const port = Number(new URL(gateway.url()).port);
			const crowd = Array.from({ length: 500 }, () => new RawClient(port));
			await sleep(500);
			const admin = await fetch(`${gateway.adminUrl}/api/state`).then(
				(reply) => reply.status,
				(error: Error) => error.message,
			);
			if (admin !== 200) wrong.push(`the admin port answered ${admin}`);
			for (const one of crowd) one.destroy();
			const began = performance.now();
			while ((await client.tool('echo', '{"value":"v","ms":0}').catch(() => '')) !== 'v') {
				if (performance.now() - began > 20_000) break;
				await sleep(20);
			}
			slowest = Math.max(slowest, performance.now() - began);
		}
		await client.end();
		return [
			atMost('128 descriptors, 500 connections: calls work again after', 1000, slowest, ' ms'),
			none('128 descriptors: the admin port did not answer', wrong),
			...(await endRows(scope, gateway)),
		];
	},
};
