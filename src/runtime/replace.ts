import { setTimeout as pause } from 'node:timers/promises';
import type { McpEndpoint } from '../mcp/endpoint.ts';
import type { Target } from '../mcp/model.ts';
import type { RuntimeChange } from './compile.ts';

/** How a runtime is replaced. */
export interface Replacing {
	/** Milliseconds that what is under way may still take. */
	readonly patience: number;
	/** Look at targets that are new, before any client does. */
	readonly look: boolean;
	/** Is called with each target that nobody uses any more. */
	release(target: Target): Promise<void>;
}

/** Brings what lives on over to a new configuration, at once. Resolves when what the old one leaves behind is gone. */
export async function replaceRuntime(change: RuntimeChange, { patience, look, release }: Replacing): Promise<void> {
	for (const backend of change.backends) backend.commit(look);
	if (look) for (const backend of change.newBackends) backend.watch();
	const leaving: Promise<void>[] = [
		...change.kept.map((one) => one.endpoint.follow(one.change, patience)),
		...change.removed.map((endpoint) => end(endpoint, patience)),
		...change.goneBackends.map((backend) => backend.close()),
	];
	await Promise.all(leaving);
	const dropped = [
		...change.backends.flatMap((backend) => backend.dropped),
		...change.goneBackends.flatMap((backend) => backend.targets),
	];
	await Promise.all(dropped.map((target) => release(target)));
}

/** Gives up a runtime that did not come to serve. */
export async function abandonRuntime(change: RuntimeChange, release: (target: Target) => Promise<void>): Promise<void> {
	await Promise.all(change.added.map((endpoint) => endpoint.close()));
	const opened = [
		...change.backends.flatMap((backend) => backend.opened),
		...change.newBackends.flatMap((backend) => backend.targets),
	];
	await Promise.all(opened.map((target) => release(target)));
}

/** Between two looks whether the last call of a removed route is over. */
const lookMs = 50;

/** Streams end at once: their clients must not wait for what will not come any more. */
async function end(endpoint: McpEndpoint, patience: number): Promise<void> {
	await endpoint.endStreams();
	const until = performance.now() + patience;
	while (endpoint.busy && performance.now() < until) await pause(lookMs);
	await endpoint.close();
}
