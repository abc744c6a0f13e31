import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { startFixture } from '../support/fixture-server.ts';
import { nodeTarget, root } from '../support/gateway.ts';
import { type WatchedGateway, watchGateway, type WatchOptions } from '../faults/harness/watched-gateway.ts';
import { ModernClient } from '../support/rpc-client.ts';
import { none, type Row, type Scope } from './soak.ts';

/** A gateway that ends with the soak. No access log: at these rates it would be most of the work of who reads it. */
export async function startGateway(scope: Scope, yaml: string, options: WatchOptions = {}): Promise<WatchedGateway> {
	const gateway = await watchGateway(yaml, { ...options, env: { RUST_LOG: 'warn,agentgateway=info', ...options.env } });
	scope.own(async () => {
		if (gateway.process.exitCode === null) gateway.process.kill('SIGKILL');
		await gateway.exited;
	});
	return gateway;
}

/**
 * The last rows of a soak: nothing stays behind, and the log shows nothing that it should not. Connections that clients
 * without sessions share are kept for a minute: a full run waits for their end, a short one has begun with `warm`.
 */
export async function endRows(scope: Scope, gateway: WatchedGateway): Promise<Row[]> {
	// Clients keep connections for as long as the gateway lets them.
	await getGlobalDispatcher().destroy();
	setGlobalDispatcher(new Agent());
	return [
		none('descriptors, timers, children not back', await gateway.leftovers(scope.short ? 12_000 : 100_000)),
		none('error lines, secrets, processes left', await gateway.finish()),
	];
}

/** Calls each tool once without a session, so that a short run need not wait for what is kept for such clients. */
export async function warm(scope: Scope, gateway: WatchedGateway, tools: readonly string[], bind = 0): Promise<void> {
	if (!scope.short) return;
	const agent = new Agent();
	const client = new ModernClient(`${gateway.url(bind)}/mcp`, agent);
	for (const tool of tools) await client.tool(tool, '{"value":"warm","text":"warm","ms":0}');
	await agent.destroy();
	await gateway.settle();
}

/** An HTTP server with the tool `echo`, which gives `value` back after `ms`. */
export async function echoServer(scope: Scope, era: 'legacy' | 'modern' | 'both' = 'legacy'): Promise<string> {
	const server = await startFixture('bytes/server.mjs', '--era', era, '--http', '0');
	scope.own(() => server.stop());
	return server.url;
}

/**
 * The cheapest HTTP server there is: for what concerns the gateway's memory alone. It never closes a connection, so that
 * the gateway keeps its own for a minute: a short run takes the other server.
 */
export async function cheapServer(scope: Scope): Promise<string> {
	if (scope.short) return echoServer(scope);
	const child = spawn(process.execPath, [join(root, 'bench/echo-upstream.mjs')], {
		env: { ...process.env, ERA: 'legacy' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	scope.own(() => new Promise((resolve) => child.on('close', resolve).kill()));
	const port = await new Promise<string>((resolve) =>
		child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
	);
	return `http://127.0.0.1:${port.trim()}/mcp`;
}

export function httpTarget(name: string, url: string): string {
	return `- name: ${name}\n  mcp: { host: "${url}" }`;
}

/** A stdio target with the tool `echo`, as `echoServer`. */
export function echoTarget(name: string, era: 'legacy' | 'modern' = 'legacy'): string {
	return nodeTarget(name, join(root, 'test/fixtures/bytes/server.mjs'), '--era', era);
}
