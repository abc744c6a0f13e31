import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { until } from '../../processes/children.ts';
import { fileOf, routeTo } from '../../reload/edited-gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { Load } from '../load.ts';
import { many } from '../sessions.ts';
import { none, sleep, type Soak } from '../soak.ts';
import { echoServer, echoTarget, endRows, httpTarget, startGateway, warm } from '../started.ts';
import { stateOf } from '../../support/state.ts';

/** The file changes again and again under load; unchanged routes must not notice. */
export const reloads: Soak = {
	name: 'reloads',
	async run(scope) {
		const [rounds, rate, streams] = scope.short ? [10, 100, 20] : [100, 1000, 200];
		const url = await echoServer(scope);
		const kept = (rules = '') => routeTo('/mcp', [`${httpTarget('http', url)}${rules}`, echoTarget('stdio', 'modern')]);
		const gateway = await startGateway(scope, fileOf([kept()]), { errors: /Failed to reload config/ });
		const tools = ['http_echo', 'stdio_echo'];
		await warm(scope, gateway, tools);
		const endpoint = `${gateway.url()}/mcp`;
		const listening = await many(streams, 16, async () => {
			const client = await LegacyClient.open(endpoint);
			return { client, stream: await client.listen() };
		});
		// The first look at each target has a process of its own, which ends soon after.
		await sleep(2000);
		const pids = gateway.children().map(({ pid }) => pid);
		const load = await new Load({ url: endpoint, tools, clients: 32, rate }).start();
		const wrong: string[] = [];
		for (let round = 0; round < rounds; round++) {
			const broken = round % 10 === 9;
			const taken = await replace(gateway, variant(kept(), url, round));
			if (taken === broken) wrong.push(`${broken ? 'broken' : 'whole'} file of round ${round}`);
		}
		const gone = pids.filter((pid) => !gateway.children().some((child) => child.pid === pid)).map(String);
		await load.stop();
		// Streams that are still there hear of this.
		await replace(gateway, fileOf([kept('\n  tools: { exclude: [echo] }')]));
		const heard = ({ stream }: (typeof listening)[number]) =>
			!stream.ended() && stream.seen.some((text) => text.includes('tools/list_changed'));
		await until('every stream has heard', 10_000, () => listening.every(heard)).catch(() => {});
		const lost = listening.filter((one) => !heard(one)).map(() => 'a stream ended or heard nothing');
		await Promise.all(listening.map(async ({ client, stream }) => (stream.close(), client.end())));
		return [
			none(
				`${rounds} reloads at ${rate} calls a second: calls that failed`,
				load.failures.map(({ text }) => text),
			),
			none(`${rounds} reloads: open streams of an unchanged route that were lost, of ${streams}`, lost),
			none(`${rounds} reloads: processes of unchanged targets that were replaced`, gone),
			none(`${rounds} reloads: files refused that were whole, or taken that were broken`, wrong),
			...(await endRows(scope, gateway)),
		];
	},
};

/** The file of a round: routes, ports, targets and policies come and go beside the route that stays as it is. */
function variant(kept: string, url: string, round: number): string {
	const other = routeTo(`/other-${round % 3}`, [httpTarget(`t${round % 4}`, url)]);
	const cors = "policies: { cors: { allowOrigins: ['https://a.example'] } }";
	if (round % 10 === 9) return `${fileOf([kept])}  broken`;
	switch (round % 5) {
		case 4:
			return fileOf([routeTo('/mcp-too', [httpTarget('http', url)], cors), kept, other]);
		case 3:
			return `${fileOf([kept, other])}- port: 0\n  listeners:\n  - routes:\n${other}\n`;
		default:
			return fileOf(round % 2 === 0 ? [other, kept] : [kept, other, routeTo('/policy', [httpTarget('t9', url)], cors)]);
	}
}

/** As editors save: a new file in the place of the old one. Whether it has come into effect, once it was read. */
async function replace(gateway: RunningGateway & { readonly file: string }, text: string): Promise<boolean> {
	if (readFileSync(gateway.file, 'utf8') === text) throw new Error('the reload changes nothing');
	const { since } = (await stateOf(gateway)).config;
	writeFileSync(`${gateway.file}.new`, text);
	renameSync(`${gateway.file}.new`, gateway.file);
	let view = { since, synchronized: false };
	await until('the file is read', 30_000, async () => (view = (await stateOf(gateway)).config).since !== since);
	return view.synchronized;
}
