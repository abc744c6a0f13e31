// `node bench/large.mjs`: what passing a large result costs (RESULT, 1 MB), against nginx and a bare pipe of Node.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { casesOf, inTurns, print, scratch } from './rows.mjs';
import { freePort, measured, root, start, startNginx } from './started.mjs';

const size = Number(process.env.RESULT ?? 1_000_000);
const connections = Number(process.env.BENCH_CONNECTIONS ?? 8);
const only = new RegExp(process.env.BENCH_ONLY ?? '.');
spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)]);
const folder = scratch();

try {
	print(`tools/call with a result of ${size} bytes, ${connections} connections`, await run());
} catch (error) {
	process.stderr.write(`error: ${error.stack ?? error}\n`);
	process.exitCode = 1;
}
process.exit();

async function run() {
	const old = await upstream('legacy', 'json');
	const young = await upstream('modern', 'json');
	const streaming = await upstream('legacy', 'events');
	const { cases, add, gateway } = casesOf(folder, only, 'tools/call');
	await add('nginx proxy_pass', await startNginx(folder, old.port), 'legacy', 'echo');
	await add('bare pipe of Node', await pipe(old.port), 'legacy', 'echo');
	await add('gateway, one target, legacy', await gateway('old', old.port), 'legacy', 'echo');
	await add('gateway, one target, modern', await gateway('young', young.port), 'modern', 'echo');
	await add('gateway, two targets, legacy', await gateway('two', old.port, old.port), 'legacy', 't0_echo');
	await add('gateway, server answers with events', await gateway('events', streaming.port), 'legacy', 'echo');
	await add('gateway, bridged: legacy client, modern server', await gateway('across', young.port), 'legacy', 'echo');
	await add('gateway, bridged: modern client, legacy server', await gateway('back', old.port), 'modern', 'echo');
	return inTurns(folder, cases, connections);
}

async function upstream(era, form) {
	const env = { ERA: era, FORM: form, RESULT: String(size) };
	const server = await start(['-c', '1'], process.execPath, [join(root, 'bench/sized-upstream.mjs')], { env });
	return { ...server, port: Number.parseInt(server.text, 10) };
}

async function pipe(to) {
	const port = await freePort();
	const env = { PORT: String(port), UPSTREAM: String(to) };
	return { ...(await start(measured, process.execPath, [join(root, 'bench/pipe.mjs')], { env, port })), port };
}
