import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { canary } from '../../support/faults-in.ts';
import { root, type RunningGateway, runGateway, type RunOptions } from '../../support/gateway.ts';
import { type ListedProcess, markedProcesses } from './process-list.ts';

/** What the gateway's process holds at a moment. Bytes, microseconds of processor time, milliseconds of stall. */
export interface Measured {
	heap: number;
	rss: number;
	external: number;
	arrayBuffers: number;
	processor: number;
	/** The longest stall of the event loop since the last question. */
	stall: number;
	/** Open descriptors by kind. */
	descriptors: Record<string, number>;
	/** What `process.getActiveResourcesInfo()` names, counted. */
	resources: Record<string, number>;
}

/** A gateway that a test or a soak looks into while it runs. */
export interface WatchedGateway extends RunningGateway {
	/** The configuration, which it watches. */
	readonly file: string;
	/** `collected`: after a forced collection of garbage. */
	measure(collected?: boolean): Promise<Measured>;
	/** Everything that the gateway has started and what that has started; the guard and the gateway are left out. */
	children(): ListedProcess[];
	/**
	 * What is not as it was right after the start: descriptors, timers, children; waits up to `ms` for it. Empty when all
	 * is back. Clients must have closed their sessions and connections before.
	 */
	leftovers(ms?: number): Promise<string[]>;
	/** Takes what is there now for what was there after the start: connections that are kept for a while, say. */
	settle(): Promise<void>;
	/** Ends it, and gives what a test must not leave behind: exit code, error lines, secrets, processes. */
	finish(): Promise<string[]>;
}

export interface WatchOptions extends RunOptions {
	/** Error lines that the test provokes on purpose. */
	errors?: RegExp;
}

const probe = pathToFileURL(join(root, 'test/faults/harness/probe.mjs')).href;

/** Starts a gateway that can be looked into. Linux only: it reads /proc. */
export async function watchGateway(yaml: string, options: WatchOptions = {}): Promise<WatchedGateway> {
	const run = randomUUID();
	const gateway = await runGateway(yaml, {
		...options,
		env: { ...options.env, ADMIN_TOKEN: 'canary-secret-admin', AGENTGATEWAY_TEST: run },
		nodeArgs: ['--expose-gc', '--import', probe, ...(options.nodeArgs ?? [])],
		ipc: true,
	});
	const measure = measuring(gateway.process);
	const children = () => startedBy(run, gateway.process.pid);
	let baseline = await measure(true);
	let kept = 0;
	return Object.assign(gateway, {
		measure,
		children,
		leftovers: (ms = 10_000) => {
			const more = () => (children().length > kept ? children() : []);
			return leftovers(baseline, measure, more, ms);
		},
		settle: async () => {
			baseline = await measure(true);
			kept = children().length;
		},
		finish: () => finish(gateway, children, options),
	});
}

/** Asks the probe; rejects when the process has ended. */
function measuring(child: ChildProcess): WatchedGateway['measure'] {
	let next = 0;
	const waiting = new Map<number, { resolve(measured: Measured): void; reject(error: Error): void }>();
	child.on('message', (message: Measured & { id: number }) => {
		waiting.get(message.id)?.resolve(message);
		waiting.delete(message.id);
	});
	child.on('exit', (code, signal) => {
		for (const { reject } of waiting.values()) reject(new Error(`the gateway ended with ${code ?? signal}`));
		waiting.clear();
	});
	return (collected = false) =>
		new Promise((resolve, reject) => {
			const id = next++;
			waiting.set(id, { resolve, reject });
			child.send({ id, collected }, (error) => error !== null && reject(error));
		});
}

function startedBy(run: string, gateway: number | undefined): ListedProcess[] {
	const all = markedProcesses(`AGENTGATEWAY_TEST=${run}`);
	return all.filter(({ pid, command }) => pid !== gateway && !command.includes('agentgateway-watchdog'));
}

async function leftovers(
	baseline: Measured,
	measure: WatchedGateway['measure'],
	children: WatchedGateway['children'],
	ms: number,
): Promise<string[]> {
	const end = performance.now() + ms;
	for (;;) {
		const now = await measure(true);
		const more = [
			...grown('descriptors', baseline.descriptors, now.descriptors),
			...grown('resources', baseline.resources, now.resources),
			...children().map(({ pid, command }) => `child ${pid}: ${command}`),
		];
		if (more.length === 0 || performance.now() > end) return more;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

function grown(what: string, before: Record<string, number>, now: Record<string, number>): string[] {
	return (
		Object.entries(now)
			// The file of the configuration is looked at five times a second.
			.filter(([kind, count]) => count > (before[kind] ?? 0) && !kind.startsWith('FSReq'))
			.map(([kind, count]) => `${what}: ${count} ${kind} instead of ${before[kind] ?? 0}`)
	);
}

async function finish(
	gateway: RunningGateway,
	children: WatchedGateway['children'],
	{ errors }: WatchOptions,
): Promise<string[]> {
	const found: string[] = [];
	const ended = gateway.process.exitCode !== null || gateway.process.signalCode !== null;
	if (!ended) found.push(...(await secretsShown(gateway)));
	const code = await (ended ? gateway.exited : gateway.stop()).catch((error: Error) => error.message);
	if (code !== 0 && !ended) found.push(`exit: ${code}`);
	const lines = gateway.log().split('\n').filter(isErrorLine);
	found.push(...lines.filter((line) => errors === undefined || !errors.test(line)));
	// The guard needs a moment where the gateway had no time to end its children.
	const end = performance.now() + 2000;
	while (children().length > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
	found.push(...children().map(({ pid, command }) => `left behind: ${pid} ${command}`));
	return found;
}

function isErrorLine(line: string): boolean {
	return /^\S+ ERROR |"level":"error"/.test(line);
}

/** What the admin and metrics ports show must be free of secrets, too. */
async function secretsShown(gateway: RunningGateway): Promise<string[]> {
	const urls = ['/config_dump', '/api/config', '/api/state'].map((path) => `${gateway.adminUrl}${path}`);
	const found: string[] = [];
	for (const url of [...urls, `${gateway.statsUrl}/metrics`]) {
		const text = await (await fetch(url)).text();
		const secret = canary.exec(text);
		if (secret !== null) found.push(`${url} shows ${secret[0]}`);
	}
	return found;
}
