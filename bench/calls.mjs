// What one small tools/call costs: directly, through nginx, and through the gateway in each of its ways.
import { join } from 'node:path';
import { prepare } from './client.mjs';
import { root, startFloor, startNginx, startUpstream } from './started.mjs';
import { inTurns } from './turns.mjs';

export const title = 'A `tools/call` of 150 bytes, 32 connections';
/** Most that the CPU of a call may be, times nginx's. 45 µs where nginx takes 16, for stdio. */
const targets = { native: 2.9, two: 3.2, bridged: 3.8, stdio: 2.81 };
export const figures = {
	cpuMicroseconds: 'CPU µs a call',
	times: '× nginx',
	busy: 'core busy',
	perSecond: 'calls/s',
	memoryMegabytes: 'memory MB',
};

export async function measure(setup) {
	const [legacy, modern] = [await startUpstream('legacy'), await startUpstream('modern')];
	const cases = [];
	const add = async (name, server, era, tool, most = null) => {
		if (cases.length > 0 && !setup.only.test(name)) return;
		const url = `http://127.0.0.1:${server.port}/mcp`;
		const target = most === null ? null : { figure: 'times', most };
		cases.push({ name, url, pid: server.pid, call: await prepare(url, era, tool), target });
	};
	await add('nginx `proxy_pass`', await startNginx(setup.folder, legacy.port), 'legacy', 'echo');
	await add('no gateway', legacy, 'legacy', 'echo');
	await add('Node floor: node:http and undici alone', await startFloor(legacy.port, setup.node), 'legacy', 'echo');
	await addGateway('gateway', setup.gateway, add, legacy, modern);
	if (setup.peer !== null) await addGateway('peer', setup.peer, add, legacy, modern);
	return inTurns(cases, { rounds: setup.rounds, milliseconds: setup.milliseconds, connections: 32 });
}

async function addGateway(label, gateway, add, legacy, modern) {
	const run = (name, ...ports) => gateway(`${label}-${name}`, ports.map(http));
	await add(`${label}, HTTP target, old client`, await run('one', legacy.port), 'legacy', 'echo', targets.native);
	const quiet = await gateway(`${label}-quiet`, [http(legacy.port, 0)], { RUST_LOG: 'warn' });
	await add(`${label}, the same without access log`, quiet, 'legacy', 'echo', targets.native);
	await add(`${label}, HTTP target, new client`, await run('new', modern.port), 'modern', 'echo', targets.native);
	const two = await run('two', legacy.port, legacy.port);
	await add(`${label}, two HTTP targets, old client`, two, 'legacy', 't0_echo', targets.two);
	const twice = await run('twice', modern.port, modern.port);
	await add(`${label}, two HTTP targets, new client`, twice, 'modern', 't0_echo', targets.two);
	const across = await run('across', modern.port);
	await add(`${label}, old client, new server (bridged)`, across, 'legacy', 'echo', targets.bridged);
	const back = await run('back', legacy.port);
	await add(`${label}, new client, old server (bridged)`, back, 'modern', 'echo', targets.bridged);
	const args = `["-c", "1", "${process.execPath}", "${join(root, 'bench/echo-stdio.mjs')}"]`;
	const stdio = await gateway(`${label}-stdio`, [`{ name: t0, stdio: { cmd: taskset, args: ${args} } }`]);
	await add(`${label}, stdio target, old client`, stdio, 'legacy', 'echo', targets.stdio);
}

function http(port, at) {
	return `{ name: t${at}, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`;
}
