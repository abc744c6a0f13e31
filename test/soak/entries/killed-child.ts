import { childrenConfig, fixtureTarget } from '../../processes/children.ts';
import { LegacyClient } from '../../support/rpc-client.ts';
import { percentile } from '../figures.ts';
import { atMost, none, type Row, sleep, type Soak } from '../soak.ts';
import { endRows, startGateway } from '../started.ts';

/** 50 calls under way when the child is killed, at any moment of its life. */
export const killedChild: Soak = {
	name: 'killed-child',
	async run(scope) {
		const rounds = scope.short ? 2 : 200;
		const gateway = await startGateway(scope, childrenConfig([fixtureTarget('bad'), fixtureTarget('good')]));
		const url = `${gateway.url()}/mcp`;
		const seen: Seen = { errors: [], back: [], starts: [], wrong: [] };
		for (let round = 0; round < rounds; round++) {
			await oneRound(url, seen);
			if (round % 20 === 19) scope.say(`round ${round + 1} of ${rounds}`);
		}
		return [...rows(seen), ...(await endRows(scope, gateway))];
	},
};

interface Seen {
	/** From the kill to the last error. */
	errors: number[];
	/** From the kill to the next answer. */
	back: number[];
	/** To open a session, which starts the children. */
	starts: number[];
	wrong: string[];
}

async function oneRound(url: string, seen: Seen): Promise<void> {
	const began = performance.now();
	const client = await LegacyClient.open(url);
	const pid = Number(await client.tool('bad_pid'));
	seen.starts.push(performance.now() - began);
	const hanging = Array.from({ length: 40 }, () => client.request('tools/call', '{"name":"bad_hang","arguments":{}}'));
	// One that arrives after the kill waits for the next child and hangs there.
	while (((await client.tool('bad_lines')).match(/"name\\*":\\*"hang/g)?.length ?? 0) < 40) await sleep(5);
	const brief = Array.from({ length: 10 }, () =>
		client.request('tools/call', '{"name":"bad_late","arguments":{"ms":25}}'),
	);
	const others = Array.from({ length: 10 }, (_, n) => client.tool('good_echo', `{"text":"${n}"}`));
	await sleep(Math.random() * 50);
	const killed = performance.now();
	process.kill(pid, 'SIGKILL');
	for (const { message } of await Promise.all(hanging)) {
		if (message.error?.message.includes('bad') !== true) seen.wrong.push(JSON.stringify(message));
	}
	seen.errors.push(performance.now() - killed);
	for (const { message } of await Promise.all(brief)) {
		const answered = message.result?.content?.[0]?.text === 'late';
		if (!answered && message.error?.message.includes('bad') !== true) seen.wrong.push(JSON.stringify(message));
	}
	for (const [index, answer] of (await Promise.all(others)).entries())
		if (answer !== String(index)) seen.wrong.push(`another target answered ${answer}`);
	while ((await client.tool('bad_echo', '{"text":"back"}').catch(() => '')) !== 'back') await sleep(10);
	seen.back.push(performance.now() - killed);
	await client.end();
}

function rows({ errors, back, starts, wrong }: Seen): Row[] {
	const start = percentile(starts, 0.5);
	return [
		atMost('killed child: error to callers in flight, worst', 100, Math.max(...errors), ' ms'),
		atMost(
			'killed child: next call served, without the start of a child, worst',
			2000,
			Math.max(...back) - start,
			' ms',
		),
		none('killed child: answers lost, doubled or wrong', wrong),
	];
}
