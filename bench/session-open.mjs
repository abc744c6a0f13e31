// How long a client waits for its session with one stdio target, with a process in reserve (`prewarm`) and without: one
// session after the other, with time for the reserve to be filled again.
import { join } from 'node:path';
import { Pool } from 'undici';
import { root } from './started.mjs';
import { median, rounded } from './turns.mjs';

const sessions = Number(process.env.SESSIONS ?? 40);
const pauseMs = 500;
export const title = 'Opening a session with a stdio target';
export const figures = { p50Milliseconds: 'p50 ms', p95Milliseconds: 'p95 ms' };
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const initialize = JSON.stringify({
	...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
	params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
});

export async function measure(setup) {
	return [await run(setup, false), await run(setup, true)];
}

async function run(setup, prewarm) {
	const args = `["-c", "1", "${process.execPath}", "${join(root, 'bench/echo-stdio.mjs')}"]`;
	const reserve = prewarm ? ', prewarm: true' : '';
	const target = `{ name: one, stdio: { cmd: taskset, args: ${args}${reserve} } }`;
	const gateway = await setup.gateway(`open-${prewarm}`, [target]);
	const pool = new Pool(`http://127.0.0.1:${gateway.port}`);
	const times = [];
	for (let i = 0; i <= sessions; i++) {
		await new Promise((resolve) => setTimeout(resolve, i === 0 ? 2000 : pauseMs));
		const began = performance.now();
		const opened = await pool.request({ method: 'POST', path: '/mcp', headers, body: initialize });
		await opened.body.dump();
		// The first one also compiles what is run.
		if (i > 0) times.push(performance.now() - began);
		const id = opened.headers['mcp-session-id'];
		if (opened.statusCode !== 200 || id === undefined) throw new Error(`initialize answers ${opened.statusCode}`);
		await end(pool, id);
	}
	await pool.close();
	times.sort((a, b) => a - b);
	return {
		name: prewarm ? 'a process is in reserve' : 'the process is started',
		p50Milliseconds: rounded(median(times), 1),
		p95Milliseconds: rounded(times[Math.floor(times.length * 0.95)], 1),
		target: prewarm ? { figure: 'p50Milliseconds', most: 10 } : null,
	};
}

async function end(pool, id) {
	const own = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
	const { body } = await pool.request({ method: 'DELETE', path: '/mcp', headers: own });
	await body.dump();
}
