// What an idle session and an idle event stream keep in memory. SESSIONS (5000) and STREAMS (10000) at once; resident
// memory after the garbage was collected, and the heap alone.
import { connect } from 'node:net';
import { join } from 'node:path';
import { Pool } from 'undici';
import { root, startUpstream } from './started.mjs';
import { rounded } from './turns.mjs';

const sessions = Number(process.env.SESSIONS ?? 5_000);
const streams = Number(process.env.STREAMS ?? 10_000);
export const title = 'Memory of what is idle';
export const figures = {
	residentKB: 'resident KB each',
	heapKB: 'heap KB each',
	externalKB: 'external KB each',
	stallMilliseconds: 'longest stall of the loop, processor ms',
};
const accept = 'application/json, text/event-stream';
const headers = { 'content-type': 'application/json', accept };
const initialize = JSON.stringify({
	...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
	params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
});

export async function measure(setup) {
	const upstream = await startUpstream('legacy');
	const start = setup.gatewayWith('--expose-gc', '--import', join(root, 'bench/collect.mjs'));
	const target = `{ name: t0, mcp: { host: "http://127.0.0.1:${upstream.port}/mcp" } }`;
	return run(await start('memory', [target], { RUST_LOG: 'warn' }));
}

async function run(gateway) {
	// Compiled code, the first growth of tables and the young generation, which grows with what comes and does not shrink,
	// are nobody's: as many sessions are opened and ended first.
	const ended = await collected(gateway);
	await endSessions(gateway, await moreSessions(gateway, sessions));
	const before = await collected(gateway);
	const ids = await moreSessions(gateway, sessions);
	const withSessions = await collected(gateway);
	const rows = [
		row(`${sessions} sessions that have ended`, ended, before, sessions),
		row(`${sessions} idle sessions`, before, withSessions, sessions, 6),
	];
	if (streams === 0) return rows;
	await endSessions(gateway, ids);
	const sockets = await openStreams(gateway.port, await moreSessions(gateway, 200));
	const start = await collected(gateway);
	const more = await moreSessions(gateway, streams - 200);
	const idle = await collected(gateway);
	sockets.push(...(await openStreams(gateway.port, more)));
	const withStreams = await collected(gateway);
	rows.push(row(`${more.length} idle streams, beside their sessions`, idle, withStreams, more.length, 25));
	rows.push(row(`${more.length} idle streams with their sessions`, start, withStreams, more.length));
	await new Promise((resolve) => setTimeout(resolve, 20_000));
	const later = await collected(gateway);
	const target = { figure: 'stallMilliseconds', most: 20 };
	rows.push({ name: 'while their keep-alives are sent', stallMilliseconds: rounded(later.stall, 1), target });
	rows.push({ name: 'while a drain ends them', stallMilliseconds: rounded(await drained(gateway), 1), target: null });
	for (const socket of sockets) socket.destroy();
	return rows;
}

async function endSessions({ port }, ids) {
	const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 16 });
	const rest = [...ids];
	const work = async () => {
		for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
			const { body } = await pool.request({ method: 'DELETE', path: '/mcp', headers: { 'mcp-session-id': id } });
			await body.dump();
		}
	};
	await Promise.all(Array.from({ length: 16 }, work));
	await pool.close();
}

/** Ends the gateway; gives the longest stall until then. */
function drained({ child }) {
	return new Promise((resolve) => {
		let text = '';
		child.stderr.on('data', (chunk) => (text += chunk));
		child.once('close', () => resolve(Number(/ENDED (\S+)/.exec(text)?.[1])));
		child.kill('SIGTERM');
	});
}

async function moreSessions(gateway, count) {
	const pool = new Pool(`http://127.0.0.1:${gateway.port}`, { connections: 16 });
	const ids = await openSessions(pool, count);
	await pool.close();
	return ids;
}

function row(name, before, after, count, most = null) {
	const each = (key) => rounded((after[key] - before[key]) / count / 1024, 2);
	const target = most === null ? null : { figure: 'residentKB', most };
	return { name, residentKB: each('rss'), heapKB: each('heapUsed'), externalKB: each('external'), target };
}

async function openSessions(pool, count) {
	const ids = [];
	let begun = 0;
	const work = async () => {
		while (begun++ < count) {
			const { headers: reply, body } = await pool.request({ method: 'POST', path: '/mcp', headers, body: initialize });
			await body.dump();
			ids.push(reply['mcp-session-id']);
		}
	};
	await Promise.all(Array.from({ length: 16 }, work));
	return ids;
}

async function openStreams(port, ids) {
	const sockets = [];
	for (let at = 0; at < ids.length; at += 100) {
		sockets.push(...(await Promise.all(ids.slice(at, at + 100).map((id) => openStream(port, id)))));
	}
	return sockets;
}

function openStream(port, id) {
	return new Promise((resolve, reject) => {
		const socket = connect(port, '127.0.0.1', () => {
			const lines = [
				'GET /mcp HTTP/1.1',
				`host: 127.0.0.1:${port}`,
				'accept: text/event-stream',
				`mcp-session-id: ${id}`,
			];
			socket.write(`${[...lines, 'mcp-protocol-version: 2025-11-25'].join('\r\n')}\r\n\r\n`);
		});
		socket.once('error', reject);
		socket.once('data', (chunk) => {
			if (!chunk.toString('latin1').startsWith('HTTP/1.1 200')) reject(new Error(chunk.toString()));
			else resolve(socket);
		});
		socket.on('data', () => {});
	});
}

/** What is left after the garbage was collected; the longest stall since it was asked last. */
function collected({ child }) {
	return new Promise((resolve) => {
		let text = '';
		const read = (chunk) => {
			text += chunk;
			const found = /COLLECTED (\{.*\})/.exec(text);
			if (found === null) return;
			child.stderr.off('data', read);
			setTimeout(() => resolve(JSON.parse(found[1])), 200);
		};
		child.stderr.on('data', read);
		setTimeout(() => child.kill('SIGUSR2'), 1000);
	});
}
