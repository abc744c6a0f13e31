import { RawClient, statusOf } from '../../http/raw-client.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { percentile } from '../figures.ts';
import { Load } from '../load.ts';
import { atMost, none, sleep, type Soak } from '../soak.ts';
import { echoServer, endRows, httpTarget, startGateway, warm } from '../started.ts';

function slow(port: number): RawClient {
	const one = new RawClient(port);
	one.send('POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ');
	return one;
}

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
		const loris: RawClient[] = [];
		const port = Number(new URL(gateway.url()).port);
		// A hundredth at a time: all in one go would hold up the load in this process, and be measured.
		const drip = setInterval(() => {
			for (let some = count / 100; loris.length < count && some > 0; some--) loris.push(slow(port));
			const now = Math.floor(performance.now() / 10) % 100;
			for (let at = now; at < loris.length; at += 100) if (loris[at]?.closed === false) loris[at]?.send('a');
		}, 10);
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
