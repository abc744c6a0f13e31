import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../processes/children.ts';
import { nodeTarget, root, timeServer } from '../support/gateway.ts';
import { ModernClient } from '../support/rpc-client.ts';
import { freePort } from '../support/free-port.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** A port that nobody uses: what the log says cannot be read here. */
/**
 * The gateway with its stdout where `to` leads, a redirection of the shell, or at a terminal; nobody reads it unless the
 * test does.
 */
async function start(
	to = '',
	terminal = false,
): Promise<{ process: ChildProcess; pid: number; url: string; statsUrl: string; exited: Promise<number | null> }> {
	const [port, stats] = [await freePort(), await freePort()];
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-log-'));
	closing.push(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, 'config.yaml');
	const targets = nodeTarget('time', timeServer).replace(/^/gm, '          ');
	writeFileSync(
		file,
		`binds:\n- port: ${port}\n  listeners:\n  - routes:\n    - matches:\n      - path: { pathPrefix: /mcp }\n      backends:\n      - mcp:\n          targets:\n${targets}\n`,
	);
	const command = [process.execPath, join(root, 'bin/agentgateway.mjs'), '-f', file];
	const wrapped: [string, string[]] = terminal
		? ['script', ['-qfec', `echo $$ > ${join(folder, 'pid')}; exec ${command.join(' ')}`, '/dev/null']]
		: ['sh', ['-c', `exec "$@" ${to}`, 'sh', ...command]];
	const child = spawn(...wrapped, {
		env: { ...process.env, ADMIN_ADDR: '127.0.0.1:0', STATS_ADDR: `127.0.0.1:${stats}`, READINESS_ADDR: '127.0.0.1:0' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	closing.push(() => child.kill('SIGKILL'));
	const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
	const url = `http://127.0.0.1:${port}/mcp`;
	await until('it listens', 20_000, () =>
		new ModernClient(url).toolNames().then(
			() => true,
			() => false,
		),
	);
	const pid = terminal ? Number(readFileSync(join(folder, 'pid'), 'utf8')) : (child.pid ?? 0);
	if (terminal) closing.push(() => endOf(pid));
	return { process: child, pid, url, statsUrl: `http://127.0.0.1:${stats}/metrics`, exited };
}

/** Whether it runs; one that has ended may still be there for its parent, which waits for the terminal. */
function isAlive(pid: number): boolean {
	try {
		return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
	} catch {
		return false;
	}
}

function endOf(pid: number): void {
	if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** `script` of util-linux makes the terminal; other systems have another. */
const hasTerminals = spawnSync('script', ['-qfec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0;

/** Sends so many requests, each of which makes more than 1 KB of log; gives those that were not answered as they should. */
async function flood(url: string, count: number): Promise<unknown[]> {
	const agent = new Agent({ connections: 8 });
	const long = new URL(`/${'x'.repeat(1200)}`, url).href;
	const failed: unknown[] = [];
	let left = count;
	const work = async () => {
		while (left-- > 0) {
			try {
				const { statusCode, body } = await request(long, { dispatcher: agent });
				await body.dump();
				if (statusCode !== 404) failed.push(statusCode);
			} catch (error) {
				failed.push(error);
			}
		}
	};
	await Promise.all(Array.from({ length: 8 }, work));
	await agent.close();
	return failed;
}

async function dropped(statsUrl: string): Promise<number> {
	const { body } = await request(statsUrl);
	return Number(/^agentgateway_log_lines_dropped_total (\d+)$/m.exec(await body.text())?.[1]);
}

async function answers(url: string): Promise<void> {
	expect(await new ModernClient(url).tool('get_current_time', '{"timezone":"UTC"}')).toContain('UTC');
}

const notice = /WARN agentgateway: (\d+) log lines were dropped because they could not be written/;

describe('a log that cannot be written holds up no request', () => {
	test('a pipe that nobody reads', { timeout: 90_000 }, async () => {
		const gateway = await start();
		// More than the pipe, the write that is under way and what may wait.
		expect(await flood(gateway.url, 10_000)).toEqual([]);
		const lost = await dropped(gateway.statsUrl);
		expect(lost).toBeGreaterThan(100);
		await answers(gateway.url);
		let text = '';
		gateway.process.stdout?.on('data', (chunk) => (text += String(chunk)));
		await until('the loss is told', 10_000, () => notice.test(text));
		expect(Number(notice.exec(text)?.[1])).toBe(lost);
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
		expect(text).toContain('stopped');
	});

	test('a pipe that nobody reads to the end does not hold up the end either', { timeout: 60_000 }, async () => {
		const gateway = await start();
		expect(await flood(gateway.url, 200)).toEqual([]);
		const began = performance.now();
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
		expect(performance.now() - began).toBeLessThan(3000);
	});

	test.skipIf(!hasTerminals)('a terminal that is held', { timeout: 60_000 }, async () => {
		const gateway = await start('', true);
		expect(await flood(gateway.url, 200)).toEqual([]);
		await answers(gateway.url);
		process.kill(gateway.pid, 'SIGTERM');
		await until('it ends', 5000, () => !isAlive(gateway.pid));
	});

	test('a pipe whose reader has gone', { timeout: 60_000 }, async () => {
		const gateway = await start();
		gateway.process.stdout?.destroy();
		expect(await flood(gateway.url, 200)).toEqual([]);
		await answers(gateway.url);
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
	});

	test('a device that is always full', { timeout: 60_000 }, async () => {
		const gateway = await start('> /dev/full');
		expect(await flood(gateway.url, 200)).toEqual([]);
		expect(await dropped(gateway.statsUrl)).toBeGreaterThan(100);
		await answers(gateway.url);
		gateway.process.kill('SIGTERM');
		expect(await gateway.exited).toBe(0);
	});

	// Mounting needs root; without it, the device above stands for the disk.
	test.skipIf(process.getuid?.() !== 0)(
		'a disk of 1 MB that is full, and has room again',
		{ timeout: 60_000 },
		async ({ skip }) => {
			const disk = mkdtempSync(join(tmpdir(), 'agentgateway-disk-'));
			try {
				execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'pipe' });
			} catch (error) {
				rmSync(disk, { recursive: true });
				return skip(`no tmpfs can be mounted here: ${String(error)}`);
			}
			closing.push(() => {
				execFileSync('umount', ['-l', disk]);
				rmSync(disk, { recursive: true, force: true });
			});
			writeFileSync(join(disk, 'other'), Buffer.alloc(300_000));
			const log = join(disk, 'log');
			const gateway = await start(`>> ${log}`);
			expect(await flood(gateway.url, 1500)).toEqual([]);
			expect(await dropped(gateway.statsUrl)).toBeGreaterThan(0);
			await answers(gateway.url);
			rmSync(join(disk, 'other'));
			await answers(gateway.url);
			await until('the loss is told', 10_000, () => notice.test(readFileSync(log, 'latin1')));
			gateway.process.kill('SIGTERM');
			expect(await gateway.exited).toBe(0);
		},
	);
});
