import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FixtureServer, startFixture } from '../support/fixture-server.ts';
import { root, type RunningGateway, runGateway } from '../support/gateway.ts';
import { clients, everyCapability } from './clients.ts';
import type { Peer } from './peer.ts';
import { type ClientKind, type Combo, runs, spokenTo, type Transport, type Upstream } from './requirement.ts';
import { topics } from './topics.ts';
import { WirePeer } from './wire-peer.ts';

const eras = { old: 'legacy', new: 'modern', both: 'both' } as const;
/** Where cells go that have passed, for scripts/protocol-support.mjs. */
const outcomes = process.env['MATRIX_OUT'];

/** Runs all requirements with every client, one after the other, against one kind of server behind one gateway. */
export function runMatrix(transport: Transport, upstream: Upstream): void {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-matrix-'));
	const config = join(folder, 'config.json');
	const passed: string[] = [];
	let server: FixtureServer | null = null;
	let gateway: RunningGateway;

	beforeAll(async () => {
		const flags = ['--era', eras[upstream], '--shared', folder];
		if (transport !== 'stdio') {
			server = await startFixture(
				'matrix/server.mjs',
				'--http',
				'0',
				...(transport === 'SSE' ? ['--sse'] : []),
				...flags,
			);
		}
		const target = {
			stdio: { stdio: { cmd: process.execPath, args: [join(root, 'test/fixtures/matrix/server.mjs'), ...flags] } },
			HTTP: { mcp: { host: server?.url } },
			SSE: { sse: { host: server?.url } },
		}[transport];
		const mcp = { targets: [{ name: 'matrix', ...target }] };
		const binds = [{ port: 0, listeners: [{ routes: [{ backends: [{ mcp }] }] }] }];
		// JSON is YAML.
		const text = JSON.stringify({ config: { mcp: { targetStartTimeout: '10s' } }, binds });
		writeFileSync(config, text);
		gateway = await runGateway(text);
	});

	afterAll(async () => {
		expect(await gateway.stop()).toBe(0);
		await server?.stop();
		rmSync(folder, { recursive: true, force: true });
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
		if (outcomes === undefined) return;
		mkdirSync(outcomes, { recursive: true });
		writeFileSync(join(outcomes, `${transport}-${upstream}.json`), JSON.stringify(passed));
	});

	for (const [name, client] of Object.entries(clients) as [ClientKind, (typeof clients)[ClientKind]][]) {
		const combo: Combo = { client: client.era, upstream, transport };
		const own = topics.flatMap(({ requirements }) => requirements.filter((one) => runs(one, name, combo)));
		if (own.length === 0) continue;
		describe(`${name} → ${upstream} over ${transport}`, { concurrent: false }, () => {
			let peer: Peer;
			const further: Peer[] = [];
			const open = (capabilities: Record<string, unknown>) =>
				client.open({ url: `${gateway.url()}/mcp`, config, capabilities });
			beforeAll(async () => {
				peer = await open(everyCapability);
			});
			afterAll(async () => {
				for (const one of [...further, peer]) await one.close();
			});

			for (const requirement of own) {
				test(`${requirement.id}: ${requirement.title}`, { timeout: 15_000, concurrent: false }, async () => {
					await requirement.run({
						combo,
						spoken: spokenTo(combo),
						peer,
						url: `${gateway.url()}/mcp`,
						wire: () => {
							if (peer instanceof WirePeer) return peer;
							throw new Error(`${requirement.id} is for raw clients`);
						},
						connect: async (capabilities) => {
							const one = await open(capabilities);
							further.push(one);
							return one;
						},
						cancelled: () => {
							const file = join(folder, 'cancelled');
							return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
						},
					});
					passed.push(`${requirement.id} ${name}`);
				});
			}
		});
	}
}
