// What a list of 200 tools (230 KB) costs from the catalogue, against nginx that passes the same bytes on.
import { casesOf } from './cases.mjs';
import { startNginx, startSized } from './started.mjs';
import { inTurns } from './turns.mjs';

export const title = '`tools/list` of 200 tools (230 KB), 16 connections';
export const figures = {
	cpuMicroseconds: 'CPU µs a list',
	times: '× nginx',
	busy: 'core busy',
	perSecond: 'lists/s',
	memoryMegabytes: 'memory MB',
};
/** 200 µs where nginx takes 144. */
const target = { figure: 'times', most: 1.39 };

export async function measure(setup) {
	const old = await startSized('legacy', { TOOLS: '200' });
	const young = await startSized('modern', { TOOLS: '200' });
	const half = await startSized('legacy', { TOOLS: '100' });
	const { cases, add, gateway } = casesOf(setup, 'tools/list', target);
	await add('nginx `proxy_pass`', await startNginx(setup.folder, old.port), 'legacy');
	await add('gateway, one target, old client', await gateway('old', old.port), 'legacy');
	await add('gateway, one target, new client', await gateway('young', young.port), 'modern');
	await add('gateway, two targets of 100, old client', await gateway('two', half.port, half.port), 'legacy');
	await add('gateway, two targets of 100, new client', await gateway('twice', half.port, half.port), 'modern');
	await add('gateway, old client, new server (bridged)', await gateway('across', young.port), 'legacy');
	await add('gateway, new client, old server (bridged)', await gateway('back', old.port), 'modern');
	return inTurns(cases, { rounds: setup.rounds, milliseconds: setup.milliseconds, connections: 16 });
}
