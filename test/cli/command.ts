import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../support/gateway.ts';

/** What one run of the command left behind. */
export interface Ended {
	code: number | null;
	stdout: string;
	stderr: string;
	/** From start to end. */
	ms: number;
}

export interface CommandOptions {
	cwd?: string;
	env?: Record<string, string | undefined>;
	/** What it reads on stdin; without it, stdin is empty. */
	input?: string;
	/** Ended with SIGKILL after this time; then the code is null. */
	timeoutMs?: number;
}

/** Runs the real command to its end, with stdout and stderr apart. */
export function runCommand(args: string[], options: CommandOptions = {}): Promise<Ended> {
	const started = performance.now();
	const child: ChildProcess = spawn(process.execPath, [join(root, 'bin/agentgateway.mjs'), ...args], {
		cwd: options.cwd ?? root,
		env: {
			...process.env,
			NO_COLOR: undefined,
			FORCE_COLOR: undefined,
			ADMIN_ADDR: '127.0.0.1:0',
			STATS_ADDR: '127.0.0.1:0',
			READINESS_ADDR: '127.0.0.1:0',
			...options.env,
		},
		stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
	});
	const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 15_000);
	let [stdout, stderr] = ['', ''];
	child.stdout?.on('data', (chunk: Buffer) => {
		stdout += chunk;
	});
	child.stderr?.on('data', (chunk: Buffer) => {
		stderr += chunk;
	});
	// The command may refuse before it has read everything.
	child.stdin?.on('error', () => {});
	child.stdin?.end(options.input);
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => {
			clearTimeout(timer);
			resolve({ code, stdout, stderr, ms: performance.now() - started });
		});
	});
}
