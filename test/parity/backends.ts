import { vi } from 'vitest';
import type { TargetView } from '../../src/admin/state.ts';
import { type RunningGateway, runGateway, type RunOptions } from '../support/gateway.ts';
import { stateOf } from '../support/state.ts';

/** One MCP backend on a port of its own. */
export interface McpBackend {
	readonly targets: readonly object[];
	readonly [key: string]: unknown;
}

/** A gateway with a bind for each backend: `url(n)` is that of the n-th. */
export function gatewayFor(
	backends: readonly McpBackend[],
	settings: Record<string, unknown> = {},
	options: RunOptions = {},
): Promise<RunningGateway> {
	const binds = backends.map((mcp) => ({ port: 0, listeners: [{ routes: [{ backends: [{ mcp }] }] }] }));
	const mcp = { targetStartTimeout: '10s', ...settings };
	return runGateway(JSON.stringify({ config: { mcp }, binds }), options);
}

/** A Streamable HTTP target. */
export function httpTarget(name: string, url: string): object {
	return { name, mcp: { host: url } };
}

/** A stdio target that runs a JavaScript file. */
export function stdioTarget(name: string, ...args: string[]): object {
	return { name, stdio: { cmd: process.execPath, args } };
}

/** The targets of the first route of each bind. */
export async function targetsOf(gateway: RunningGateway): Promise<TargetView[]> {
	const { binds } = await stateOf(gateway);
	return binds.flatMap(({ listeners }) => listeners[0]?.routes[0]?.backends[0]?.targets ?? []);
}

/** Waits until the gateway has met every target for its own sake, and talks to none of them any more. */
export async function probed(gateway: RunningGateway): Promise<void> {
	await vi.waitFor(
		async () => {
			const open = (await targetsOf(gateway)).filter(({ tools, state }) => tools === null && state !== 'failed');
			if (open.length > 0) throw new Error(`not probed: ${JSON.stringify(open)}`);
		},
		{ timeout: 15_000, interval: 50 },
	);
}
