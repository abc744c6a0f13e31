import { RawClient, statusOf } from '../../http/raw-client.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { percentile } from '../figures.ts';
import { Load } from '../load.ts';
import { atMost, none, sleep, type Soak } from '../soak.ts';
import { echoServer, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** Connections that send their headers a byte at a time. */
export const slowLoris: Soak = {
	name: 'slow-loris',
	async run(scope) {
		const [count, seconds] = scope.short ? [50, 1] : [2000, 12];
		const gateway = await startGateway(scope, mcpConfig(httpTarget('one', await echoServer(scope))));
		await warm(scope, gateway, ['echo']);
		const load = await new Load({ url: `${gateway.url()}/mcp`, tools: ['echo'], clients: 8, rate: 200 }).start();
		await sleep(1000);
		load.take();
		await sleep(seconds * 1000);
		const alone = percentile(load.take(), 0.99);
		const loris = Array.from({ length: count }, () => new RawClient(Number(new URL(gateway.url()).port)));
		const header = 'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ';
		for (const one of loris) one.send(header);
		const drip = setInterval(() => {
			for (const one of loris) if (!one.closed) one.send('a');
		}, 1000);
		await sleep(seconds * 1000);
		const among = percentile(load.take(), 0.99);
		const deadline = performance.now() + 25_000;
		while (loris.some((one) => !one.closed) && performance.now() < deadline) await sleep(100);
		clearInterval(drip);
		const answers = loris.map((one) => (one.closed ? String(statusOf(one.text)) : 'still open'));
		await load.stop();
		for (const one of loris) one.destroy();
		return [
			none(
				`slow loris, ${count}: not closed with 408 within 25 s`,
				answers.filter((one) => one !== '408'),
			),
			none(
				'slow loris: calls beside them that failed',
				load.failures.map(({ text }) => text),
			),
			atMost('slow loris: p99 of calls beside them', 20, 100 * (among / alone - 1), ' % more'),
			...(await endRows(scope, gateway)),
		];
	},
};
