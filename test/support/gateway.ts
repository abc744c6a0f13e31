import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canaries, faultsIn } from './faults-in.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const everythingServer = join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
export const timeServer = join(root, 'dist/time-server.js');

/** The gateway as a process of its own, the way a user runs it. */
export interface RunningGateway {
	readonly process: ChildProcess;
	/** `http://127.0.0.1:<port>` of the n-th bind that listens. */
	url(bind?: number): string;
	readonly adminUrl: string;
	readonly statsUrl: string;
	readonly readinessUrl: string;
	/** All that it wrote so far. */
	log(): string;
	/** Resolves when a line matches. */
	waitFor(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
	/** Sends SIGTERM, resolves with the exit code. */
	stop(): Promise<number | null>;
	/** The exit code. Rejects when the log shows what no log may: a stack trace, an unhandled rejection, a secret. */
	exited: Promise<number | null>;
}

export interface RunOptions {
	env?: Record<string, string | undefined>;
	args?: string[];
	cwd?: string;
	/** A command of the shell that comes before, such as `ulimit -n 128`. */
	shell?: string;
	/** Options for node itself. */
	nodeArgs?: readonly string[];
	/** With a channel for messages, of which the process knows only through `nodeArgs`. */
	ipc?: boolean;
	/** Lines of the log that this test provokes on purpose. */
	allow?: RegExp;
}

/** Starts the gateway with a configuration text whose ports should be 0, and waits until it listens. `file` holds it. */
export async function runGateway(
	yaml: string,
	options: RunOptions = {},
): Promise<RunningGateway & { readonly file: string }> {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-run-'));
	const file = join(folder, 'config.yaml');
	writeFileSync(file, yaml);
	const gateway = spawnGateway(['-f', file, ...(options.args ?? [])], options);
	gateway.process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
	await gateway.waitFor(/Admin UI available at/);
	return Object.assign(gateway, { file });
}

/** Starts the gateway's command with any arguments; does not wait. */
export function spawnGateway(args: string[], options: RunOptions = {}): RunningGateway {
	const env = {
		...process.env,
		ADMIN_ADDR: '127.0.0.1:0',
		STATS_ADDR: '127.0.0.1:0',
		READINESS_ADDR: '127.0.0.1:0',
		...canaries,
		...options.env,
	};
	const own = [process.execPath, ...(options.nodeArgs ?? []), join(root, 'bin/agentgateway.mjs'), ...args];
	const [command = '', ...rest] =
		options.shell === undefined ? own : ['sh', '-c', `${options.shell}; exec "$@"`, 'sh', ...own];
	const child = spawn(command, rest, {
		cwd: options.cwd ?? root,
		env,
		stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
	});
	let text = '';
	const watchers = new Set<() => void>();
	const take = (chunk: Buffer) => {
		text += chunk;
		for (const watcher of watchers) watcher();
	};
	child.stdout?.on('data', take);
	child.stderr?.on('data', take);
	const exited = new Promise<number | null>((resolve, reject) =>
		child.on('close', (code) => {
			const faults = faultsIn(text, options.allow);
			if (faults.length === 0) resolve(code);
			else reject(new Error(`the gateway's log shows what it must not:\n${faults.join('\n')}`));
		}),
	);

	const waitFor = (pattern: RegExp, withinMs = 20_000) =>
		new Promise<RegExpExecArray>((resolve, reject) => {
			const end = (error: Error | null, found?: RegExpExecArray) => {
				clearTimeout(timer);
				watchers.delete(look);
				if (error === null && found !== undefined) resolve(found);
				else reject(error ?? new Error('nothing found'));
			};
			const look = () => {
				const found = pattern.exec(text);
				if (found !== null) end(null, found);
			};
			const timer = setTimeout(() => end(new Error(`no ${pattern} within ${withinMs} ms in:\n${text}`)), withinMs);
			child.on('close', (code) => end(new Error(`exited with ${code} before ${pattern}:\n${text}`)));
			watchers.add(look);
			look();
		});

	const found = (pattern: RegExp, n = 0) => {
		const all = [...text.matchAll(new RegExp(pattern, 'g'))];
		const port = all[n]?.[1];
		if (port === undefined) throw new Error(`no ${pattern} in:\n${text}`);
		return `http://127.0.0.1:${port}`;
	};
	return {
		process: child,
		url: (bind = 0) => found(/Listening on \S+:(\d+)/, bind),
		get adminUrl() {
			return found(/Admin UI available at http:\/\/[^:]+:(\d+)\/ui\//);
		},
		get statsUrl() {
			return found(/Metrics available at http:\/\/[^:]+:(\d+)\/metrics/);
		},
		get readinessUrl() {
			return found(/Readiness available at http:\/\/[^:]+:(\d+)\/healthz\/ready/);
		},
		log: () => text,
		waitFor,
		exited,
		stop: () => {
			child.kill('SIGTERM');
			return exited;
		},
	};
}

/** A configuration with one bind on a free port, whose targets are given as YAML list items. */
export function mcpConfig(targets: string, extra = ''): string {
	return `
config:
  mcp:
    targetStartTimeout: 10s
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
${targets.replace(/^/gm, '          ')}
${extra.replace(/^/gm, '          ')}
`;
}

/** A stdio target that runs a JavaScript file. */
export function nodeTarget(name: string, ...args: string[]): string {
	return `- name: ${name}\n  stdio:\n    cmd: ${JSON.stringify(process.execPath)}\n    args: ${JSON.stringify(args)}`;
}
