import { childrenConfig, fixtureTarget } from '../../processes/children.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { none, type Row, type Scope, sleep, type Soak } from '../soak.ts';
import { endRows, startGateway } from '../started.ts';

/** Trees of processes, some of which left their group, when the gateway is killed or told to end, and after churn. */
export const orphans: Soak = {
	name: 'orphans',
	async run(scope) {
		const [rounds, sessions] = scope.short ? [1, 4] : [10, 20];
		const left: string[] = [];
		for (const signal of ['SIGKILL', 'SIGTERM'] as const)
			for (let round = 0; round < rounds; round++) left.push(...(await ended(scope, signal, sessions)));
		return [
			none('kill -9 and SIGTERM of the gateway: processes left after 2 s', left),
			...(await churned(scope, scope.short ? 10 : 300)),
		];
	},
};

const trees = childrenConfig([
	fixtureTarget('group', '--ignore-term', '--grandchild=group'),
	fixtureTarget('left', '--grandchild=setsid'),
]);

async function ended(scope: Scope, signal: 'SIGKILL' | 'SIGTERM', sessions: number): Promise<string[]> {
	const gateway = await startGateway(scope, trees);
	await Promise.all(Array.from({ length: sessions }, () => LegacyClient.open(`${gateway.url()}/mcp`)));
	if (gateway.children().length < sessions * 2) return [`only ${gateway.children().length} processes had started`];
	gateway.process.kill(signal);
	await gateway.exited;
	await sleep(2000);
	return gateway.children().map(({ pid, command }) => `${signal}: ${pid} ${command}`);
}

async function churned(scope: Scope, sessions: number): Promise<Row[]> {
	const gateway = await startGateway(scope, trees);
	let left = sessions;
	const lane = async () => {
		while (left-- > 0) await (await LegacyClient.open(`${gateway.url()}/mcp`)).end();
	};
	await Promise.all(Array.from({ length: 4 }, lane));
	const rows = await endRows(scope, gateway);
	return rows.map((row) => ({ ...row, what: `${sessions} sessions opened and ended: ${row.what}` }));
}
