import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mcpConfig } from '../../support/gateway.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { Load } from '../load.ts';
import { many } from '../sessions.ts';
import { none, sleep, type Soak } from '../soak.ts';
import { echoServer, echoTarget, endRows, httpTarget, startGateway, warm } from '../started.ts';

/** The file changes again and again under load; unchanged routes must not notice. */
export const reloads: Soak = {
	name: 'reloads',
	async run(scope) {
		const [rounds, rate, streams] = scope.short ? [3, 100, 5] : [100, 1000, 200];
		const url = await echoServer(scope);
		const kept = mcpConfig([httpTarget('http', url), echoTarget('stdio', 'modern')].join('\n'));
		const other = mcpConfig(httpTarget('http', url)).split('binds:\n')[1] ?? '';
		const gateway = await startGateway(scope, kept + other);
		await warm(scope, gateway, ['http_echo', 'stdio_echo']);
		const endpoint = `${gateway.url()}/mcp`;
		const listening = await many(streams, 16, async () => {
			const client = await LegacyClient.open(endpoint);
			return { client, stream: await client.listen() };
		});
		// The first look at each target has a process of its own, which ends soon after.
		await sleep(2000);
		const pids = gateway.children().map(({ pid }) => pid);
		const tools = ['http_echo', 'stdio_echo'];
		const load = await new Load({ url: endpoint, tools, clients: 32, rate, eras: ['modern'] }).start();
		for (let round = 0; round < rounds; round++) {
			// The second route gets a further target, then loses it.
			const changed =
				round % 2 === 0
					? other.replace('targets:\n', `targets:\n          - name: more\n            mcp: { host: "${url}" }\n`)
					: other;
			replace(gateway.file, kept + changed);
			await sleep(scope.short ? 800 : 500);
		}
		await load.stop();
		const lost = listening.filter(({ stream }) => stream.ended()).map(() => 'a stream ended');
		const gone = pids.filter((pid) => !gateway.children().some((child) => child.pid === pid)).map(String);
		await Promise.all(listening.map(async ({ client, stream }) => (stream.close(), client.end())));
		return [
			none(
				`${rounds} reloads at ${rate} calls a second: calls that failed`,
				load.failures.map(({ text }) => text),
			),
			none(`${rounds} reloads: open streams of an unchanged route that were lost, of ${streams}`, lost),
			none(`${rounds} reloads: processes of unchanged targets that were replaced`, gone),
			...(await endRows(scope, gateway)),
		];
	},
};

/** As editors save: a new file in the place of the old one. */
function replace(file: string, text: string): void {
	if (readFileSync(file, 'utf8') === text) throw new Error('the reload changes nothing');
	writeFileSync(`${file}.new`, text);
	renameSync(`${file}.new`, file);
}
