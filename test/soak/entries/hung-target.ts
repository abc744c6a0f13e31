import { childrenConfig, fixtureTarget } from '../../processes/children.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { median, percentile } from '../figures.ts';
import { Load } from '../load.ts';
import { atMost, none, sleep, type Soak } from '../soak.ts';
import { echoServer, endRows, httpTarget, startGateway } from '../started.ts';

/** One child is stopped with many calls waiting for it, again and again; meanwhile another target is measured. */
export const hungTarget: Soak = {
	name: 'hung-target',
	async run(scope) {
		const [pairs, phase] = scope.short ? [1, 1000] : [15, 4000];
		const good = httpTarget('good', await echoServer(scope));
		const gateway = await startGateway(scope, childrenConfig([good, fixtureTarget('bad')]));
		const url = `${gateway.url()}/mcp`;
		const load = await new Load({ url, tools: ['good_echo'], clients: 8, rate: 300, eras: ['legacy'] }).start();
		const stuck = await LegacyClient.open(url);
		const pid = Number(await stuck.tool('bad_pid'));
		const [quiet, hung]: [number[], number[]] = [[], []];
		const wrong: string[] = [];
		await sleep(phase);
		for (let pair = 0; pair < pairs; pair++) {
			load.take();
			await sleep(phase);
			quiet.push(percentile(load.take(), 0.99));
			process.kill(pid, 'SIGSTOP');
			const calls = Array.from({ length: 200 }, (_, n) => stuck.tool('bad_echo', `{"text":"${n}"}`));
			await sleep(phase);
			hung.push(percentile(load.take(), 0.99));
			process.kill(pid, 'SIGCONT');
			const answers = await Promise.all(calls.map((one) => one.catch((error: Error) => error.message)));
			wrong.push(...answers.filter((answer, index) => answer !== String(index)));
		}
		await load.stop();
		await stuck.end();
		const more = 100 * (median(hung.map((one, index) => one / (quiet[index] ?? one))) - 1);
		return [
			atMost("hung target: others' p99, median of the pairs", 10, more, ' % more'),
			none(
				'hung target: calls to others that failed',
				load.failures.map(({ text }) => text),
			),
			none('hung target: calls not answered once it went on', wrong),
			...(await endRows(scope, gateway)),
		];
	},
};
