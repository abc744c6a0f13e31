// `node bench/list.mjs`: what a list of 200 tools (230 KB) costs, against nginx that passes the same bytes on.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { casesOf, inTurns, print, scratch } from './rows.mjs';
import { root, start, startNginx } from './started.mjs';

const connections = Number(process.env.BENCH_CONNECTIONS ?? 16);
const only = new RegExp(process.env.BENCH_ONLY ?? '.');
spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)]);
const folder = scratch();

try {
	print(`tools/list of 200 tools, ${connections} connections`, await run());
} catch (error) {
	process.stderr.write(`error: ${error.stack ?? error}\n`);
	process.exitCode = 1;
}
process.exit();

async function run() {
	const [old, young, half] = [
		await upstream('legacy', 200),
		await upstream('modern', 200),
		await upstream('legacy', 100),
	];
	const { cases, add, gateway } = casesOf(folder, only, 'tools/list');
	await add('nginx proxy_pass', await startNginx(folder, old.port), 'legacy');
	await add('gateway, one target, legacy', await gateway('old', old.port), 'legacy');
	await add('gateway, one target, modern', await gateway('young', young.port), 'modern');
	await add('gateway, two targets of 100, legacy', await gateway('two', half.port, half.port), 'legacy');
	await add('gateway, two targets of 100, modern client', await gateway('twice', half.port, half.port), 'modern');
	await add('gateway, bridged: legacy client, modern server', await gateway('across', young.port), 'legacy');
	await add('gateway, bridged: modern client, legacy server', await gateway('back', old.port), 'modern');
	return inTurns(folder, cases, connections);
}

async function upstream(era, tools) {
	const env = { ERA: era, TOOLS: String(tools) };
	const server = await start(['-c', '1'], process.execPath, [join(root, 'bench/sized-upstream.mjs')], { env });
	return { ...server, port: Number.parseInt(server.text, 10) };
}
