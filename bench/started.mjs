// Starts what is measured and what it needs; whatever was started is ended by `end`.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Pinned to the core on which only the measured process runs. */
export const measured = ['-c', '0'];
const others = ['-c', '1'];
const running = new Set();

/** Ends all that was started here, by process id. */
export function endAll() {
	for (const child of running) child.kill('SIGTERM');
}

/** The same, and waits until they are gone. */
export async function endEach() {
	await Promise.all([...running].map((child) => end({ child })));
}

/** Starts a command on a core. Without a port it waits for the first line that it prints, else until the port is open. */
export async function start(core, command, args, { env = {}, port = null, cwd } = {}) {
	const began = performance.now();
	const child = spawn('taskset', [...core, command, ...args], {
		cwd,
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	running.add(child);
	let text = '';
	// Once it runs, what it prints is read and thrown away, as a log collector at its ease would.
	const keep = (chunk) => {
		if (text.length < 10_000) text += chunk;
	};
	child.stdout.on('data', keep);
	child.stderr.on('data', keep);
	let ended = null;
	child.on('error', (error) => (ended = error.message));
	child.on('exit', (code, signal) => {
		running.delete(child);
		ended = `exit ${code ?? signal}`;
	});
	for (;;) {
		if (ended !== null) throw new Error(`${command}: ${ended}: ${text}`);
		if (port === null ? text.includes('\n') : await isOpen(port)) break;
		if (performance.now() - began > 10_000) throw new Error(`${command} does not listen: ${text}`);
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	return { pid: child.pid, child, text, milliseconds: performance.now() - began };
}

function isOpen(port) {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		socket.on('connect', () => resolve(true));
		socket.on('error', () => resolve(false));
		socket.on('connect', () => socket.destroy());
	});
}

/** Ends one process and waits for its exit. */
export function end({ child }) {
	if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
	return new Promise((resolve) => {
		child.once('exit', resolve);
		child.kill('SIGTERM');
	});
}

/** A port that nobody uses now. */
export function freePort() {
	return new Promise((resolve) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

/** The echo server of one era. Gives its port. */
export async function startUpstream(era) {
	const args = [join(root, 'bench/echo-upstream.mjs')];
	const server = await start(others, process.execPath, args, { env: { ERA: era } });
	return { ...server, port: Number.parseInt(server.text, 10) };
}

/** A server whose answers are as large as `env` says (`RESULT`, `TOOLS`, `FORM`). Gives its port. */
export async function startSized(era, env) {
	const args = [join(root, 'bench/sized-upstream.mjs')];
	const server = await start(others, process.execPath, args, { env: { ERA: era, ...env } });
	return { ...server, port: Number.parseInt(server.text, 10) };
}

/** A pipe of Node that passes bytes on and does nothing else. Gives its port. */
export function startPipe(upstream, node) {
	return startFloor(upstream, node, join(root, 'bench/pipe.mjs'));
}

/** What Node itself takes. Gives its port. */
export async function startFloor(upstream, node = process.execPath, file = join(root, 'bench/floor.mjs')) {
	const port = await freePort();
	const env = { PORT: String(port), UPSTREAM: String(upstream) };
	return { ...(await start(measured, node, [file], { env, port })), port };
}

/** nginx with one worker in front of an upstream. Gives its port and the worker's process id. */
export async function startNginx(folder, upstream) {
	const port = await freePort();
	mkdirSync(join(folder, 'nginx'), { recursive: true });
	const file = join(folder, 'nginx.conf');
	writeFileSync(
		file,
		`daemon off; master_process off; worker_processes 1; pid ${folder}/nginx/pid; error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${folder}/nginx; proxy_temp_path ${folder}/nginx; fastcgi_temp_path ${folder}/nginx;
  uwsgi_temp_path ${folder}/nginx; scgi_temp_path ${folder}/nginx;
  keepalive_requests 100000000;
  upstream echo { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://echo; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`,
	);
	const server = await start(measured, 'nginx', ['-p', folder, '-c', file], { port });
	return { ...server, port };
}

/** A gateway with one configuration text; `program` is the command that runs it. Gives its own port. */
export async function startGateway(folder, name, targets, program, env = {}) {
	const [port, admin, stats, readiness] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
	const file = join(folder, `${name}.yaml`);
	writeFileSync(
		file,
		`binds:
- port: ${port}
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
${targets.map((target) => `          - ${target}`).join('\n')}
`,
	);
	const addresses = {
		ADMIN_ADDR: `127.0.0.1:${admin}`,
		STATS_ADDR: `127.0.0.1:${stats}`,
		READINESS_ADDR: `127.0.0.1:${readiness}`,
	};
	const [command, ...args] = program;
	const server = await start(measured, command, [...args, '-f', file], {
		env: { ...addresses, ...env },
		port,
		cwd: folder,
	});
	return { ...server, port, file };
}
