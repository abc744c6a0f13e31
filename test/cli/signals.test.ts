import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixtureTarget, until } from '../processes/children.ts';
import { mcpConfig, root, runGateway } from '../support/gateway.ts';
import { noPorts, StdioGateway } from '../support/stdio-gateway.ts';

const yaml = mcpConfig(fixtureTarget('one'));

/** Whether a process has a handler of its own for a signal (proc(5), `SigCgt`: bit n-1 of a hexadecimal mask). */
function catches(pid: number, signal: number): boolean {
	const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
	return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The command with its configuration still to come over stdin, which keeps it from the rest of its start. */
function starting() {
	const child = spawn(process.execPath, [join(root, 'bin/agentgateway.mjs'), '-f', '-'], {
		cwd: root,
		env: { ...process.env, ...noPorts },
		stdio: 'pipe',
	});
	let log = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk));
	child.stdin.on('error', () => {});
	onTestFinished(() => void child.kill('SIGKILL'));
	return { child, pid: child.pid ?? 0, log: () => log };
}

/** The exit code of a process that is told to end; null: a signal ended it. */
async function terminated(child: ChildProcess): Promise<number | null> {
	child.kill('SIGTERM');
	await until('it has ended', 10_000, () => child.exitCode !== null || child.signalCode !== null);
	return child.exitCode;
}

describe('SIGUSR1', () => {
	test('opens no debugger, and ends nothing', async () => {
		const gateway = await runGateway(yaml);
		gateway.process.kill('SIGUSR1');
		await gateway.waitFor(/SIGUSR1 is not supported/);
		expect((await fetch(`${gateway.readinessUrl}/healthz/ready`)).status).toBe(200);
		expect(await gateway.stop()).toBe(0);
		expect(gateway.log()).not.toContain('Debugger listening');
	});

	test.skipIf(process.platform !== 'linux')('nor while the gateway starts', async () => {
		const { child, pid, log } = starting();
		// Of this one node itself has a handler, too; that of SIGHUP is set after it.
		await until('it is taken', 10_000, () => catches(pid, 1));
		child.kill('SIGUSR1');
		child.stdin.end(yaml);
		await until('it serves', 10_000, () => log().includes('Admin UI available'));
		expect(await terminated(child)).toBe(0);
		expect(log()).not.toContain('Debugger listening');
	});

	test('nor for `agentgateway stdio`', async () => {
		const gateway = new StdioGateway(yaml);
		await gateway.initialize();
		gateway.process.kill('SIGUSR1');
		await until('it is told', 10_000, () => gateway.stderr.includes('SIGUSR1 is not supported'));
		expect((await gateway.request('1', 'ping')).result).toEqual({});
		expect(await gateway.end()).toBe(0);
		expect(gateway.stderr).not.toContain('Debugger listening');
	});
});

describe('SIGHUP', () => {
	test.skipIf(process.platform !== 'linux')('does not end a gateway that starts', async () => {
		const { child, pid, log } = starting();
		await until('it is taken', 10_000, () => catches(pid, 1));
		child.kill('SIGHUP');
		child.stdin.end(yaml);
		await until('it serves', 10_000, () => log().includes('Admin UI available'));
		child.kill('SIGHUP');
		expect(await terminated(child)).toBe(0);
	});

	test('reads the configuration of `agentgateway stdio` anew, and does not end it', async () => {
		const gateway = new StdioGateway(yaml, [], { RUST_LOG: 'debug' });
		await gateway.initialize();
		gateway.process.kill('SIGHUP');
		await until('it is read', 10_000, () => /in effect already.*reason="asked to"/.test(gateway.stderr));
		expect((await gateway.request('1', 'ping')).result).toEqual({});
		expect(await gateway.end()).toBe(0);
	});

	test('ends what does not serve', async () => {
		const child = spawn(process.execPath, [join(root, 'bin/agentgateway.mjs'), '--validate-only', '-f', '-']);
		child.stderr.resume();
		// It is loaded by then, most likely, and waits for stdin; while it is not, a signal is lost.
		await pause(1000);
		await until('it has ended', 10_000, () => {
			child.kill('SIGHUP');
			return child.signalCode !== null || child.exitCode !== null;
		});
		expect(child.signalCode).toBe('SIGHUP');
	});
});
