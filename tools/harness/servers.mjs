// What a run needs running: a server, and the gateway in front of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.mjs';
import { everything, fixture, gateway, loopback, root } from './paths.mjs';

/** Whoever starts something gives what ends it; a target is what the gateway's configuration says of it. */
const servers = {
	async http(args) {
		const child = new Child(process.execPath, [fixture, '--http', '0', ...args]);
		const [url] = await child.waitFor(/http:\S+/);
		return { url, target: { mcp: { host: url } }, stop: () => child.stop() };
	},
	async sse(args) {
		const child = new Child(process.execPath, [fixture, '--http', '0', '--sse', ...args]);
		const [url] = await child.waitFor(/http:\S+/);
		return { url, target: { sse: { host: url } }, stop: () => child.stop() };
	},
	async stdio(args) {
		return { target: { stdio: { cmd: process.execPath, args: [fixture, ...args] } }, stop: async () => {} };
	},
};

/** @param {'http' | 'sse' | 'stdio'} transport @param {'both' | 'legacy' | 'modern'} era */
export async function startFixture(transport, era) {
	return servers[transport](['--era', era]);
}

/** The server that the protocol's makers show everything with. */
export async function startEverything(transport) {
	if (transport === 'stdio') {
		return { target: { stdio: { cmd: process.execPath, args: [everything] } }, stop: async () => {} };
	}
	const port = await freePort();
	const args = ['--import', loopback, everything, 'streamableHttp'];
	const child = new Child(process.execPath, args, { env: { PORT: String(port) } });
	await child.waitFor(/listening on port/);
	const url = `http://localhost:${port}/mcp`;
	return { url, target: { mcp: { host: url } }, stop: () => child.stop() };
}

/** The gateway in front of one target whose names it leaves alone. */
export async function startGateway(target) {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-conformance-'));
	const file = join(folder, 'config.json');
	const backend = { mcp: { prefixMode: 'never', targets: [{ name: 'fixture', ...target }] } };
	const binds = [{ port: 0, listeners: [{ routes: [{ backends: [backend] }] }] }];
	// JSON is YAML.
	writeFileSync(file, JSON.stringify({ binds }));
	const env = { ADMIN_ADDR: '127.0.0.1:0', STATS_ADDR: '127.0.0.1:0', READINESS_ADDR: '127.0.0.1:0' };
	const child = new Child(process.execPath, [gateway, '-f', file], { env, cwd: root });
	const stop = async () => {
		await child.stop();
		rmSync(folder, { recursive: true, force: true });
	};
	try {
		const [, port] = await child.waitFor(/Listening on \S+:(\d+)/);
		return { url: `http://localhost:${port}/mcp`, log: () => child.text, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

async function freePort() {
	const server = createServer();
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}
