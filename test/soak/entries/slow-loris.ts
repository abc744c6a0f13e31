import { spawn } from 'node:child_process';
import { RawClient, statusOf } from '../../http/raw-client.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { percentile } from '../figures.ts';
import { Load } from '../load.ts';
import { ownCore } from '../own-core.ts';
import { atMost, none, type Scope, sleep, type Soak } from '../soak.ts';
import { echoServer, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** Connections that send their headers a byte a second each, until the server has closed them all. */
class Drip {
	readonly all: RawClient[] = [];
	private readonly timer: NodeJS.Timeout;

	constructor(port: number, count: number) {
		// A hundredth at a time: all in one go would hold up the load in this process, and be measured.
		this.timer = setInterval(() => {
			for (let some = count / 100; this.all.length < count && some > 0; some--) this.all.push(slow(port));
			const now = Math.floor(performance.now() / 10) % 100;
			for (let at = now; at < this.all.length; at += 100) if (this.all[at]?.closed === false) this.all[at]?.send('a');
		}, 10);
	}

	/** Resolves when all are closed, or after 25 s. */
	async end(): Promise<void> {
		const deadline = performance.now() + 25_000;
		while (this.all.some((one) => !one.closed) && performance.now() < deadline) await sleep(100);
		clearInterval(this.timer);
		for (const one of this.all) one.destroy();
	}
}

function slow(port: number): RawClient {
	const one = new RawClient(port);
	one.send('POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ');
	return one;
}

/** A server that takes what comes and closes each connection after 10 s with the answer of the gateway: the least there is. */
const sink = `
	const { createServer } = require('node:net');
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.resume();
		socket.on('error', () => {});
		socket.on('end', () => socket.end());
		setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\\r\\ncontent-length: 0\\r\\n\\r\\n'), 10_000);
	});
	server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
`;

/** `before`: a command of the shell, which gives it the gateway's core. */
async function startSink(scope: Scope, before = ':'): Promise<number> {
	const args = ['-c', `${before}; exec "$@"`, 'sh', process.execPath, '-e', sink];
	const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'] });
	scope.own(() => new Promise((resolve) => child.on('close', resolve).kill()));
	return new Promise((resolve) => child.stdout.once('data', (port: Buffer) => resolve(Number(String(port)))));
}

/**
 * No slow connections, then as many to a server that does nothing else on the gateway's core, then to the gateway. The
 * second tells what sending them costs the load, which is in the same process, and what taking them costs at least.
 */
export const slowLoris: Soak = {
	name: 'slow-loris',
	async run(scope) {
		const [count, seconds] = scope.short ? [50, 1] : [2000, 12];
		const core = ownCore(scope);
		const elsewhere = await startSink(scope, core.shell);
		const gateway = await startGateway(scope, mcpConfig(httpTarget('one', await echoServer(scope))), core);
		await warm(scope, gateway, ['echo']);
		const load = await new Load({ url: `${gateway.url()}/mcp`, tools: ['echo'], clients: 8, rate: 200 }).start();
		await sleep(1000);
		const beside = async (port: number, slowOnes = count) => {
			load.take();
			const drip = new Drip(port, slowOnes);
			await sleep(seconds * 1000);
			const p99 = percentile(load.take(), 0.99);
			await drip.end();
			return { p99, answers: drip.all.map((one) => (one.closed ? String(statusOf(one.text)) : 'still open')) };
		};
		const alone = await beside(elsewhere, 0);
		const least = await beside(elsewhere);
		const among = await beside(Number(new URL(gateway.url()).port));
		await load.stop();
		const shown = [alone, least, among].map(({ p99 }) => p99.toFixed(1));
		scope.say(
			`p99: ${shown[0]} ms alone, ${shown[1]} beside another server's slow connections, ${shown[2]} beside its own`,
		);
		const more = (than: number) => 100 * (among.p99 / than - 1);
		return [
			none(
				`slow loris, ${count}: not closed with 408 within 25 s`,
				among.answers.filter((one) => one !== '408'),
			),
			none(
				'slow loris: calls beside them that failed',
				load.failures.map(({ text }) => text),
			),
			atMost('slow loris: p99 of calls beside them, against none', 20, more(alone.p99), ' % more'),
			atMost('slow loris: p99, against as many at a bare server on the same core', 20, more(least.p99), ' % more'),
			...(await endRows(scope, gateway)),
		];
	},
};
