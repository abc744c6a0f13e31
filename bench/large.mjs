// What passing a large result costs (RESULT bytes, 1 MB unless told), against nginx and a bare pipe of Node.
import { casesOf } from './cases.mjs';
import { startNginx, startPipe, startSized } from './started.mjs';
import { inTurns } from './turns.mjs';

const size = process.env.RESULT ?? '1000000';
export const title = `A result of ${(Number(size) / 1e6).toFixed(2)} MB, 8 connections`;
export const figures = {
	cpuMicroseconds: 'CPU µs a call',
	times: '× nginx',
	busy: 'core busy',
	rateOfPipe: 'MB/s, of the bare pipe',
	memoryMegabytes: 'memory MB',
};
const target = { figure: 'times', most: 2 };

export async function measure(setup) {
	const old = await startSized('legacy', { RESULT: size });
	const young = await startSized('modern', { RESULT: size });
	const streaming = await startSized('legacy', { RESULT: size, FORM: 'events' });
	const { cases, add, gateway } = casesOf(setup, 'tools/call', target);
	const one = async (name, server, era, tool = 'echo') => add(name, server, era, tool);
	await one('nginx `proxy_pass`', await startNginx(setup.folder, old.port), 'legacy');
	await one('bare pipe of Node', await startPipe(old.port, setup.node), 'legacy');
	await one('gateway, one target, old client', await gateway('old', old.port), 'legacy');
	await one('gateway, one target, new client', await gateway('young', young.port), 'modern');
	await one('gateway, server answers with events', await gateway('events', streaming.port), 'legacy');
	await one('gateway, two targets, old client', await gateway('two', old.port, old.port), 'legacy', 't0_echo');
	await one('gateway, two targets, new client', await gateway('twice', young.port, young.port), 'modern', 't0_echo');
	await one('gateway, old client, new server (bridged)', await gateway('across', young.port), 'legacy');
	await one('gateway, new client, old server (bridged)', await gateway('back', old.port), 'modern');
	const rows = await inTurns(cases, { rounds: setup.rounds, milliseconds: 3 * setup.milliseconds, connections: 8 });
	const pipe = rows.find(({ name }) => name.startsWith('bare pipe'));
	return rows.map((row) => ({
		...row,
		rateOfPipe: pipe === undefined ? null : Number((row.rate / pipe.rate).toFixed(2)),
	}));
}
